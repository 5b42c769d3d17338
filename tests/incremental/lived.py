"""A tenant and a domain in memory in which everything of the scripted year happens, and worse, in a second instead of a night."""

from __future__ import annotations

import io
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from reconciler.apply.journal import Journal
from reconciler.apply.run import Ends, run
from reconciler.cli.context import Context, Ports
from reconciler.cli.importing import Base, Importer
from reconciler.cli.snapshot import time
from reconciler.directory.memory import MemoryDirectory
from reconciler.directory.port import DirectoryReader, Entry
from reconciler.errors import DirectoryError
from reconciler.incremental.cache import Cache
from reconciler.model.account import ACCOUNTDISABLE
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal
from reconciler.model.plan import Action, Plan
from reconciler.model.values import Value
from reconciler.planning.encode import encode
from reconciler.planning.impostors import look_alikes
from reconciler.planning.plan import make_plan
from reconciler.planning.wanted import wanted_names
from reconciler.policy.model import Policy
from reconciler.progress import Silent
from reconciler.scratch import Scratch
from reconciler.state.model import Claim, State
from reconciler.state.paths import MANIFEST
from reconciler.state.store import load_or_empty, load_state, open_state, write_state
from tests.planning.builder import DEFAULT, DEPARTED, OU, guest, policy, settings
from tests.state.trees import MemoryTree

from .ends import Killed, Mortal, Tenant
from .worlds import reduced

STAFF = "OU=Staff,DC=contoso,DC=test"
SUB = f"OU=Sub,{OU}"
READ = (
    "adminDescription",
    "displayName",
    "mail",
    "sAMAccountName",
    "userAccountControl",
    "userPrincipalName",
    "givenName",
    "sn",
)
VARIANTS: tuple[str, ...] = (
    DEFAULT,
    DEFAULT,
    DEFAULT,
    DEFAULT.replace("delete_after: 30d", "delete_after: 5d"),
    DEFAULT.replace("blocked: {disable: true}", "blocked: {disable: false}"),
    DEFAULT.replace("returned: {restore: true}", "returned: {restore: false}"),
    DEFAULT.replace("left: {disable: true, ", "left: {disable: false, "),
    DEFAULT.replace("  cn: guest.id\n", "").replace("flows:\n", "flows:\n  cn: guest.userPrincipalName\n"),
    DEFAULT.replace('include: guest.userType == "Guest"', 'include: guest.mail.endsWith("adatum.com")'),
)


class Life:
    """One history. `hand_disabled` are the accounts that an administrator disabled while their guests were active."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.directory = MemoryDirectory(DN("DC=contoso,DC=test"), random.Random(seed))
        for ou in (OU, DEPARTED, SUB, STAFF):
            self.directory.create_ou(DN(ou))
        self.tenant = Tenant()
        self.now = datetime(2026, 3, 1, 6, tzinfo=UTC)
        self.text = DEFAULT
        self.holds: list[str] = []
        self.merged: State | None = None
        self.files: dict[str, bytes] = {}
        """The files of `merged`, and of the last import."""
        self.written: dict[str, bytes] = {}
        self.folder = folder
        self.hand_disabled: set[str] = set()
        self.numbers = 0
        self.log: list[str] = []
        self.batch = 5000
        for _ in range(5):
            self.invite()

    # --- what happens in Entra

    def _some(self, keep: Callable[[Guest], bool] = lambda g: g.removed is None) -> Guest | None:
        found = sorted((g for g in self.tenant.users.values() if keep(g)), key=lambda g: g.id)
        return self.rng.choice(found) if found else None

    def _set(self, user: Guest | None, **values: Value | None) -> None:
        if user is not None:
            held = {n: v for n, v in {**user.attributes, **values}.items() if v is not None}
            self.tenant.users[user.id] = replace(user, attributes=held)

    def invite(self) -> None:
        self.numbers += 1
        self.tenant.users |= {(new := guest(self.numbers + 16 * self.rng.randrange(1 << 20))).id: new}

    def invite_again(self) -> None:
        gone = self._some(lambda g: g.removed == "deleted")
        if gone is not None:
            self.numbers += 1
            new = guest(self.numbers, **{n: gone.attributes.get(n) for n in ("userPrincipalName", "mail")})
            self.tenant.users[new.id] = new

    def rename(self) -> None:
        names = ["Same Name", "Administrator", "Аlice", "x" * 300, None, f"N {self.rng.random()}", "Comma, Name"]
        self._set(self._some(), displayName=self.rng.choice(names), givenName=self.rng.choice(["Ada", None, "x" * 65]))

    def change_mail(self) -> None:
        self._set(self._some(), mail=self.rng.choice([None, "m@adatum.com", f"{self.rng.random()}@fabrikam.com"]))

    def change_upn(self) -> None:
        self._set(self._some(), userPrincipalName=self.rng.choice(["Shared@x", f"u{self.rng.random()}@x"]))

    def swap(self) -> None:
        one, other = self._some(), self._some()
        if one and other and one.id != other.id:
            names = ("userPrincipalName", "mail", "displayName")
            self._set(one, **{n: other.attributes.get(n) for n in names})
            self._set(other, **{n: one.attributes.get(n) for n in names})

    def pass_on(self) -> None:
        one, other = self._some(), self._some()
        if one and other and one.id != other.id:
            self._set(one, userPrincipalName=other.attributes.get("userPrincipalName"))
            self._set(other, userPrincipalName=f"new{self.rng.random()}@x")

    def block(self) -> None:
        self._set(self._some(), accountEnabled=False)

    def unblock(self) -> None:
        self._set(self._some(lambda g: g.attributes.get("accountEnabled") is False), accountEnabled=True)

    def _removed(self, user: Guest | None, how: Removal | None) -> None:
        if user is not None:
            self.tenant.users[user.id] = replace(user, removed=how)

    def delete_softly(self) -> None:
        self._removed(self._some(), "changed")

    def delete_for_good(self) -> None:
        self._removed(self._some(lambda g: g.removed != "deleted"), "deleted")

    def undelete(self) -> None:
        self._removed(self._some(lambda g: g.removed == "changed"), None)

    def leave_scope(self) -> None:
        self._set(self._some(), userType=self.rng.choice(["Member", "Guest"]))

    # --- what happens in the domain

    def _account(self, keep: Callable[[Entry], bool] = lambda _: True) -> Entry | None:
        found = [e for e in self.reader().accounts([DN(OU), DN(STAFF)], READ) if keep(e)]
        return self.rng.choice(found) if found else None

    def reader(self, *, sees: bool = True) -> DirectoryReader:
        return self.directory.reader("ldaps://dc1.contoso.test", sees_deleted=sees)

    def edit(self) -> None:
        entry = self._account()
        if entry is not None:
            name = self.rng.choice(["displayName", "mail", "givenName", "sn", "userPrincipalName", "adminDescription"])
            other = self._some()
            values = [None, f"hand{self.rng.random()}", *([f"User_{other.id}"] if other else [])]
            values.append(f"User_{guest(999_999).id}")
            self._try(lambda: self.directory.edit(entry.dn, name, self.rng.choice(values)))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except DirectoryError:
            self.log.append("refused")

    def _moved(self, to: str, keep: Callable[[Entry], bool] = lambda _: True) -> None:
        entry = self._account(keep)
        if entry is not None:
            self._try(lambda: self.directory.move(entry.dn, DN(to).child("CN", entry.dn.name)))

    def rename_by_hand(self) -> None:
        entry = self._account()
        if entry is not None:
            name = self.rng.choice(["Hand, made", f"h{self.rng.random()}", entry.dn.name.upper()])
            self._try(lambda: self.directory.move(entry.dn, entry.dn.parent.child("CN", name)))

    def move_inside(self) -> None:
        self._moved(self.rng.choice([SUB, DEPARTED, OU]))

    def move_outside(self) -> None:
        self._moved(STAFF)

    def move_back(self) -> None:
        self._moved(OU, lambda e: e.dn.within(DN(STAFF)))

    def _flags(self, entry: Entry, change: Callable[[int], int]) -> None:
        held = entry.attributes.get("userAccountControl")
        assert isinstance(held, int)
        self._try(lambda: self.directory.edit(entry.dn, "userAccountControl", change(held)))

    def set_bit(self) -> None:
        if entry := self._account():
            self._flags(entry, lambda held: held ^ self.rng.choice([0x100000, 0x10000]))

    def disable_by_hand(self) -> None:
        """Somebody disables the account of a guest who is active, and was so by the last import that was merged.

        One that is to be enabled by that is left alone: until the next import nobody can tell whose last word a flag is.
        """
        entry = self._account(lambda e: not self._disabled(e))
        known = self.merged.accounts.get(entry.sid) if entry and self.merged else None
        recorded = self.merged.guests.get(known.guest or "") if known and self.merged else None
        if entry is None or known is None or recorded is None or self.text != DEFAULT:
            return
        quiet = known.departed is None and not known.suspended
        if quiet and recorded.enabled and recorded.attributes.get("userType") == "Guest":
            self._flags(entry, lambda held: held | ACCOUNTDISABLE)
            self.hand_disabled.add(entry.guid)

    def enable_by_hand(self) -> None:
        if entry := self._account(self._disabled):
            self._flags(entry, lambda held: held & ~ACCOUNTDISABLE)
            self.hand_disabled.discard(entry.guid)

    def _disabled(self, entry: Entry) -> bool:
        return bool(int(str(entry.attributes["userAccountControl"])) & ACCOUNTDISABLE)

    def delete_by_hand(self) -> None:
        if entry := self._account():
            self._try(lambda: self.directory.delete(entry.dn))

    def recycle(self) -> None:
        found = [a for a in (self.merged.accounts.values() if self.merged else ()) if a.missing == "deleted"]
        if found:
            self._try(lambda: self.directory.recycle(self.rng.choice(found).guid))

    def protect(self) -> None:
        if entry := self._account():
            self.directory.edit(entry.dn, "adminCount", self.rng.choice([1, None]))

    def squat(self) -> None:
        if user := self._some():
            name = str(user.attributes.get("userPrincipalName"))
            sam = self.rng.choice([user.id[:20], f"s{self.rng.getrandbits(30)}"])
            dn = DN(self.rng.choice([STAFF, OU])).child("CN", sam)
            self._try(lambda: self.directory.create_user(dn, sam, {"userPrincipalName": name}))

    # --- what people do to the policy

    def hold(self) -> None:
        user = self._some(lambda _: True)
        if user is not None:
            until = (self.now + timedelta(days=self.rng.randrange(1, 9))).date()
            self.holds.append(f"  - {{guest: {user.id}, reason: r, until: {until}}}\n")

    def another_policy(self) -> None:
        self.text = self.rng.choice(VARIANTS)
        self.batch = self.rng.choice([5000, 5000, 1, 2])

    @property
    def policy_text(self) -> str:
        return self.text + ("\nhold:\n" + "".join(self.holds) if self.holds else "")

    @property
    def policy(self) -> Policy:
        return policy(self.policy_text)

    # --- the loop

    def day(self) -> None:
        """Some time passes, things happen; then import, plan and, mostly, apply, killed now and then."""
        self.now += timedelta(hours=self.rng.choice([1, 24, 24, 24, 24 * 12]))
        for event in self.rng.choices(EVENTS, k=self.rng.randrange(5)):
            event(self)
            self.log.append(event.__name__)
        state = self.imported()
        made = self.planned(state)
        if not made.changes and self.merged is not None:
            return  # nothing is proposed, and the state that is merged stays as it was
        if self.rng.random() < 0.85:
            self.merged, self.files = state, self.written
            self.applied(made, state)

    def imported(self) -> State:
        """Import as the command does, from shards and with what is remembered; and see that nothing else would come of looking at all."""
        only = self.rng.choice([None, None, None, None, "ad", "graph"]) if self.merged else None
        sees = self.rng.random() < 0.9
        full = self.rng.random() < 0.2
        if self.rng.random() < 0.1:
            (self.folder / "cache.db").unlink(missing_ok=True)
        tree = MemoryTree({"policies/guests.yaml": self.policy_text.encode(), **self.files})
        with closing(Cache(self.folder / "cache.db")) as cache:
            opened = load_or_empty(tree, full=True) if full and only is None else open_state(tree)
            found, written = self._import(tree, opened, cache, only, sees=sees, full=full)
        for as_told in (full, True):
            _, whole = self._import(tree, load_or_empty(tree), Cache(None), only, sees=sees, full=as_told)
            assert shards(written) == shards(whole), self.log
        self.written = written
        return found

    def _import(
        self, tree: MemoryTree, old: State | None, cache: Cache, only: str | None, *, sees: bool, full: bool
    ) -> tuple[State, dict[str, bytes]]:
        """Return the state after an import over `old`, and the files that are written for it."""
        quiet = (Console(file=io.StringIO()), Console(file=io.StringIO()))
        ports = Ports(source=lambda *_: self.tenant, reader=lambda *_: self.reader(sees=sees))
        context = Context(self.folder, {}, ports, consoles=quiet)
        with Scratch(self.folder) as scratch, tempfile.TemporaryDirectory() as folder:
            base = Base(tree, old, cache, scratch)
            found = Importer(context, settings(), self.policy, base, time(self.now), full=full).run(only)
            root = Path(folder)
            for path, data in tree.contents.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)
            write_state(root, old, found)
            written = {path: data for path, data in MemoryTree.of(root).contents.items() if path.startswith("state/")}
        state = load_state(MemoryTree(written))
        if only != "graph":  # names are looked up when the domain can be asked
            claims = claimed(replace(state, claims=()), self.policy, self.reader())
            assert {*state.claims} == {*claims}, self.log
            there = [a for a in state.accounts.values() if a.missing is None]
            now = self.reader().find([a.guid for a in there], ())
            assert [a.dn.text for a in there] == [now[a.guid].dn.text for a in there], self.log  # letter case included
        return state, written

    def planned(self, state: State) -> Plan:
        """The plan, made both ways."""
        by, asked = self.policy, settings(batch=self.batch)
        whole = make_plan(state, by, asked, ())
        for few in (2000, -self.batch):
            small = reduced(state, by, self.batch, few)
            found = make_plan(small.state, by, asked, (), small)
            assert found == whole, self.log
            assert encode(found) == encode(whole), self.log
        return whole

    def applied(self, made: Plan, state: State) -> None:
        path = self.folder / f"{self.now:%Y%m%d%H}.jsonl"
        for attempt in range(2):
            journal = Journal(path, lambda: self.now)
            journal.open(made, "digest", "commit")
            writer = self.directory.writer("ldaps://dc1.contoso.test")
            if attempt == 0 and self.rng.random() < 0.3:
                writer = Mortal(writer, self.rng.randrange(1, 12), after=self.rng.random() < 0.5)  # type: ignore[assignment]
            try:
                run(made, Ends(self.tenant, writer, state, self.policy), [DN(OU)], journal, lambda: None, Silent())
                break
            except Killed:
                self.log.append("killed")
                if self.rng.random() < 0.4:
                    break  # nobody runs it again: the next plan finds what is half done
            finally:
                journal.dispose()
        self.safe(made)

    def safe(self, made: Plan) -> None:
        """Nothing happened that must never happen."""
        found = self.reader().find(self.hand_disabled, READ)
        enabled = [e.dn.text for e in found.values() if not e.deleted and not self._disabled(e)]
        assert not enabled, (enabled, [(c.action, c.sid, c.cause) for c in made.changes], self.log)
        for change in made.changes:
            if change.action is Action.DELETE:
                assert self.merged is not None
                departed = self.merged.accounts[change.sid or ""].departed
                assert departed is not None
                assert self.now - datetime.fromisoformat(departed) >= timedelta(days=5)
        assert len({c.key for c in made.changes}) == len(made.changes)


EVENTS: tuple[Callable[[Life], None], ...] = (
    Life.invite,
    Life.invite_again,
    Life.rename,
    Life.change_mail,
    Life.change_upn,
    Life.swap,
    Life.pass_on,
    Life.block,
    Life.unblock,
    Life.delete_softly,
    Life.delete_for_good,
    Life.undelete,
    Life.leave_scope,
    Life.edit,
    Life.rename_by_hand,
    Life.move_inside,
    Life.move_outside,
    Life.move_back,
    Life.set_bit,
    Life.disable_by_hand,
    Life.enable_by_hand,
    Life.delete_by_hand,
    Life.recycle,
    Life.protect,
    Life.squat,
    Life.hold,
    Life.another_policy,
)


def shards(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Everything but the manifest, whose delta link differs."""
    return {path: data for path, data in files.items() if path != MANIFEST}


def claimed(state: State, by: Policy, reader: DirectoryReader) -> tuple[Claim, ...]:
    """Return the claims that go with a state, by the plan that is made of all of it."""
    plan = make_plan(state, by, settings(batch=sys.maxsize), ())
    found = look_alikes(plan, reader.administrators)
    for attribute, values in wanted_names(plan).items():
        owners = reader.owners("cn" if attribute == "distinguishedName" else attribute, values)
        found += [Claim(attribute, value, owner) for value, owner in owners.items()]
    own = [claim for claim in found if claim.owner not in state.accounts]
    return tuple(sorted(own, key=lambda claim: (claim.attribute, claim.value)))
