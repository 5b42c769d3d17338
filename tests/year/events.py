"""What happens to guests and accounts on one day: in Entra, and by an administrator's hand in the domain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.demo.people import Person
from reconciler.demo.samba.administrator import Administrator
from reconciler.demo.tenant import Tenant

from .oracle import ANCHOR, DISABLE, Held, Oracle

NOT_DELEGATED, DONT_EXPIRE = 0x100000, 0x10000


@dataclass
class Day:
    """One day's events; `log` says what happened, one line each. A guest has one event a day at most."""

    oracle: Oracle
    tenant: Tenant
    administrator: Administrator
    people: Iterator[Person]
    rng: random.Random
    now: datetime
    staff: str
    """An organizational unit that is none of ours."""
    busy: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    holds: dict[str, datetime] = field(default_factory=dict)
    """Holds that somebody writes into the policy today."""

    def happen(self) -> None:
        """Let the day take its course."""
        for event, often in EVENTS:
            for _ in range(self._times(often)):
                event(self)

    def _times(self, often: float) -> int:
        return int(often) + (self.rng.random() < often % 1)

    def tell(self, words: str, guest: str) -> None:
        self.busy.add(guest)
        self.log.append(f"{words} {guest}")

    # --- whom it happens to

    def guests(self, status: str, keep: Callable[[str], bool] = lambda _: True, count: int = 1) -> list[str]:
        """Return some guests of this status, none or few where there are no more."""
        some = sorted(self.oracle.known - self.busy)
        if status == "active":  # most are: no need to ask for everybody
            some = self.rng.sample(some, min(len(some), 40 + 3 * count))
        found = [g for g in some if self.oracle.status(g) == status and keep(g)]
        return self.rng.sample(found, min(count, len(found)))

    def accounts(self, keep: Callable[[Held], bool], count: int = 1) -> list[tuple[str, Held]]:
        """Return some accounts that are there, of guests whom nothing has happened to today."""
        found = self.oracle.pick(lambda _, a: not a.deleted and keep(a), self.busy)
        return [(g, self.oracle.accounts[g]) for g in self.rng.sample(found, min(count, len(found)))]

    def inside(self, status: str = "active", count: int = 1) -> list[tuple[str, Held]]:
        """Return some accounts under our OUs whose guests have this status."""
        guests = set(self.guests(status, count=2000 if status != "active" else 20))
        return self.accounts(lambda a: a.guest in guests and not self.oracle.outside(a), count)

    def soft_deleted(self) -> list[str]:
        found = []
        for guest in sorted(self.oracle.known - self.busy):
            try:
                if self.tenant.get(guest).deleted:
                    found.append(guest)
            except KeyError:
                continue
        return found

    def fresh(self, part: str) -> str:
        return f"{part}{self.rng.getrandbits(40):x}"

    # --- in Entra

    def invite(self) -> None:
        person = next(self.people)
        self.tenant.invite(person)
        self.oracle.known.add(person.id)
        self.tell("invited", person.id)

    def invite_again(self) -> None:
        """Somebody who was deleted for good comes back with another id and the same names."""
        found = self.gone_for_good()
        for guest in self.rng.sample(found, min(1, len(found))):
            again = next(self.people)
            name = self.oracle.accounts[guest].values["userPrincipalName"]
            if self._free(name):
                self.tenant.invite({**again.properties, "userPrincipalName": name})
                self.oracle.known.add(again.id)
                self.tell(f"invited again, once {guest}:", again.id)

    def gone_for_good(self) -> list[str]:
        """Return guests whom Entra has forgotten and whose account still has their name."""
        soft = {*self.soft_deleted()}
        found = self.oracle.pick(lambda _, a: not a.deleted and "userPrincipalName" in a.values, {*self.busy, *soft})
        return [g for g in found if not self._there(g)]

    def _there(self, guest: str) -> bool:
        return self.oracle.properties(guest) is not None

    def rename(self) -> None:
        for guest in self.guests("active"):
            name = self.fresh("Name ")
            self.tenant.update(
                guest, displayName=f"Renamed {name}", surname=name, givenName=self.rng.choice(["Ada", None])
            )
            self.tell("renamed", guest)

    def change_mail(self) -> None:
        for guest in self.guests("active"):
            mail = f"{self.fresh('m')}@{self.rng.choice(['fabrikam.com', 'adatum.com'])}"
            self.tenant.update(guest, mail=self.rng.choice([mail, mail, None]))
            self.tell("another mail for", guest)

    def change_upn(self) -> None:
        for guest in self.guests("active"):
            self.tenant.update(guest, userPrincipalName=self._new_upn())
            self.tell("another UPN for", guest)

    def _new_upn(self) -> str:
        return f"{self.fresh('u')}_adatum.com#EXT#@contoso.onmicrosoft.com"

    def _upn_of(self, guest: str) -> str:
        return str((self.oracle.properties(guest) or {})["userPrincipalName"])

    def swap(self) -> None:
        """Three guests hand their UPNs on in a circle, two swap their mail."""
        three = self.guests("active", count=3)
        if len(three) == 3:
            names = [self._upn_of(g) for g in three]
            for guest in three:
                self.tenant.update(guest, userPrincipalName=self._new_upn())
            for guest, name in zip(three, [*names[1:], names[0]], strict=True):
                self.tenant.update(guest, userPrincipalName=name)
                self.tell("in a circle of UPNs", guest)
        two = self.guests("active", count=2)
        if len(two) == 2:
            mails = [(self.oracle.properties(g) or {}).get("mail") for g in two]
            for guest, mail in zip(two, reversed(mails), strict=True):
                self.tenant.update(guest, mail=mail if isinstance(mail, str) else None)
                self.tell("swapped mail", guest)

    def pass_on(self) -> None:
        """A UPN passes from one guest to another, whose own goes to a third."""
        three = self.guests("active", count=3)
        if len(three) == 3:
            names = [self._upn_of(g) for g in three]
            for guest, name in zip(three, [self._new_upn(), *names[:2]], strict=True):
                self.tenant.update(guest, userPrincipalName=name)
                self.tell("passed a UPN on", guest)

    def block(self) -> None:
        for guest in self.guests("active"):
            self.tenant.update(guest, accountEnabled=False)
            self.tell("blocked", guest)

    def unblock(self) -> None:
        for guest in self.guests("blocked"):
            self.tenant.update(guest, accountEnabled=True)
            self.tell("unblocked", guest)

    def delete_softly(self) -> None:
        for guest in self.guests(self.rng.choice(["active", "active", "active", "blocked"])):
            self.tenant.soft_delete(guest)
            self.tell("soft-deleted", guest)

    def delete_for_good(self) -> None:
        for guest in [*self.guests("active"), *self.rng.sample(found := self.soft_deleted(), min(1, len(found)))]:
            self.tenant.purge(guest)
            self.tell("deleted for good", guest)

    def undelete(self) -> None:
        found = self.soft_deleted()
        for guest in self.rng.sample(found, min(1, len(found))):
            if self._free(str(self.tenant.get(guest).properties["userPrincipalName"])):
                self.tenant.restore(guest)
                self.tell("restored in Entra", guest)

    def _free(self, upn: str) -> bool:
        there = filter(None, (self.oracle.properties(g) for g in self.oracle.known))
        return all(str(p["userPrincipalName"]).casefold() != upn.casefold() for p in there)

    def overtake(self, planned: list[str]) -> None:
        """After a plan was made, some of its guests change once more, and so do others and their accounts."""
        for guest in self.rng.sample(planned, min(4, len(planned))):
            if self._there(guest):
                self.tenant.update(guest, displayName=self.fresh("Overtaken "))
                self.tell("overtook the plan:", guest)
        for event in (Day.rename, Day.block, Day.edit, Day.move_inside):
            event(self)

    def leave_scope(self) -> None:
        for guest in self.guests("active"):
            self.tenant.update(guest, userType="Member")
            self.tell("out of scope", guest)

    def back_in_scope(self) -> None:
        for guest in self.guests("left", self._there):
            self.tenant.update(guest, userType="Guest")
            self.tell("back in scope", guest)

    # --- by hand in the domain

    def edit(self) -> None:
        for guest, account in self.inside(self.rng.choice(["active", "blocked", "left"])):
            name = self.rng.choice(
                ["displayName", "mail", "givenName", "sn", "userPrincipalName", "sAMAccountName", ANCHOR]
            )
            value = self.fresh("hand-")
            if name == "sAMAccountName":
                value = value[:20]
            if name in (ANCHOR, "mail") and self.rng.random() < 0.5:
                self.administrator.replace(account.dn, name, [])
                account.values.pop(name, None)
            else:
                self.administrator.replace(account.dn, name, [value])
                account.values[name] = value
            self.tell(f"{name} by hand on", guest)

    def rename_by_hand(self) -> None:
        for guest, account in self.inside():
            cn = self.fresh("Hand, made ")
            self.administrator.move(account.dn, "CN=" + cn.replace(",", "\\,"), account.parent)
            account.cn = cn
            self.tell("cn by hand on", guest)

    def move_inside(self) -> None:
        for guest, account in self.inside(self.rng.choice(["active", "active", "blocked", "left"])):
            places = [f"OU=Fabrikam,{self.oracle.ou}", self.oracle.departed_ou, f"OU=Sub,{self.oracle.ou}"]
            self._move(guest, account, self.rng.choice(places))

    def move_outside(self) -> None:
        for guest, account in self.inside(self.rng.choice(["active", "left"])):
            self._move(guest, account, self.staff)

    def move_back(self) -> None:
        for guest, account in self.accounts(self.oracle.outside):
            self._move(guest, account, self.oracle.ou)

    def _move(self, guest: str, account: Held, to: str) -> None:
        if account.parent != to:
            self.administrator.move(account.dn, account.rdn, to)
            account.parent = to
            self.tell(f"moved to {to.partition(',')[0]}:", guest)

    def set_bit(self) -> None:
        for guest, account in self.inside(self.rng.choice(["active", "active", "blocked", "left"])):
            self._flags(account, account.flags ^ self.rng.choice([NOT_DELEGATED, DONT_EXPIRE]))
            self.tell("a flag by hand on", guest)

    def disable_by_hand(self) -> None:
        for guest, account in self.inside():
            if account.enabled:
                self._disable(guest, account)

    def _disable(self, guest: str, account: Held) -> None:
        self._flags(account, account.flags | DISABLE)
        self.tell("disabled by hand", guest)

    def enable_by_hand(self) -> None:
        for guest, account in self.accounts(lambda a: not a.enabled and not self.oracle.outside(a)):
            self._flags(account, account.flags & ~DISABLE)
            account.suspended = False
            self.tell("enabled by hand", guest)

    def _flags(self, account: Held, flags: int) -> None:
        self.administrator.replace(account.dn, "userAccountControl", [str(flags)])
        account.flags = flags

    def delete_by_hand(self) -> None:
        for guest, account in [
            *self.inside(self.rng.choice(["active", "active", "blocked", "left"])),
            *self.lost_outside(),
        ]:
            self._delete(guest, account)

    def _delete(self, guest: str, account: Held) -> None:
        self.administrator.delete(account.dn)
        account.deleted = True
        self.tell("account deleted by hand of", guest)

    def undo_by_hand(self) -> None:
        """An account that the last plan made, enabled or changed is disabled, deleted or moved out before an import sees it."""
        last = max((a.since for a in self.oracle.accounts.values() if a.since), default=None)
        for guest, account in self.accounts(lambda a: a.since == last and a.enabled and not self.oracle.outside(a)):
            acts = (self._disable, self._delete, lambda g, a: self._move(g, a, self.staff))
            self.rng.choice(acts)(guest, account)

    def lost_outside(self) -> list[tuple[str, Held]]:
        """Now and then an account that was moved out, with the ones that are there."""
        return self.accounts(self.oracle.outside) if self.rng.random() < 0.1 else []

    def protect(self) -> None:
        for guest, account in self.inside():
            self.administrator.replace(account.dn, "adminCount", ["1"])
            account.protected = True
            self.tell("adminCount on", guest)

    def unprotect(self) -> None:
        for guest, account in self.accounts(lambda a: a.protected):
            self.administrator.replace(account.dn, "adminCount", [])
            account.protected = False
            self.tell("adminCount off", guest)

    def hold(self) -> None:
        for guest in self.guests(self.rng.choice(["active", "left"])):
            if guest not in self.oracle.held:
                self.holds[guest] = self.now + timedelta(days=self.rng.randrange(2, 8))
                self.tell("hold on", guest)

    def squat(self) -> None:
        """Somebody gives a member of staff the name that a guest is about to get; a while later it is taken back."""
        if self.oracle.squatters and self.rng.random() < 0.5:
            name = self.rng.choice(sorted(self.oracle.squatters))
            self.administrator.delete(f"CN={name.partition('_')[0]},{self.staff}")
            self.oracle.squatters.discard(name)
            return
        for guest in self.guests("active"):
            name = self._new_upn()
            cn = name.partition("_")[0]
            attributes = {"userPrincipalName": name, "sAMAccountName": cn}
            self.administrator.user(f"CN={cn},{self.staff}", attributes)
            self.oracle.squatters.add(name.casefold())
            self.tenant.update(guest, userPrincipalName=name)
            self.tell("named as a member of staff:", guest)

    def everybody_leaves(self) -> None:
        """A contract ends: more leave in one day than the guards let pass."""
        for guest in self.guests("active", count=60):
            self.tenant.soft_delete(guest)
            self.tell("soft-deleted with many", guest)


EVENTS: tuple[tuple[Callable[[Day], None], float], ...] = (
    (Day.invite, 6),
    (Day.invite_again, 0.3),
    (Day.rename, 8),
    (Day.change_mail, 4),
    (Day.change_upn, 2),
    (Day.swap, 0.7),
    (Day.pass_on, 0.7),
    (Day.block, 3),
    (Day.unblock, 2.5),
    (Day.delete_softly, 4),
    (Day.delete_for_good, 0.7),
    (Day.undelete, 2),
    (Day.leave_scope, 1.2),
    (Day.back_in_scope, 1),
    (Day.edit, 4),
    (Day.rename_by_hand, 0.5),
    (Day.move_inside, 1.5),
    (Day.move_outside, 0.6),
    (Day.move_back, 0.6),
    (Day.set_bit, 1.5),
    (Day.disable_by_hand, 0.7),
    (Day.enable_by_hand, 0.5),
    (Day.delete_by_hand, 0.8),
    (Day.undo_by_hand, 0.5),
    (Day.protect, 0.5),
    (Day.unprotect, 0.4),
    (Day.hold, 0.4),
    (Day.squat, 0.5),
    (Day.everybody_leaves, 0.05),
)
"""What happens, and how often a day."""
