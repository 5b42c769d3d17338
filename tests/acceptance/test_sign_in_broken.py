"""A sign-in broken on purpose, in each way there is: the cause is named, and the command that is told mends it."""

from __future__ import annotations

import secrets
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.demo.samba import Controller
from reconciler.demo.samba.administrator import Administrator
from reconciler.demo.samba.process import Address
from reconciler.errors import DirectoryUnavailableError
from reconciler.model.dn import DN
from tests.support.apache import SEEN
from tests.support.operations import Operations, installation
from tests.support.samba import fresh_ou
from tests.support.single_sign_on import NORMAL, PROTOCOL_TRANSITION, SingleSignOn, single_sign_on

from .expected import held

pytestmark = [pytest.mark.samba, pytest.mark.xdist_group("sign-in-broken")]

Json = dict[str, Any]
_SMARTCARD = 262656


class World:
    """One installation with a dozen guests; each test takes one that no other has."""

    def __init__(self, sso: SingleSignOn, ops: Operations, ou: DN) -> None:
        self.sso, self.ops = sso, ops
        self._held = held(sso.samba, ou.text)
        self._free = iter(ops.tenant.guests())

    def take(self) -> str:
        return next(self._free).id

    def dn(self, guest: str) -> str:
        return self._held[guest]["distinguishedName"]

    def failing(self, guest: str, *arguments: str, **env: str) -> Json:
        """The report of a sign-in that must fail."""
        said: Json = self.sso.verify(self.ops, guest, *arguments, "--json", expect=1, **env).json
        assert not said["passed"]
        return said

    def cause(self, guest: str, *arguments: str, **env: str) -> Json:
        """The one cause of a sign-in that must fail, for certain."""
        said = self.failing(guest, *arguments, **env)
        (finding,) = said["failed"] or said["guests"][0]["causes"]
        assert finding["sure"], finding
        assert finding["powershell"], finding
        return dict(finding)

    def mended(self, guest: str, finding: Json, *arguments: str) -> None:
        """Do what the finding says for samba-tool; the guest is let in."""
        for command in finding["samba_tool"]:
            program, *words = shlex.split(command)
            assert program == "samba-tool"
            self.sso.samba.samba_tool(*words)
        self.sso.verify(self.ops, guest, *arguments)

    def connector(self, *, transition: bool = True, allowed: bool = True) -> tuple[str, Path]:
        """Make another connector; return its name and keytab."""
        name = f"k-{secrets.token_hex(4)}"
        keytab = self.sso.account(name, f"reconcile/{name}")
        with self.sso.samba.administrator() as administrator:
            flags = NORMAL | (PROTOCOL_TRANSITION if transition else 0)
            administrator.replace(self.sso.dn(name), "userAccountControl", [str(flags)])
            administrator.replace(self.sso.dn(name), "msDS-AllowedToDelegateTo", [self.sso.spn] if allowed else [])
        return name, keytab


@pytest.fixture(scope="module")
def world(samba: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ou = fresh_ou(samba)
    with single_sign_on(samba) as sso, installation(tmp_path_factory.mktemp("broken"), samba, ou, 32) as ops:
        ops.loop()
        ops.reconcile("snapshot")
        yield World(sso, ops, ou)


@pytest.fixture
def admin(world: World) -> Iterator[Administrator]:
    with world.sso.samba.administrator() as administrator:
        yield administrator


def _disable(world: World, admin: Administrator, dn: str) -> None:
    admin.replace(dn, "userAccountControl", [str(_SMARTCARD | 0x2)])


def _expire(world: World, admin: Administrator, dn: str) -> None:
    admin.replace(dn, "accountExpires", ["133500000000000000"])


def _lock(world: World, admin: Administrator, dn: str) -> None:
    world.sso.samba.samba_tool("domain", "passwordsettings", "set", "--account-lockout-threshold=1")
    try:
        for _ in range(2):
            with pytest.raises(DirectoryUnavailableError, match="refused"):
                Administrator(world.sso.samba.address, world.sso.samba.ca_file, dn, "wrong")
    finally:
        world.sso.samba.samba_tool("domain", "passwordsettings", "set", "--account-lockout-threshold=0")


def _mark_sensitive(world: World, admin: Administrator, dn: str) -> None:
    admin.replace(dn, "userAccountControl", [str(_SMARTCARD | 0x100000)])


def _protect(world: World, admin: Administrator, dn: str) -> None:
    admin.extend(f"CN=Protected Users,CN=Users,{world.sso.samba.base}", "member", [dn])


def _rename_upn(world: World, admin: Administrator, dn: str) -> None:
    admin.replace(dn, "userPrincipalName", [f"{secrets.token_hex(8)}@contoso.onmicrosoft.com"])


@pytest.mark.parametrize(
    ("spoil", "cause", "words"),
    [
        (_disable, "disabled", "is disabled"),
        (_expire, "expired", "expired on 2024-01-17"),
        (_lock, "locked", "is locked out"),
        (_mark_sensitive, "not-delegated", "NOT_DELEGATED"),
        (_protect, "protected-users", "Samba does not enforce that"),
    ],
)
def test_what_is_wrong_with_the_account_is_named_and_the_command_mends_it(
    world: World, admin: Administrator, spoil: Callable[[World, Administrator, str], None], cause: str, words: str
) -> None:
    guest = world.take()
    spoil(world, admin, world.dn(guest))
    finding = world.cause(guest)
    assert (finding["cause"], words in finding["what"]) == (cause, True), finding
    world.mended(guest, finding)


def test_a_deleted_account(world: World, admin: Administrator) -> None:
    guest = world.take()
    admin.delete(world.dn(guest))
    finding = world.cause(guest)
    assert (finding["cause"], "was deleted" in finding["what"]) == ("deleted", True)
    unlisted = world.sso.samba.reader(f"u-{secrets.token_hex(4)}")
    hidden = world.cause(guest, RECONCILE_LDAP_USER=unlisted.user, RECONCILE_LDAP_PASSWORD=unlisted.password)
    assert (hidden["cause"], "or this account may not see it" in hidden["what"]) == ("deleted", True)


def test_a_wrong_service_principal_name(world: World) -> None:
    finding = world.cause(world.take(), "--service", "HTTP/nowhere.contoso.test")
    assert (finding["cause"], "HTTP/nowhere.contoso.test" in finding["what"]) == ("wrong-spn", True)


def test_a_connector_without_protocol_transition(world: World) -> None:
    guest, (name, keytab) = world.take(), world.connector(transition=False)
    finding = world.cause(guest, "--keytab", str(keytab))
    assert (finding["cause"], name in finding["what"]) == ("no-protocol-transition", True)
    world.mended(guest, finding, "--keytab", str(keytab))


def test_a_connector_that_may_not_delegate_to_the_service(world: World) -> None:
    guest, (_, keytab) = world.take(), world.connector(allowed=False)
    finding = world.cause(guest, "--keytab", str(keytab))
    assert (finding["cause"], world.sso.spn in finding["what"]) == ("not-allowed-to-delegate", True)
    world.mended(guest, finding, "--keytab", str(keytab))


def test_resource_based_delegation_instead(world: World) -> None:
    guest, (name, keytab) = world.take(), world.connector(allowed=False)
    world.sso.samba.samba_tool("delegation", "add-principal", world.sso.application, name)
    try:
        # Samba 4.17 refuses it; later ones, as Windows does, grant it. The finding is the same.
        said = world.sso.verify(world.ops, guest, "--keytab", str(keytab), "--json", expect=None).json
        (finding,) = said["guests"][0]["causes"] or said["everywhere"]
        assert (finding["cause"], finding["sure"]) == ("resource-based-delegation", True)
        world.mended(guest, finding, "--keytab", str(keytab))
    finally:
        world.sso.samba.samba_tool("delegation", "del-principal", world.sso.application, name)


def test_a_ticket_that_is_not_forwardable(world: World, tmp_path: Path) -> None:
    guest, cache = world.take(), tmp_path / "cache"
    env = {"KRB5_CONFIG": str(world.sso.samba.krb5_conf), "KRB5CCNAME": f"FILE:{cache}", "PATH": "/usr/bin:/bin"}
    subprocess.run(["kinit", "-F", "-k", "-t", str(world.sso.keytab), world.sso.connector], env=env, check=True)
    finding = world.failing(guest, "--cache", str(cache))["guests"][0]["causes"]
    assert [f["cause"] for f in finding] == ["ticket-not-forwardable"]


@pytest.mark.parametrize(("offset", "direction"), [("+20m", "ahead of"), ("-20m", "behind")])
def test_a_clock_that_is_off(world: World, offset: str, direction: str) -> None:
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    fake = {"LD_PRELOAD": str(library), "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1"}
    finding = world.cause(world.take(), **fake)
    assert finding["cause"] == "clock-skew"
    seconds = int(finding["what"].partition(" seconds")[0].rpartition(" ")[2].replace(",", ""))
    assert abs(seconds - 1200) < 60
    assert direction in finding["what"]


def test_the_wrong_keytab(world: World, admin: Administrator) -> None:
    name, keytab = world.connector()
    admin.password(world.sso.dn(name), f"Bb2-{secrets.token_urlsafe(24)}")
    finding = world.cause(world.take(), "--keytab", str(keytab))
    assert (finding["cause"], "present key" in finding["what"]) == ("wrong-keytab", True)
    other = world.cause(world.take(), "--connector", name)  # a keytab of somebody else
    assert (other["cause"], "no key or ticket of that principal" in other["what"]) == ("wrong-keytab", True)


def test_no_kdc_answers(world: World, tmp_path: Path) -> None:
    nobody = Address()
    settings = world.ops.directory / "reconcile.yaml"
    whole = settings.read_text()
    conf = tmp_path / "krb5.conf"
    conf.write_text(world.sso.samba.krb5_conf.read_text().replace(world.sso.samba.address, nobody.text))
    settings.write_text(whole.replace(world.sso.samba.url, f"ldaps://{nobody.text}"))
    try:
        said = world.failing(world.take(), KRB5_CONFIG=str(conf))
    finally:
        settings.write_text(whole)
        nobody.release()
    (finding,) = said["failed"]
    assert (finding["cause"], finding["sure"]) == ("kdc-down", True)
    assert "cannot be reached" in said["directory"]["unread"]


def test_a_disabled_connector(world: World, admin: Administrator) -> None:
    guest, (name, keytab) = world.take(), world.connector()
    admin.replace(world.sso.dn(name), "userAccountControl", [str(NORMAL | PROTOCOL_TRANSITION | 0x2)])
    finding = world.cause(guest, "--keytab", str(keytab), "--connector", name)
    assert (finding["cause"], name in finding["what"]) == ("connector-revoked", True)
    world.mended(guest, finding, "--keytab", str(keytab))


def test_a_connector_that_is_no_service(world: World, admin: Administrator) -> None:
    guest, (name, keytab) = world.take(), world.connector()
    admin.replace(world.sso.dn(name), "servicePrincipalName", [])
    finding = world.cause(guest, "--keytab", str(keytab))
    assert (finding["cause"], name in finding["what"]) == ("connector-without-spn", True)
    world.mended(guest, finding, "--keytab", str(keytab))


def test_a_name_that_belongs_to_another_account_is_no_success(world: World, admin: Administrator) -> None:
    guest = world.take()
    (upn,) = admin.read(world.dn(guest), "userPrincipalName")["userPrincipalName"]
    _rename_upn(world, admin, world.dn(guest))
    thief = f"t-{secrets.token_hex(4)}"
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    admin.user(world.sso.dn(thief), {"sAMAccountName": thief, "userPrincipalName": upn.decode()}, password)
    said = world.failing(guest)
    (attempt,) = said["guests"]
    assert attempt["seen_as"] is not None  # the KDC does grant the tickets
    assert [f["cause"] for f in attempt["causes"]] == ["another-account"]
    assert thief in attempt["causes"][0]["what"]


def test_without_the_directory_only_what_the_kdc_says_is_said(world: World, admin: Administrator) -> None:
    guest = world.take()
    _mark_sensitive(world, admin, world.dn(guest))
    said = world.failing(guest, RECONCILE_LDAP_USER="")
    assert said["directory"] == {"controller": None, "unread": "RECONCILE_LDAP_USER is not set"}
    (finding,) = said["guests"][0]["causes"]
    assert (finding["cause"], finding["sure"]) == ("delegation-refused", False)
    assert "Cannot tell which" in finding["what"]


@pytest.mark.parametrize(
    ("page", "cause", "words"),
    [
        ("forbidden", "page-forbids", "403"),
        ("nowhere", "page-failed", "404"),
        ("liar", "another-name", "it saw CONTOSO\\mallory"),
    ],
)
def test_a_page_that_does_not_let_the_guest_in(world: World, page: str, cause: str, words: str) -> None:
    said = world.failing(world.take(), "--http", f"{world.sso.site.https}{page}", "--http-user", SEEN)
    (finding,) = said["guests"][0]["causes"]
    assert finding["cause"] == cause
    assert words in finding["what"]


@pytest.mark.parametrize(
    ("page", "asked", "words"),
    [("open", (), "200 without a ticket, too"), ("", ("--http-user", "X-Nobody"), "without the header X-Nobody")],
)
def test_a_page_that_may_not_have_read_the_ticket_lets_nobody_in(
    world: World, page: str, asked: tuple[str, ...], words: str
) -> None:
    said = world.failing(world.take(), "--http", f"{world.sso.site.https}{page}", *asked)
    (finding,) = said["guests"][0]["causes"]
    assert (finding["cause"], words in finding["what"]) == ("page-unproven", True)


def test_a_page_that_cannot_be_trusted_is_not_asked(world: World, samba: Controller) -> None:
    said = world.failing(world.take(), "--http", world.sso.site.https, REQUESTS_CA_BUNDLE=str(samba.ca_file))
    (finding,) = said["guests"][0]["causes"]
    assert (finding["cause"], "certificate" in finding["what"]) == ("page-unreachable", True)


def test_an_application_with_the_wrong_key_is_told_from_a_connector_without_rights(world: World) -> None:
    guest = world.take()
    application = world.sso.dn(world.sso.application)
    with world.sso.samba.administrator() as administrator:
        administrator.password(application, f"Cc3-{secrets.token_urlsafe(24)}")
    said = world.failing(guest, "--http", world.sso.site.http)
    (finding,) = said["guests"][0]["causes"]
    assert (finding["cause"], "Key version is not available" in finding["what"]) == ("page-refused-ticket", True)
    assert said["guests"][0]["seen_as"] is not None
