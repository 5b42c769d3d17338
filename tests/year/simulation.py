"""A scripted year: guests and accounts change at random, and after every day the domain is as the policy says."""

from __future__ import annotations

import io
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.demo.people import Person, generate
from reconciler.demo.samba import Controller, Login
from reconciler.model.dn import DN
from tests.support.operations import Operations, git, installation
from tests.support.samba import fresh_ou

from .domain import COMPARED, Domain, Object
from .events import Day
from .oracle import Held, Oracle

DELETE_AFTER = timedelta(days=10)
SKIP, RACE = 0.05, 0.15
"""How often a week passes without a run (delta links live seven days), and things change between import and apply."""


@dataclass
class Clock:
    """The one clock of the tenant and of the program."""

    now: datetime = datetime(2026, 1, 5, 6, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Year:
    """A running simulation. `day` lives one day and raises AssertionError where something is not as it must be."""

    ops: Operations
    samba: Controller
    domain: Domain
    oracle: Oracle
    people: Iterator[Person]
    rng: random.Random
    staff: str
    clock: Clock
    done: Counter[str] = field(default_factory=Counter)
    today: Counter[str] = field(default_factory=Counter)
    """Changes carried out, by action."""
    conflicts: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    stale: int = 0
    more: bool = False
    """One more plan is due today."""
    log: list[str] = field(default_factory=list)
    """What happened today."""

    def begin(self) -> None:
        """Run the loop for the first time: most accounts are there already, and carry their anchor; the rest is made."""
        self.oracle.settle(self.clock.now)
        self._loop(None)
        self._proven()

    def day(self) -> None:
        """Live one day: things happen, the loop runs, and everything is as it must be."""
        self.clock.now += timedelta(days=8 if self.rng.random() < SKIP else 1)
        self.today.clear()
        with self.samba.administrator() as administrator:
            tenant = self.ops.tenant
            day = Day(self.oracle, tenant, administrator, self.people, self.rng, self.clock.now, self.staff)
            day.happen()
            self.log = day.log
            self._hold(day.holds)
            self.oracle.settle(self.clock.now)
            race = self.rng.random() < RACE
            self._loop(day if race else None)
            # Once more after a race; and for an account whose deletion was due, but that had to be moved back first.
            while self.oracle.settle(self.clock.now) or race or self.more:
                race = self.more = False
                self._loop(None)
        self._proven()

    # --- the loop, as a person runs it

    def reconcile(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> tuple[int, str]:
        """Run a command in this process, by the simulation's clock; return its exit code and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["-C", str(self.ops.directory), *arguments], ports=Ports(clock=self.clock), env=self.ops.env)
        words = f"reconcile {' '.join(arguments)}: exit {code}\n{out.getvalue()[:3000]}{err.getvalue()}"
        assert code in codes, self._told(words)
        return code, out.getvalue()

    def _loop(self, race: Day | None) -> None:
        """Import, propose, merge and apply. With a race, things change between the import and the apply."""
        self.reconcile("snapshot")
        before = git(self.ops.directory, "rev-parse", "HEAD")
        plan = self._proposed()
        if before == git(self.ops.directory, "rev-parse", "HEAD"):
            return  # nothing was proposed: that nothing is left to do is proven at the end of the day
        if race is not None and not plan["refused"]:
            race.overtake([c["guest"] for c in plan["changes"]])
        self.domain.refresh()
        code, out = self.reconcile("apply", "--yes", "--json", codes=(0, 3, 5))
        assert code == 3 or not plan["refused"], self._told("a guard refused, and apply went on")
        if code == 3:
            assert self._written() == [], self._told("a guard refused, and something was written")
            self.refusals += 1
            self._acknowledge(plan)
            self.more |= self.oracle.settle(self.clock.now)
            self.reconcile("snapshot")
            assert not self._proposed()["refused"]
            code, out = self.reconcile("apply", "--yes", "--json", codes=(0, 5))
        self._count(json.loads(out)["outcomes"], race is not None)
        self._nothing_else_was_written()

    def _proposed(self) -> dict[str, Any]:
        self.reconcile("propose", codes=(0, 3))
        self.ops.merge()
        plan: dict[str, Any] = json.loads((self.ops.directory / "state/plan.json").read_bytes())
        plan["refused"] = [g for g in plan["guards"] if g["refused"]]
        return plan

    def _acknowledge(self, plan: dict[str, Any]) -> None:
        """Let exactly this plan past the guards, for today: by its own counts, and by what the day comes to with it."""
        planned = Counter(c["action"] for c in plan["changes"])
        day = Counter({action: count + self.today[action] for action, count in planned.items()})
        until = self.clock.now.date()
        blocks = (f'{{counts: {json.dumps(counts)}, reason: meant, until: "{until}"}}' for counts in (planned, day))
        self._policy("acknowledge", f"[{', '.join(blocks)}]")

    def _hold(self, new: dict[str, datetime]) -> None:
        self.oracle.held |= new
        if new:
            lines = (f'{{guest: {g}, reason: "case", until: "{u.date()}"}}' for g, u in self.oracle.held.items())
            self._policy("hold", f"[{', '.join(lines)}]")

    def _policy(self, block: str, value: str) -> None:
        """Write a block at the end of the policy, in the place of the last one, and merge that."""
        file = self.ops.directory / "policies/guests.yaml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith(f"{block}:")]
        file.write_text("\n".join([*kept, f"{block}: {value}"]) + "\n")
        git(self.ops.directory, "add", "policies")
        git(self.ops.directory, "commit", "-q", "-m", block)
        git(self.ops.directory, "push", "-q", "origin", "main")

    def _count(self, outcomes: list[dict[str, str]], raced: bool) -> None:
        allowed = {"done", "already", "stale", "skipped"} if raced else {"done"}
        others = [o for o in outcomes if o["result"] not in allowed]
        assert others == [], self._told(f"not carried out: {others}")
        done = Counter(o["change"].partition(":")[0] for o in outcomes if o["result"] == "done")
        self.done.update(done)
        self.today.update(done)
        self.stale += sum(o["result"] == "stale" for o in outcomes)

    # --- what must hold

    def _written(self) -> list[tuple[Object | None, Object]]:
        """What has changed in the whole domain since the copy was refreshed."""
        changes = self.domain.refresh()
        return [(a, b) for a, b in changes if not b.of_the_domain and (a is None or a.essence != b.essence)]

    def _nothing_else_was_written(self) -> None:
        """Every object that an apply wrote is an account of ours, under our OUs before and after."""
        ours = {a.sid for a in self.oracle.accounts.values()} - {None}
        dns = {a.dn.casefold() for a in self.oracle.accounts.values() if a.sid is None}
        for before, after in self._written():
            known = after.user and (after.sid in ours or after.dn.casefold() in dns)
            where = [o.home for o in (before, after) if o is not None]
            assert known, self._told(f"not ours, and written: {after.dn}, before {before}")
            assert all(self._ours(h) for h in where), self._told(f"outside, and written: {where}")

    def _ours(self, dn: str) -> bool:
        return f",{dn}".casefold().endswith(f",{self.oracle.ou}".casefold())

    def _proven(self) -> None:
        """After every day: the plan is empty, and every account is what the oracle says."""
        self.reconcile("snapshot")
        _, out = self.reconcile("plan", "--json")
        plan = json.loads(out)
        left = [(c["action"], c["guest"], c["cause"]) for c in plan["changes"]]
        assert left == [], self._told(f"the plan is not empty: {left}")
        told = {c["subject"]: c["kind"] for c in plan["conflicts"]}
        assert told == self.oracle.conflicts, self._told(f"conflicts {told}, not {self.oracle.conflicts}")
        self.conflicts.update(told.values())
        git(self.ops.directory, "checkout", "-q", "--", "state")
        git(self.ops.directory, "clean", "-qfd", "state")
        self.domain.refresh()
        self._as_it_must_be()

    def _as_it_must_be(self) -> None:
        users = list(self.domain.users())
        by_sid, by_dn = {o.sid: o for o in users}, {o.dn.casefold(): o for o in users}
        for guest, account in self.oracle.accounts.items():
            found = by_sid.get(account.sid) if account.sid else by_dn.get(account.dn.casefold())
            assert found is not None, self._told(f"no account {account}")
            account.sid = found.sid
            held, wanted = _held(found, account), _wanted(account)
            differing = {k: (held[k], wanted[k]) for k in wanted if held[k] != wanted[k]}
            assert not differing, self._told(f"{found.dn} of {guest} (there, must be): {differing}", guest)
            let = guest in self.oracle.held or guest in self.oracle.conflicts
            assert let or not account.enabled or self.oracle.status(guest) == "active", self._told("enabled", guest)
        known = {a.sid for a in self.oracle.accounts.values()}
        strangers = [o.dn for o in users if not o.deleted and self._ours(o.dn) and o.sid not in known]
        assert strangers == [], self._told(f"nobody's accounts: {strangers}")

    def whole_domain_is_as_copied(self) -> None:
        """The copy that was kept by USN is what a full read gives: nothing was written behind its back."""
        whole = self.domain.whole()
        copied = self.domain.objects
        differing = [o.dn for key, o in whole.items() if not o.of_the_domain and copied[key].essence != o.essence]
        assert differing == [], self._told(f"not as copied: {differing}")

    def _told(self, words: str, guest: str = "") -> str:
        about = [line for line in self.log if line.rpartition(" ")[2] in words or (guest and guest in line)]
        mine = about or self.log[-5:]
        return f"{self.clock.now:%Y-%m-%d}: {words}\n" + "\n".join(mine)


def _held(found: Object, account: Held) -> dict[str, object]:
    if account.deleted:
        return {"deleted": found.deleted}
    values = {name: found.text(name) for name in COMPARED}
    return {"deleted": found.deleted, "dn": found.dn.casefold(), "flags": found.flags, **values}


def _wanted(account: Held) -> dict[str, object]:
    if account.deleted:
        return {"deleted": True}
    values = {name: account.values.get(name) for name in COMPARED}
    return {"deleted": False, "dn": account.dn.casefold(), "flags": account.flags, **values}


def furnish(samba: Controller, oracle: Oracle) -> None:
    """Make the accounts that are there when the story begins: many, so directly in the controller's database."""
    entries = []
    for account in oracle.accounts.values():
        values = {**account.values, "userAccountControl": str(account.flags), "objectClass": "user"}
        lines = (f"{name}:: {b64encode(value.encode()).decode()}" for name, value in values.items())
        entries.append("\n".join([f"dn: {account.dn}", "changetype: add", *lines]))
    samba.change("\n\n".join(entries) + "\n")


@contextmanager
def year(root: Path, samba: Controller, guests: int, seed: int) -> Iterator[Year]:
    """Begin a year with so many guests, most of whom have their account; the same seed gives the same one."""
    clock, ou, staff = Clock(), fresh_ou(samba).text, f"OU=Staff-{seed},{samba.base}"
    stream = iter(generate(guests + 6000, seed))
    first = [next(stream) for _ in range(guests)]
    with installation(root, samba, DN(ou), first, clock=clock) as ops, Domain(samba) as domain:
        with samba.administrator() as administrator:
            administrator.ou(f"OU=Sub,{ou}")
            administrator.ou(staff)
        samba.allow_reanimation(Login(ops.env["RECONCILE_LDAP_USER"], ops.env["RECONCILE_LDAP_PASSWORD"]), ou)
        policy = ops.directory / "policies/guests.yaml"
        text = policy.read_text()
        assert "delete_after: 30d" in text
        policy.write_text(text.replace("delete_after: 30d", f"delete_after: {DELETE_AFTER.days}d"))
        ops.commit("a shorter wait")
        oracle = Oracle(ops.tenant, ou, DELETE_AFTER, known={p.id for p in first[: guests * 19 // 20]})
        oracle.settle(clock.now)
        furnish(samba, oracle)
        oracle.known |= {p.id for p in first}
        yield Year(ops, samba, domain, oracle, stream, random.Random(seed), staff, clock)
