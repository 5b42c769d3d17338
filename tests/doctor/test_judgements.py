"""From facts to verdicts: for every check facts with which it passes, with which it fails, and with which it cannot be told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reconciler.doctor import controllers, domain, domain_checks, entra, forge, lints, signin
from reconciler.doctor.catalog import ALL
from reconciler.doctor.controllers import ACCEPTED, Channel
from reconciler.doctor.domain import PasswordRules
from reconciler.doctor.finding import Check, Finding, Unknown, Verdict
from reconciler.doctor.report import complete
from reconciler.forge.protection import Protection
from reconciler.model.dn import DN
from reconciler.model.settings import Forge, RequiredCheck
from reconciler.verify.facts import NOT_DELEGATED, Surroundings
from tests.policy.policies import DEFAULT, edited, load

from . import facts
from .facts import BASE, HIDDEN, NOW, UPN

POLICY = load(DEFAULT)
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
FORGE = Forge(
    "github", "origin", "main", "https://api.github.com", "contoso/identity", 1, (RequiredCheck("reconcile/plan"),)
)


def token(**claims: object) -> str:
    return facts.JWT.format(base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="))


def of(found: Iterable[Finding], check: Check) -> Finding:
    [finding] = [f for f in found if f.check is check]
    return finding


def days(n: int) -> timedelta:
    return timedelta(days=n)


E, C, D, S, F = facts.entra, facts.controller, facts.domain, facts.sign_in, facts.protection

ENTRA = [
    (entra.SIGN_IN, E(), PASS, ""),
    (entra.SIGN_IN, E(token=Unknown("AADSTS7000215")), FAIL, "AADSTS7000215"),
    (entra.READS, E(), PASS, ""),
    (entra.READS, E(read=Unknown("Authorization_RequestDenied")), FAIL, "Authorization_RequestDenied"),
    (entra.READS, E(token=HIDDEN), UNKNOWN, "did not sign in"),
    (entra.WIDTH, E(token=token(roles=["User.Read.All"])), PASS, "User.Read.All"),
    (entra.WIDTH, E(token=token(roles=["User.Read.All", "Mail.Read"])), FAIL, "excess: Mail.Read"),
    (entra.WIDTH, E(token=token(roles=["User.ReadWrite.All"])), FAIL, "missing: User.Read.All"),
    (entra.WIDTH, E(token=token(roles=["User.Read.All"], wids=[entra.NO_ROLE])), PASS, "User.Read.All"),
    (entra.WIDTH, E(token=token(roles=["User.Read.All"], wids=[entra.NO_ROLE, "fe930be7"])), FAIL, "fe930be7"),
    (entra.WIDTH, E(token=token(scp="User.Read.All", wids=["fe930be7"])), FAIL, "the directory role fe930be7"),
    (entra.WIDTH, E(token=token(aud="graph")), FAIL, "no permission at all"),
    (entra.WIDTH, E(token=token(scp="openid profile User.Read.All")), PASS, "User.Read.All"),
    (entra.WIDTH, E(token="opaque"), UNKNOWN, "cannot be read"),
    (entra.WIDTH, E(token="a.!.c"), UNKNOWN, "cannot be read"),
    (entra.CERTIFICATE, E(), PASS, "2026-12-18"),
    (entra.CERTIFICATE, E(key=facts.key(expires=NOW + days(20))), FAIL, "in 20 days"),
    (entra.CERTIFICATE, E(key=facts.key(expires=NOW - days(1))), FAIL, "expired on 2026-05-31"),
    (entra.CERTIFICATE, E(credential="federated", key=None), PASS, "federated"),
    (entra.CERTIFICATE, E(credential="secret", key=None), UNKNOWN, "does not say"),
    (entra.CERTIFICATE, E(key=Unknown("it holds no RSA private key")), FAIL, "no RSA"),
    (entra.KEY_FILE, E(), PASS, ""),
    (entra.KEY_FILE, E(key=facts.key(others=True)), FAIL, "other users"),
    (entra.KEY_FILE, E(key=facts.key(inside=True)), FAIL, "repository"),
    (entra.KEY_FILE, E(key=facts.key(others=None)), UNKNOWN, "not looked at"),
    (entra.KEY_FILE, E(key=HIDDEN), UNKNOWN, "hidden"),
    (entra.CLOCK, E(skew=timedelta(minutes=4)), PASS, "240 s ahead"),
    (entra.CLOCK, E(skew=timedelta(minutes=-6)), FAIL, "360 s behind"),
    (entra.CLOCK, E(skew=HIDDEN), UNKNOWN, "hidden"),
]
CONTROLLERS = [
    (controllers.REACH, C(), PASS, ""),
    (controllers.REACH, C(reached=Unknown("port 636: refused"), signed_in=None), FAIL, "refused"),
    (controllers.TLS, C(), PASS, "TLSv1.3"),
    (controllers.TLS, C(channel=Unknown("another name"), signed_in=None), FAIL, "another name"),
    (controllers.TLS, C(reached=HIDDEN, signed_in=None), UNKNOWN, "not reached"),
    (controllers.CERTIFICATE, C(), PASS, ""),
    (controllers.CERTIFICATE, C(channel=Channel("TLSv1.3", NOW + days(3))), FAIL, "in 3 days"),
    (controllers.CERTIFICATE, C(channel=HIDDEN, signed_in=None), UNKNOWN, "not trusted"),
    (controllers.SIGN_IN, C(), PASS, "reader@contoso.test"),
    (controllers.SIGN_IN, C(signed_in=Unknown("wrong password")), FAIL, "wrong password"),
    (controllers.SIGN_IN, C(signed_in=None), UNKNOWN, "No domain controller"),
    (controllers.DOMAIN, C(), PASS, BASE),
    (controllers.DOMAIN, C(base="DC=other,DC=test"), FAIL, "DC=other,DC=test"),
    (controllers.DOMAIN, C(signed_in=HIDDEN), UNKNOWN, "not signed in"),
    (controllers.CLOCK, C(), PASS, "0 s"),
    (controllers.CLOCK, C(skew=timedelta(hours=1)), FAIL, "3,600 s ahead"),
    (controllers.CLOCK, C(signed_in=HIDDEN), UNKNOWN, "not signed in"),
    (controllers.SIGNING, C(), PASS, "refused"),
    (controllers.SIGNING, C(plain=ACCEPTED), FAIL, "looked at"),
    (controllers.SIGNING, C(plain=Unknown("Port 389 cannot be tried")), UNKNOWN, "389"),
    (controllers.BINDING, C(signed_in=HIDDEN, binding_refused=True), PASS, "refused"),
    (controllers.BINDING, C(bind="gssapi"), FAIL, "not bound"),
    (controllers.BINDING, C(), UNKNOWN, "password"),
]
LOOSE = facts.attributes(POLICY, 16)
NARROW = {k: replace(a, upper=20) if k == "displayname" else a for k, a in facts.attributes(POLICY).items()}
DOMAIN = [
    (domain_checks.OUS, D(POLICY), PASS, ""),
    (domain_checks.OUS, D(POLICY, there={DN(f"OU=O'Neil,{BASE}"): False}), FAIL, "OU=O'Neil"),
    (domain_checks.OUS, D(POLICY, there=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.ATTRIBUTES, D(POLICY), PASS, "9 attributes"),
    (domain_checks.ATTRIBUTES, D(POLICY, attributes={}), FAIL, "mail: the schema has no such attribute"),
    (domain_checks.ATTRIBUTES, D(POLICY, attributes=NARROW), FAIL, "displayName: at most 20 characters"),
    (domain_checks.ATTRIBUTES, D(POLICY, attributes=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.ANCHOR, D(POLICY), PASS, "searchFlags is 1"),
    (domain_checks.ANCHOR, D(POLICY, attributes=LOOSE), FAIL, "searchFlags is 16"),
    (domain_checks.ANCHOR, D(POLICY, attributes={}), FAIL, "no such attribute"),
    (domain_checks.ANCHOR, D(POLICY, attributes=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.RECYCLE_BIN, D(POLICY), PASS, "on"),
    (domain_checks.RECYCLE_BIN, D(POLICY, recycle_bin=False), FAIL, "off"),
    (domain_checks.RECYCLE_BIN, D(POLICY, recycle_bin=False, samba=True), PASS, "off"),
    (domain_checks.RECYCLE_BIN, D(POLICY, samba=True), FAIL, "Samba brings no account back"),
    (domain_checks.RECYCLE_BIN, D(POLICY, recycle_bin=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.LIFETIME, D(POLICY, tombstones=60, recycle_bin=False), PASS, "60 days (tombstoneLifetime)"),
    (domain_checks.LIFETIME, D(POLICY, deleted=3), FAIL, "3 days (msDS-DeletedObjectLifetime)"),
    (domain_checks.LIFETIME, D(POLICY, recycle_bin=HIDDEN, deleted=3), UNKNOWN, "hidden"),
    (domain_checks.LIFETIME, D(POLICY, tombstones=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.PASSWORDS, D(POLICY), PASS, "7 characters"),
    (domain_checks.PASSWORDS, D(POLICY, passwords=PasswordRules(BASE, 100, complex=True)), FAIL, "100 characters"),
    (domain_checks.PASSWORDS, D(POLICY, passwords=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.SETTINGS_OBJECTS, D(POLICY), PASS, "1 are visible"),
    (
        domain_checks.SETTINGS_OBJECTS,
        D(POLICY, finer=(PasswordRules("CN=x", 99, complex=True),)),
        FAIL,
        "CN=x asks for 99",
    ),
    (domain_checks.SETTINGS_OBJECTS, D(POLICY, finer=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.SUFFIXES, D(POLICY), PASS, "@contoso.onmicrosoft.com is registered nowhere"),
    (
        domain_checks.SUFFIXES,
        D(POLICY, partners=frozenset({"onmicrosoft.com"})),
        FAIL,
        "belongs to a forest that is trusted",
    ),
    (domain_checks.SUFFIXES, D(POLICY, suffixes=HIDDEN), UNKNOWN, "hidden"),
    (domain_checks.MACHINES, D(POLICY), PASS, "0"),
    (domain_checks.MACHINES, D(POLICY, machines=10), FAIL, "10 computers"),
    (domain_checks.MACHINES, D(POLICY, machines=HIDDEN), UNKNOWN, "hidden"),
]
AROUND = facts.sign_in().around
assert isinstance(AROUND, Surroundings)
LATE = {"expires": NOW - days(1)}


def around(**more: object) -> signin.SignInSeen:
    assert isinstance(AROUND, Surroundings)
    return S(around=replace(AROUND, **more))  # type: ignore[arg-type]


SIGN_IN = [
    (signin.KDC, S(), PASS, ""),
    (signin.KDC, S(kdcs=[("ldaps://dc1", Unknown("port 88: refused"))]), FAIL, "port 88: refused"),
    (signin.ACCOUNTS, S(), PASS, "1 accounts"),
    (signin.ACCOUNTS, S(people=(facts.person(uac=0x40202),)), FAIL, "disabled: "),
    (signin.ACCOUNTS, S(people=(facts.person(**LATE),)), FAIL, "expired: "),
    (signin.ACCOUNTS, S(people=(facts.person(locked=True),)), FAIL, "locked: "),
    (signin.ACCOUNTS, S(people=(facts.person(uac=0x40200 | NOT_DELEGATED),)), FAIL, "not-delegated: "),
    (signin.ACCOUNTS, S(people=(facts.person(protected_users=True),)), FAIL, "protected-users: "),
    (signin.ACCOUNTS, S(people=(facts.person(upn="other@contoso.test"),)), FAIL, "upn-differs: "),
    (signin.ACCOUNTS, S(people=(facts.person(deleted=True),)), FAIL, "deleted: "),
    (signin.ACCOUNTS, S(people=HIDDEN), UNKNOWN, "hidden"),
    (signin.ACCOUNTS, S(people=(facts.person(), facts.person(uac=None))), UNKNOWN, "1 accounts do not show"),
    (signin.CONNECTOR, S(), PASS, ""),
    (signin.CONNECTOR, around(connector=facts.connector(uac=0x1000)), FAIL, "protocol transition"),
    (signin.CONNECTOR, around(connector=facts.connector(allowed_to=())), FAIL, "msDS-AllowedToDelegateTo"),
    (signin.CONNECTOR, around(connector=facts.connector(uac=0x1101000)), FAIL, "not forwardable"),
    (signin.CONNECTOR, around(connector=None), FAIL, "no account connector$"),
    (signin.CONNECTOR, around(connector=facts.connector(uac=None)), UNKNOWN, "does not show its flags"),
    (signin.CONNECTOR, S(around=None), UNKNOWN, "--service"),
    (signin.SERVICE, S(), PASS, ""),
    (signin.SERVICE, around(services=()), FAIL, "No account of the forest"),
    (signin.SERVICE, around(services=(facts.party(uac=None, spns=("x/y",)),)), UNKNOWN, "does not show its flags"),
    (signin.SERVICE, S(around=HIDDEN), UNKNOWN, "hidden"),
]
FORGES = [
    (forge.REACH, F(), PASS, ""),
    (forge.REACH, Unknown("404"), FAIL, "404"),
    (forge.REACH, None, UNKNOWN, "plain git remote"),
    (forge.PRIVATE, F(), PASS, ""),
    (forge.PRIVATE, F(visibility="public"), FAIL, "public"),
    (forge.PRIVATE, F(visibility="internal"), FAIL, "internal"),
    (forge.PRIVATE, None, UNKNOWN, "plain git remote"),
    (forge.BYPASS, F(), PASS, ""),
    (forge.BYPASS, F(bypass=("Integration 7 (always)",)), FAIL, "Integration 7"),
    (forge.BYPASS, F(bypass=None), UNKNOWN, "may not see"),
    (forge.BYPASS, F(pull_request=False, checks=frozenset(), rewritable=True), UNKNOWN, "No rule"),
    *(
        row
        for check, fault, words in (
            (forge.PULL_REQUEST, {"pull_request": False}, "pushes"),
            (forge.APPROVAL, {"approvals": 0}, "0 approvals"),
            (forge.LAST_PUSH, {"last_push": False}, "most recent push"),
            (forge.OWNERS, {"owners": False}, "Code owners"),
            (forge.CHECKS_, {"checks": frozenset()}, "reconcile/plan"),
            (forge.HISTORY, {"rewritable": True}, "deletion"),
        )
        for row in (
            (check, F(), PASS, ""),
            (check, F(**fault), FAIL, words),
            (check, F(**fault, readable=False), UNKNOWN, "older branch protection"),
            (check, Unknown("404"), UNKNOWN, "not reached"),
        )
    ),
]
HOLD = "hold:\n  - {guest: 7c9e6679-7425-40de-944b-e07fc1f90ae7, reason: x, until: 2026-01-01}\n"
DELETES = ("disable: true, move:", "disable: false, move:")
POLICIES = [
    *((check, DEFAULT, PASS, "") for check in lints.CHECKS),
    (lints.PLACEMENT, edited(('  - {ou: "OU=Guests,DC=contoso,DC=test"}\n', "")), FAIL, "the last one has a `when`"),
    (lints.MISSING, edited(("has(guest.mail) && ", "")), FAIL, "guest does not have"),
    (lints.GUARDS, edited(("disable: {max: 50, percent: 5}", "disable: {percent: 90}")), FAIL, "90 %"),
    (lints.GUARDS, edited(("delete: {max: 10, percent: 1}", "delete: {max: 5000}")), FAIL, "up to 5,000"),
    (lints.DELETE_AFTER, edited(("delete_after: 30d", "delete_after: 7d")), FAIL, "7 days"),
    (lints.LEFT, edited(DELETES), FAIL, "disable is false"),
    (lints.BLOCKED, edited(("blocked: {disable: true}", "blocked: {disable: false}")), FAIL, "disable is false"),
    (lints.SMARTCARD, edited(("[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]", "[NORMAL_ACCOUNT]")), FAIL, "0x200"),
    (lints.DELEGABLE, edited(("SMARTCARD_REQUIRED]", "SMARTCARD_REQUIRED, NOT_DELEGATED]")), FAIL, "0x140200"),
    (lints.CONNECT, DEFAULT.replace('"User_" + guest.id', '"B2B_" + guest.id'), FAIL, "does not begin"),
    (
        lints.EXPIRED,
        DEFAULT + "hold:\n  - {guest: 7c9e6679-7425-40de-944b-e07fc1f90ae7, reason: x, until: 2026-01-01}\n",
        FAIL,
        "2026-01-01",
    ),
]


def check_verdict(finding: Finding, verdict: Verdict, words: str) -> None:
    assert finding.verdict is verdict, finding
    assert words in " ".join(finding.seen)
    assert verdict is PASS or finding.steps, "what to do"


@pytest.mark.parametrize(("check", "seen", "verdict", "words"), ENTRA)
def test_entra(check: Check, seen: entra.Entra, verdict: Verdict, words: str) -> None:
    check_verdict(of(entra.judge(seen, NOW), check), verdict, words)


@pytest.mark.parametrize(("check", "seen", "verdict", "words"), CONTROLLERS)
def test_controllers(check: Check, seen: controllers.Controller, verdict: Verdict, words: str) -> None:
    check_verdict(of(controllers.judge([seen], BASE, NOW), check), verdict, words)


@pytest.mark.parametrize(("check", "seen", "verdict", "words"), DOMAIN)
def test_domain(check: Check, seen: domain.DomainSeen, verdict: Verdict, words: str) -> None:
    check_verdict(of(domain.judge(seen, POLICY, frozenset({UPN})), check), verdict, words)


@pytest.mark.parametrize(("check", "seen", "verdict", "words"), SIGN_IN)
def test_sign_in(check: Check, seen: signin.SignInSeen, verdict: Verdict, words: str) -> None:
    check_verdict(of(signin.judge(seen, NOW), check), verdict, words)


@pytest.mark.parametrize(("check", "seen", "verdict", "words"), FORGES)
def test_forge(check: Check, seen: Protection | Unknown | None, verdict: Verdict, words: str) -> None:
    check_verdict(of(forge.judge(FORGE, seen), check), verdict, words)


@pytest.mark.parametrize(("check", "text", "verdict", "words"), POLICIES)
def test_policy(check: Check, text: str, verdict: Verdict, words: str) -> None:
    check_verdict(of(lints.judge(load(text), date(2026, 6, 1)), check), verdict, words)


def test_a_mark_that_cannot_be_evaluated_is_not_guessed() -> None:
    mark = "adminDescription: '\"User_\" + guest.id'"
    text = edited((mark, "adminDescription: guest.mail.lowerAscii()")).replace(
        "{account: adminDescription,", "{account: employeeType,"
    )
    text = text.replace("employeeType: guest.userType", "employeeType: '\"User_\" + guest.id'")
    assert of(lints.judge(load(text), date(2026, 6, 1)), lints.CONNECT).verdict is UNKNOWN


def test_a_controller_that_is_down_beside_one_that_is_up_does_not_block() -> None:
    down = C(url="ldaps://dc2.contoso.test", reached=Unknown("refused"), signed_in=None)
    found = [f for f in controllers.judge([down, C()], BASE, NOW) if f.verdict is FAIL]
    assert [(f.check, f.subject, f.blocks) for f in found] == [(controllers.REACH, "ldaps://dc2.contoso.test", False)]


def test_every_check_has_a_case_with_each_verdict() -> None:
    """The rights' cases are in test_rights.py; what does not load can be told of nothing."""
    tables: tuple[Sequence[tuple[Check, object, Verdict, str]], ...] = (
        *(ENTRA, CONTROLLERS, DOMAIN),
        *(SIGN_IN, FORGES, POLICIES),
    )
    judged = {(check.id, verdict) for table in tables for check, _, verdict, _ in table}
    apart = {c.id for c in ALL if not c.id.startswith("rights.")}
    assert {i for i, verdict in judged if verdict is PASS} == apart
    assert {i for i, verdict in judged if verdict is FAIL} == apart - {"policy.loads"}
    report = complete(NOW, "reader", [], [(check, "The settings do not load.") for check in ALL], {})
    assert [(f.check, f.verdict) for f in report.findings] == [(check, UNKNOWN) for check in ALL]
