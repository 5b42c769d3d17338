"""Given what the directory says and what the KDC answers, when both are put together, then the cause has one name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.verify import kdc
from reconciler.verify.causes import Cause
from reconciler.verify.diagnose import connector_obstacles, granted, refused
from reconciler.verify.facts import Surroundings
from reconciler.verify.kdc import Refusal, Step

from .parties import CONNECTOR, GUEST, NOW, OTHER, SERVICE, SPN, UPN, around, person

_SENSITIVE = {"uac": 262656 | 0x100000}


@pytest.mark.parametrize(
    ("step", "code", "guest", "surroundings", "cause"),
    [
        (Step.GUEST, kdc.POLICY, {"account": {"uac": 262658}}, {}, Cause.DISABLED),
        (Step.GUEST, kdc.REVOKED, {"account": {"uac": 262658}}, {}, Cause.DISABLED),
        (Step.GUEST, kdc.CLIENT_EXPIRED, {"account": {"expires": NOW}}, {}, Cause.EXPIRED),
        (Step.GUEST, kdc.REVOKED, {"account": {"locked": True}}, {}, Cause.LOCKED),
        (Step.GUEST, kdc.CLIENT_UNKNOWN, {"account": {"upn": "x@y"}, "holders": ()}, {}, Cause.UPN_DIFFERS),
        (Step.GUEST, kdc.CLIENT_UNKNOWN, {"account": {"deleted": True}, "holders": ()}, {}, Cause.DELETED),
        (Step.GUEST, kdc.CLIENT_UNKNOWN, {"party": None, "holders": ()}, {}, Cause.DELETED),
        (Step.GUEST, kdc.CLIENT_UNKNOWN, {"party": None, "joined": None, "holders": ()}, {}, Cause.NO_ACCOUNT),
        (Step.GUEST, kdc.NOT_UNIQUE, {"holders": (GUEST, OTHER)}, {}, Cause.DUPLICATE_UPN),
        (Step.GUEST, kdc.CLIENT_UNKNOWN, {"by_upn": False, "name": "alice_fab"}, {}, Cause.IDENTITY_DIFFERS),
        (Step.GUEST, kdc.SERVER_UNKNOWN, {}, {"connector": replace(CONNECTOR, spns=())}, Cause.CONNECTOR_WITHOUT_SPN),
        (Step.SERVICE, kdc.BAD_OPTION, {"account": _SENSITIVE}, {}, Cause.NOT_DELEGATED),
        (Step.SERVICE, kdc.BAD_OPTION, {"account": {"protected_users": True}}, {}, Cause.PROTECTED_USERS),
        (Step.SERVICE, kdc.BAD_OPTION, {}, {"connector": replace(CONNECTOR, allowed_to=())}, Cause.NOT_ALLOWED),
        (
            Step.SERVICE,
            kdc.BAD_OPTION,
            {},
            {
                "connector": replace(CONNECTOR, allowed_to=()),
                "services": (replace(SERVICE, trusted_by=(CONNECTOR.sid,)),),
            },
            Cause.RESOURCE_BASED,
        ),
        (Step.SERVICE, kdc.BAD_OPTION, {}, {"connector": replace(CONNECTOR, uac=0x1000)}, Cause.NO_PROTOCOL_TRANSITION),
        (Step.SERVICE, kdc.BAD_OPTION, {}, {"forwardable": False}, Cause.NOT_FORWARDABLE),
        (Step.SERVICE, kdc.BAD_OPTION, {}, {}, Cause.DELEGATION_REFUSED),
        (Step.SERVICE, kdc.SERVER_UNKNOWN, {}, {"services": ()}, Cause.WRONG_SPN),
        (Step.SERVICE, kdc.SERVER_UNKNOWN, {}, {"services": (SERVICE, OTHER)}, Cause.DUPLICATE_SPN),
        (Step.SERVICE, kdc.SERVICE_REVOKED, {}, {"services": (replace(SERVICE, uac=514),)}, Cause.SERVICE_DISABLED),
        (Step.CONNECTOR, kdc.SKEW, {}, {"skew": timedelta(minutes=20)}, Cause.CLOCK_SKEW),
        (Step.CONNECTOR, kdc.PREAUTH_FAILED, {}, {"skew": timedelta(minutes=20)}, Cause.CLOCK_SKEW),
        (Step.CONNECTOR, kdc.PREAUTH_FAILED, {}, {}, Cause.WRONG_KEYTAB),
        (Step.CONNECTOR, kdc.REVOKED, {}, {"connector": replace(CONNECTOR, uac=0x1002)}, Cause.CONNECTOR_REVOKED),
        (Step.CONNECTOR, kdc.CLIENT_UNKNOWN, {}, {}, Cause.CONNECTOR_UNKNOWN),
        (Step.CONNECTOR, kdc.UNREACHABLE, {}, {}, Cause.KDC_DOWN),
        (Step.SERVICE, kdc.ENCRYPTION, {}, {}, Cause.ENCRYPTION),
    ],
)
def test_directory_and_kdc_together_name_the_cause(
    step: Step, code: int, guest: dict[str, Any], surroundings: dict[str, Any], cause: Cause
) -> None:
    first, *_ = refused(Refusal(step, code, "words"), around(**surroundings), person(**guest), NOW)
    assert (first.cause, first.sure) == (cause, cause is not Cause.DELEGATION_REFUSED)
    assert first.what
    assert first.remedy


@pytest.mark.parametrize("code", [kdc.BAD_OPTION, kdc.REVOKED, kdc.CLIENT_UNKNOWN])
def test_what_the_directory_would_tell_is_said_to_be_unknown_without_it(code: int) -> None:
    step = Step.SERVICE if code == kdc.BAD_OPTION else Step.GUEST
    unknown = person(party=None, holders=None)
    (found,) = refused(Refusal(step, code, "words"), Surroundings(SPN), unknown, NOW)
    assert not found.sure
    assert "RECONCILE_LDAP_USER" in found.remedy


def test_an_obstacle_that_does_not_explain_the_answer_is_not_called_the_cause() -> None:
    broken = person(account={"expires": NOW - timedelta(days=1)})
    (found,) = refused(Refusal(Step.SERVICE, kdc.SERVER_UNKNOWN, "words"), around(services=()), broken, NOW)
    assert found.cause is Cause.WRONG_SPN


def test_whoever_is_let_in_as_another_account_is_not_let_in() -> None:
    failing, _ = granted(person(account={"upn": "old@x"}, holders=(OTHER,)), NOW)
    assert [f.cause for f in failing] == [Cause.ANOTHER_ACCOUNT]
    assert OTHER.dn in failing[0].what


def test_protected_users_count_although_samba_grants_the_ticket() -> None:
    failing, _ = granted(person(account={"protected_users": True}), NOW)
    assert [f.cause for f in failing] == [Cause.PROTECTED_USERS]


def test_what_another_controller_would_refuse_is_a_warning() -> None:
    failing, also = granted(person(account={"uac": 262658}), NOW)
    assert (failing, [f.cause for f in also]) == ((), [Cause.DISABLED])


def test_everything_in_order_finds_nothing() -> None:
    assert granted(person(), NOW) == ((), ())
    assert list(connector_obstacles(around(forwardable=True, skew=timedelta(minutes=-5)), NOW)) == []


def test_an_account_known_from_the_last_import_says_so() -> None:
    known = person(account={"uac": 262658, "imported": "2026-03-01T06:00:00Z"})
    (found,) = refused(Refusal(Step.GUEST, kdc.REVOKED, "words"), around(), known, NOW)
    assert "as imported at 2026-03-01T06:00:00Z" in found.what


def test_the_remedy_of_a_hostile_name_stays_one_argument() -> None:
    hostile = person(account={"sam": "x'; rm -rf / #", "uac": 262658})
    (found,) = refused(Refusal(Step.GUEST, kdc.REVOKED, "words"), around(), hostile, NOW)
    assert found.samba == ("""samba-tool user enable 'x'"'"'; rm -rf / #'""",)
    assert found.powershell == (f"Enable-ADAccount -Identity '{GUEST.sid}'",)
    wanted = person(account={"upn": "old@x"}, name="o’; Remove-ADUser x ’@y", holders=())
    (differs,) = refused(Refusal(Step.GUEST, kdc.CLIENT_UNKNOWN, "words"), around(), wanted, NOW)
    assert differs.powershell[0].endswith("-UserPrincipalName 'o’’; Remove-ADUser x ’’@y'")
    assert UPN not in differs.samba[0]
