"""docs/how-to/least-privilege.md, proven: its commands for Samba, run as they stand, grant what is needed and no more."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.demo.samba import Controller, Login, template
from reconciler.demo.samba.rights import DEFAULT_POLICY, NAMES, writer_rights, written
from reconciler.directory.connect import open_reader, open_writer
from reconciler.directory.ldap.session import DELETE, REPLACE
from reconciler.directory.ldap.writer import LdapWriter
from reconciler.directory.port import Entry, Modification
from reconciler.errors import AccessDeniedError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from tests.acceptance.expected import accounts, held, sids, wanted
from tests.support.operations import Operations, git, installation
from tests.support.samba import samba_env, samba_settings

from .pages import fences
from .transcript import steps

pytestmark = [pytest.mark.samba, pytest.mark.xdist_group("least-privilege")]
PAGE = "docs/how-to/least-privilege.md"
PASSWORD = "Aa1-long-enough-for-anybody"
SMARTCARD = 262656
GUARDS = "guards:\n" + "".join(
    f"  {a}: {{max: 100}}\n" for a in ("create", "update", "move", "rename", "disable", "delete")
)
EVERYTHING_TO_EVERYBODY = bytes.fromhex(
    "01000480" + "00000000" * 3 + "14000000"  # [MS-DTYP] 2.4.6: self-relative, with a DACL alone
    "02001c0001000000" + "0000140000000010" + "01010000000000050b000000"  # one entry: GA for authenticated users
)
NO_DIRECTORY = {"RECONCILE_LDAP_USER": "", "RECONCILE_LDAP_PASSWORD": ""}


@dataclass(frozen=True)
class Granted:
    """A domain in which the page was followed to the letter, and nothing else was done."""

    controller: Controller
    ou: DN
    reader: Login
    writer: Login

    def connect(self, login: Login) -> LdapWriter:
        """Return a connection that lets everything through to the controller, whoever signs in."""
        writer = open_writer(samba_settings(self.controller), samba_env(login), None)
        assert isinstance(writer, LdapWriter)
        return writer


@pytest.fixture(scope="module")
def granted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granted]:
    with Controller() as controller:
        follow(controller, tmp_path_factory.mktemp("tools"))
        ou = DN(f"OU=Guests,{controller.base}")
        names = [f"reconcile-{role}@contoso.test" for role in ("reader", "writer")]
        yield Granted(controller, ou, *(Login(name, PASSWORD) for name in names))


def follow(controller: Controller, tools: Path) -> None:
    """Run the page's commands for Samba in one shell. The tools are told where this domain lies, and type the password."""
    database = shlex.quote(str(controller.root / "private/sam.ldb"))
    conf = shlex.quote(f"--configfile={controller.conf}")
    twice = f"printf '%s\\n%s\\n' '{PASSWORD}' '{PASSWORD}'"
    shims = {
        "samba-tool": f'[ "$2" = setpassword ] && {{ {twice} | /usr/bin/samba-tool "$@" {conf}; exit; }}\n'
        f'exec /usr/bin/samba-tool "$@" {conf} </dev/null\n',
        **{name: f'[ "$1 $2" = "-H /var/lib/samba/private/sam.ldb" ] || exit 9\nshift 2\nexec /usr/bin/{name} -H {database} "$@"\n'
           for name in ("ldbsearch", "ldbmodify")},
    }  # fmt: skip
    for name, text in shims.items():
        (tools / name).write_text(f"#!/bin/bash\n{text}")
        (tools / name).chmod(0o755)
    blocks = [f for f in fences(PAGE) if re.search(r"samba-tool|ldbmodify", f.text)]
    script = "\n".join(step.command for block in blocks for step in steps(block))
    assert len(blocks) == 3
    env = template.environment()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**env, "PATH": f"{tools}:{env['PATH']}"},
        capture_output=True,
        text=True,
        start_new_session=True,  # no terminal, so that passwords are read from standard input
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- sufficient: the whole loop, each command with the account it is for and no other


class Loop:
    """Import as the reader, propose as nobody, apply as the writer."""

    def __init__(self, operations: Operations, granted: Granted) -> None:
        self.operations = operations
        self.reader, self.writer = samba_env(granted.reader), samba_env(granted.writer)

    def __call__(self, expect: int = 0) -> dict[str, int]:
        self.operations.reconcile("snapshot", env=self.reader)
        self.operations.reconcile("propose", env=NO_DIRECTORY)
        self.operations.merge()
        done = self.operations.reconcile("apply", "--yes", "--json", env=self.writer, expect=expect)
        counts: dict[str, int] = done.json["counts"]
        return counts

    def plan(self) -> list[str]:
        """Import and plan; return the actions."""
        self.operations.reconcile("snapshot", env=self.reader)
        changes = self.operations.reconcile("plan", "--json", env=NO_DIRECTORY, expect=None).json["changes"]
        return sorted(c["action"] for c in changes)

    def at(self, when: datetime) -> None:
        """The loop once more, in this process, as if it were `when`."""

        def run(env: Mapping[str, str], *arguments: str) -> None:
            own = {**self.operations.env, **env}
            assert main(["-C", str(self.operations.directory), *arguments], Ports(clock=lambda: when), own) == 0

        run(self.reader, "snapshot")
        run(NO_DIRECTORY, "propose")
        self.operations.merge()
        run(self.writer, "apply", "--yes")


@pytest.fixture(scope="module")
def loop(granted: Granted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """An installation whose environment holds no directory account of its own."""
    with ExitStack() as ends:
        root = tmp_path_factory.mktemp("installation")
        operations = ends.enter_context(installation(root, granted.controller, granted.ou, 7))
        for name in NO_DIRECTORY:
            del operations.env[name]
        policy = operations.directory / "policies/guests.yaml"
        policy.write_text(policy.read_text().partition("\nguards:")[0] + "\n" + GUARDS)
        operations.commit("guards for a small tenant on a busy day")
        yield Loop(operations, granted)


@pytest.fixture
def settled(loop: Loop) -> Loop:
    """The installation, with nothing left to do."""
    if loop.plan():
        loop()
    return loop


def test_accounts_are_made(settled: Loop, granted: Granted) -> None:
    assert accounts(granted.controller, granted.ou.text) == wanted(settled.operations)
    assert settled.plan() == []


def test_a_half_made_account_is_finished(settled: Loop, granted: Granted) -> None:
    person = settled.operations.tenant.invite({"mail": "late@adatum.test", "displayName": "Late", "surname": "Comer"})
    half = {"sAMAccountName": f"half-{person[:8]}", "adminDescription": f"User_{person}"}
    with closing(granted.connect(granted.writer)) as writer:
        writer.add(granted.ou.child("CN", person), half)
    assert settled.plan() == ["create"]
    assert settled() == {"done": 1}
    assert accounts(granted.controller, granted.ou.text) == wanted(settled.operations)


def test_every_value_is_kept_and_two_swap_a_name(settled: Loop, granted: Granted) -> None:
    tenant = settled.operations.tenant
    first, second, third = tenant.guests()[:3]
    names = first.properties["userPrincipalName"], second.properties["userPrincipalName"]
    tenant.update(first.id, userPrincipalName="aside_x.test#EXT#@contoso.onmicrosoft.com")
    tenant.update(second.id, userPrincipalName=names[0])
    tenant.update(first.id, userPrincipalName=names[1])
    tenant.update(third.id, displayName="A", givenName="B", surname="C", mail="d@adatum.test")
    with granted.controller.administrator() as administrator:
        dn = held(granted.controller, granted.ou.text)[third.id]["distinguishedName"]
        administrator.replace(dn, "employeeType", ["Member"])
    assert settled() == {"done": 3}
    assert accounts(granted.controller, granted.ou.text) == wanted(settled.operations)


def test_a_leaver_is_disabled_moved_and_brought_back_and_a_blocked_guest_disabled(
    settled: Loop, granted: Granted
) -> None:
    tenant = settled.operations.tenant
    before = sids(granted.controller, granted.ou.text)
    leaver, blocked = (u.id for u in tenant.guests()[:2])
    tenant.soft_delete(leaver)
    tenant.update(blocked, accountEnabled=False)
    assert settled.plan() == ["disable", "disable", "move"]
    assert settled() == {"done": 3}
    assert f"OU=Departed,{granted.ou}" in held(granted.controller, granted.ou.text)[leaver]["distinguishedName"]
    tenant.restore(leaver)
    tenant.update(blocked, accountEnabled=True)
    assert settled.plan() == ["enable", "enable", "move"]
    assert settled() == {"done": 3}
    assert sids(granted.controller, granted.ou.text) == before


def test_after_thirty_days_a_leaver_is_deleted(settled: Loop, granted: Granted) -> None:
    leaver = settled.operations.tenant.guests()[0].id
    settled.operations.tenant.soft_delete(leaver)
    assert settled() == {"done": 2}
    settled.plan()  # the import that records the day of departure is proposed by the next loop
    settled.at(datetime.now(UTC) + timedelta(days=31))
    assert leaver not in held(granted.controller, granted.ou.text)


def test_the_reader_sees_a_deletion_and_the_writer_does_not_undo_it_and_goes_on(
    settled: Loop, granted: Granted
) -> None:
    tenant = settled.operations.tenant
    victim, other = (u.id for u in tenant.guests()[:2])
    with granted.controller.administrator() as administrator:
        administrator.delete(held(granted.controller, granted.ou.text)[victim]["distinguishedName"])
    with closing(open_reader(samba_settings(granted.controller), samba_env(granted.reader), None)) as reader:
        assert reader.changes([], reader.domain().usn).sees_deleted
    tenant.update(other, displayName="Goes On")
    assert settled.plan() == ["restore", "update"]
    assert settled(expect=5) == {"done": 1, "stale": 1}
    details = [o["detail"] for receipt in settled.operations.receipts() for o in receipt["outcomes"]]
    assert any("may not list deleted objects" in detail for detail in details)
    assert held(granted.controller, granted.ou.text)[other]["displayName"] == "Goes On"
    tenant.soft_delete(victim)


def test_names_may_be_made_otherwise_and_accounts_are_renamed(settled: Loop, granted: Granted) -> None:
    policy = settled.operations.directory / "policies/guests.yaml"
    git(settled.operations.directory, "pull", "-q", "--ff-only", "origin", "main")
    text = policy.read_text().replace("  cn: guest.id\n", "").replace("\nflows:", "\nflows:\n  cn: guest.id + ' B2B'")
    policy.write_text(text.replace("guest.id.substring(0, 20)", "guest.id.substring(2, 22)"))
    settled.operations.commit("other names")
    guests = settled.operations.tenant.guests()
    assert settled() == {"done": 2 * len(guests)}
    now = held(granted.controller, granted.ou.text)
    assert {e["sAMAccountName"] for e in now.values()} == {u.id[2:22] for u in guests}
    assert set(now) == {f"{u.id} B2B" for u in guests}


# --- and no more: outside the OU, and inside for anything else


@pytest.fixture(scope="module")
def outsider(granted: Granted) -> DN:
    """An account outside the managed OU."""
    with granted.controller.administrator() as administrator:
        ou = administrator.ou(f"OU=Staff,{granted.controller.base}")
        return DN(administrator.user(f"CN=outsider,{ou}", {"sAMAccountName": "outsider"}, PASSWORD))


@pytest.fixture
def writer(granted: Granted) -> Iterator[LdapWriter]:
    writer = granted.connect(granted.writer)
    yield writer
    writer.close()


@pytest.fixture
def mine(writer: LdapWriter, granted: Granted) -> Iterator[Entry]:
    """An account that the writer made."""
    made = writer.add(granted.ou.child("CN", f"made-{os.urandom(4).hex()}"), {"sAMAccountName": os.urandom(8).hex()})
    yield made
    writer.delete(made.guid)


Attempt = Callable[[LdapWriter, Entry, DN], object]


def disable(flags: int) -> Attempt:
    return lambda w, e, _: w.modify(e.guid, [Modification("userAccountControl", flags, flags ^ 2)])


OUTSIDE: dict[str, Attempt] = {
    "create": lambda w, _, ou: w.add(ou.child("CN", "new"), {"sAMAccountName": "new-outside"}),
    "rename": lambda w, e, ou: w.move(e.guid, ou.child("CN", "renamed")),
    "delete": lambda w, e, _: w.delete(e.guid),
    "set a password": lambda w, e, _: w.set_password(e.guid, PASSWORD),
    "enable or disable": disable(512),
    **{
        f"write {name}": lambda w, e, _, n=name: w.modify(e.guid, [Modification(n, None, "x@x.test")])  # type: ignore[misc]
        for name in DEFAULT_POLICY
        if name not in ("userAccountControl", "sAMAccountName")
    },
}


@pytest.mark.parametrize("attempt", OUTSIDE.values(), ids=OUTSIDE)
def test_outside_its_ou_the_writer_may_not(attempt: Attempt, writer: LdapWriter, outsider: DN) -> None:
    entry = writer.read(outsider, [])
    assert entry is not None
    with pytest.raises(AccessDeniedError):
        attempt(writer, entry, outsider.parent)


def test_nobody_is_taken_in_or_put_out(writer: LdapWriter, granted: Granted, outsider: DN, mine: Entry) -> None:
    entry = writer.read(outsider, [])
    assert entry is not None
    with pytest.raises(AccessDeniedError):
        writer.move(entry.guid, granted.ou.child("CN", "outsider"))
    with pytest.raises(AccessDeniedError):
        writer.move(mine.guid, outsider.parent.child("CN", mine.dn.name))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("description", "x"),
        ("servicePrincipalName", "HTTP/app.contoso.test"),
        ("msDS-AllowedToDelegateTo", "HTTP/app.contoso.test"),
        ("adminCount", "0"),
        ("primaryGroupID", "512"),
        ("accountExpires", "0"),
        ("altSecurityIdentities", "X509:<S>CN=x"),
        ("scriptPath", "x.cmd"),
    ],
)
def test_of_its_own_accounts_the_writer_sets_nothing_that_was_not_granted(
    attribute: str, value: str, writer: LdapWriter, mine: Entry
) -> None:
    with pytest.raises(AccessDeniedError):
        writer.modify(mine.guid, [Modification(attribute, None, value)])


@pytest.mark.parametrize("flag", [0x80000, 0x1000000], ids=["TRUSTED_FOR_DELEGATION", "TRUSTED_TO_AUTH_FOR_DELEGATION"])
def test_no_account_of_the_writers_may_act_for_others(flag: int, writer: LdapWriter, mine: Entry) -> None:
    with pytest.raises(AccessDeniedError):
        writer.modify(mine.guid, [Modification("userAccountControl", HALF_MADE, HALF_MADE | flag)])


def test_the_writer_makes_users_only_and_leaves_the_ou_alone(writer: LdapWriter, granted: Granted) -> None:
    session = writer._session
    ou = granted.ou.text
    results = {
        "group": session.add(f"CN=group,{ou}", ["group"], {"sAMAccountName": [b"group-x"]}),
        "computer": session.add(f"CN=pc,{ou}", ["computer"], {"sAMAccountName": [b"pc-x$"]}),
        "ou": session.add(f"OU=own,{ou}", ["organizationalUnit"], {}),
        "rename": session.rename(f"OU=Departed,{ou}", "OU=Gone", ou),
        "delete": session.delete(f"OU=Departed,{ou}"),
        "describe": session.modify(ou, {"description": [(REPLACE, [b"x"])]}),
        "rights": session.modify(ou, {"nTSecurityDescriptor": [(REPLACE, [EVERYTHING_TO_EVERYBODY])]}),
    }
    assert {what: result.code for what, result in results.items()} == dict.fromkeys(results, 50)


def test_the_writer_adds_nobody_to_a_group(writer: LdapWriter, granted: Granted, mine: Entry) -> None:
    group = f"CN=Domain Admins,CN=Users,{granted.controller.base}"
    assert writer._session.modify(group, {"member": [(REPLACE, [mine.dn.text.encode()])]}).code == 50
    assert writer._session.modify(group, {"member": [(DELETE, [])]}).code == 50


def test_the_reader_writes_nothing_anywhere(granted: Granted, outsider: DN, mine: Entry) -> None:
    with closing(granted.connect(granted.reader)) as connection:
        other = connection.read(outsider, [])
        assert other is not None
        for entry, ou, flags in ((mine, granted.ou, HALF_MADE), (other, outsider.parent, 512)):
            for attempt in {**OUTSIDE, "enable or disable": disable(flags)}.values():
                with pytest.raises(AccessDeniedError):
                    attempt(connection, entry, ou)


# --- and no less: what each entry is for


def test_the_page_grants_exactly_the_rights_of_the_demonstration(granted: Granted) -> None:
    with granted.controller.administrator() as administrator:
        sid = administrator.sid(f"CN=reconcile-writer,CN=Users,{granted.controller.base}")
        rights = writer_rights(sid, administrator.schema_ids(written(DEFAULT_POLICY)))
    listed = granted.controller.samba_tool("dsacl", "get", f"--objectdn={granted.ou}")
    assert sorted(re.findall(rf"\([^()]*{sid}\)", listed)) == sorted(rights.values())


def deeds(writer: LdapWriter, ou: DN) -> dict[str, Callable[[], object]]:
    """What `apply` does to one account, from the beginning to the end, by the right it needs."""
    made: list[str] = []
    values: dict[str, str | int] = {"adminDescription": "User_1", "userPrincipalName": f"{ou.name}@x.test"}
    values["sAMAccountName"] = f"a{ou.name}"

    def add() -> None:
        made.append(writer.add(ou.child("CN", "a"), values).guid)

    def write(name: str) -> Callable[[], object]:
        after = f"b{ou.name}"
        return lambda: writer.modify(made[0], [Modification(name, values.get(name), after)])

    return {
        "create and delete users": add,
        "reset passwords": lambda: writer.set_password(made[0], PASSWORD),
        "write userAccountControl": lambda: writer.modify(
            made[0], [Modification("userAccountControl", HALF_MADE, SMARTCARD)]
        ),
        **{f"write {name}": write(name) for name in DEFAULT_POLICY if name != "userAccountControl"},
        "write cn": lambda: writer.move(made[0], ou.child("CN", "b")),
        "write name": lambda: writer.move(made[0], ou.child("CN", "c")),
        "move": lambda: writer.move(made[0], ou.child("OU", "Departed").child("CN", "c")),
        "delete": lambda: writer.delete(made[0]),
    }


NEEDED_FOR = {
    "create and delete users": {"create and delete users"},
    **{f"write {name}": {"write cn", "write name", "move"} for name in NAMES},
}


@pytest.mark.parametrize("lacking", ["", *writer_rights("", dict.fromkeys(written(DEFAULT_POLICY), ""))])
def test_without_any_one_entry_something_is_refused(lacking: str, granted: Granted) -> None:
    controller = granted.controller
    name = f"w{os.urandom(5).hex()}"
    login = controller.reader(name)
    with controller.administrator() as administrator:
        ou = DN(administrator.ou(f"OU={name},{controller.base}"))
        administrator.ou(f"OU=Departed,{ou}")
        sid = administrator.sid(f"CN={name},CN=Users,{controller.base}")
        rights = writer_rights(sid, administrator.schema_ids(written(DEFAULT_POLICY)))
    controller.grant(ou.text, "".join(ace for what, ace in rights.items() if what != lacking))
    refused = set()
    with closing(granted.connect(login)) as writer:
        for what, deed in deeds(writer, ou).items():
            try:
                deed()
            except AccessDeniedError:
                refused.add(what)
                if what == "create and delete users":
                    break
    assert refused == (NEEDED_FOR.get(lacking, {lacking}) if lacking else set())
