"""What becomes of accounts made by others: whom each would join, by which rule, and what that would change.

Told from a plan and the state it was made from, so that it says what the plan would do, no more and no less. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.model.account import Account
from reconciler.model.dn import DN, within
from reconciler.model.plan import Action, Change, Conflict, Delta, Plan, Rule
from reconciler.policy.model import Policy
from reconciler.state.model import State

from .anchors import named_guest
from .makers import Maker, maker
from .rivals import Person, Rival, person, rivals


@dataclass(frozen=True, slots=True)
class Pair:
    """An account and its guest. `rule` found it; None where they are joined already. `changes` is what the plan does to it."""

    account: Account
    guest: Person
    maker: Maker
    rule: Rule | None
    changes: tuple[Change, ...]

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """Everything that changes, by attribute; a secret is not among them."""
        return tuple(sorted((d for c in self.changes for d in c.deltas if not d.secret), key=lambda d: d.attribute))


@dataclass(frozen=True, slots=True)
class Dispute:
    """What needs a person: `guests` on one side, `accounts` on the other. Nothing of it is ever applied."""

    kind: str
    what: str
    remedy: str
    rule: Rule | None
    guests: tuple[Person, ...]
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Orphan:
    """An account of no guest. `names` is the id in its anchor: a guest nobody knows."""

    account: Account
    maker: Maker
    names: str | None
    rivals: tuple[Rival, ...]


@dataclass(frozen=True, slots=True)
class Adoption:
    """Every account under the OUs, told apart.

    An account is in `joins` (would be taken over), `joined` (ours already), `disputed` or `orphans`. `disputes` has the
    conflicts, those about no account too. `creates` counts the guests who would get a new account.
    """

    plan: Plan
    joins: tuple[Pair, ...]
    joined: tuple[Pair, ...]
    disputes: tuple[Dispute, ...]
    disputed: tuple[Account, ...]
    orphans: tuple[Orphan, ...]
    creates: int

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return len(self.joins) + len(self.joined) + len(self.disputed) + len(self.orphans)

    @property
    def rules(self) -> dict[Rule, int]:
        """How many accounts each rule would join."""
        return dict(sorted(Counter(p.rule for p in self.joins if p.rule).items(), key=lambda r: (r[0].line, r[0].name)))

    @property
    def makers(self) -> dict[Maker, int]:
        """How many accounts of each pattern are not joined yet."""
        seen = Counter([*(p.maker for p in self.joins), *(o.maker for o in self.orphans), *map(maker, self.disputed)])
        return {m: seen[m] for m in Maker if seen[m]}

    @property
    def attributes(self) -> dict[str, int]:
        """How many of the accounts to be joined each attribute changes on."""
        return dict(sorted(Counter(d.attribute for p in self.joins for d in p.deltas).items()))


def adoption(state: State, policy: Policy, ous: Sequence[DN], plan: Plan) -> Adoption:
    """Return what `plan`, made from `state` and `policy`, means for accounts made by others."""
    return _Report(state, policy, ous, plan).make()


class _Report:
    def __init__(self, state: State, policy: Policy, ous: Sequence[DN], plan: Plan) -> None:
        self._state = state
        self._policy = policy
        self._plan = plan
        self._live = {a.sid: a for a in state.accounts.values() if a.missing is None and (a.guest or within(a.dn, ous))}
        self._changes: dict[str, list[Change]] = defaultdict(list)
        for change in plan.changes:
            if change.sid is not None:
                self._changes[change.sid].append(change)
        self._rivals = rivals(state, policy, [a for a in self._live.values() if a.guest is None])
        self._found: dict[str, list[str]] = defaultdict(list)
        for sid, some in self._rivals.items():
            for rival in some:
                self._found[rival.guest.id].append(sid)

    def make(self) -> Adoption:
        disputes = self._disputes()
        sides: dict[str, set[str]] = defaultdict(set)
        for dispute in disputes:
            for account in dispute.accounts:
                sides[account.sid] |= {g.id for g in dispute.guests}
        pairs: list[Pair] = []
        disputed: list[Account] = []
        orphans: list[Orphan] = []
        for account in self._live.values():
            if self._in_dispute(account, sides[account.sid]):
                disputed.append(account)
            elif (pair := self._pair(account)) is not None:
                pairs.append(pair)
            else:
                orphans.append(self._orphan(account))
        creates = sum(c.action is Action.CREATE and c.sid is None for c in self._plan.changes) + self._plan.deferred
        return Adoption(
            plan=self._plan,
            joins=tuple(p for p in pairs if p.rule is not None),
            joined=tuple(p for p in pairs if p.rule is None),
            disputes=disputes,
            disputed=tuple(disputed),
            orphans=tuple(orphans),
            creates=creates,
        )

    def _pair(self, account: Account) -> Pair | None:
        changes = tuple(self._changes[account.sid])
        taken = next((c for c in changes if c.action is Action.JOIN), None) if account.guest is None else None
        anchored = (r.guest.id for r in self._rivals[account.sid] if r.rule == self._policy.anchor.expression.rule)
        guest_id = account.guest or (taken.guest if taken else next(anchored, None))
        if guest_id is None:
            return None
        guest = self._state.guests.get(guest_id)
        rule = taken.rule if taken else None
        made_by = Maker.OURS if account.guest and not account.adopted else maker(account, guest)
        return Pair(account, self._person(guest_id), made_by, rule, changes)

    def _orphan(self, account: Account) -> Orphan:
        named = named_guest(account.attributes.get(self._policy.anchor.attribute), self._policy)
        return Orphan(account, maker(account), named, tuple(self._rivals[account.sid]))

    def _in_dispute(self, account: Account, guests: set[str]) -> bool:
        """Whether an account with these guests on the other side is nobody's yet: holding a name somebody wants is no dispute."""
        if not guests or any(c.action is Action.JOIN for c in self._changes[account.sid]):
            return False
        return account.guest is None or account.guest in guests

    def _disputes(self) -> tuple[Dispute, ...]:
        """Conflicts with both sides as records; those of several guests about one account are one."""
        found: dict[tuple[str, str], Dispute] = {}
        for conflict in (*self._plan.conflicts, *self._plan.held):
            accounts = self._accounts(conflict)
            guest = Person(conflict.subject, conflict.label)
            key = (conflict.subject, f"{conflict.kind} {conflict.what}")
            if conflict.kind == "ambiguous-join" and len(accounts) == 1:
                key = (accounts[0].sid, conflict.kind)
            if earlier := found.get(key):
                found[key] = _shared(earlier, guest)
            else:
                found[key] = Dispute(conflict.kind, conflict.what, conflict.remedy, conflict.rule, (guest,), accounts)
        return tuple(found.values())

    def _accounts(self, conflict: Conflict) -> tuple[Account, ...]:
        """The accounts a conflict is about; where it is about the guest alone, the one that would be theirs."""
        sids = conflict.accounts or self._found[conflict.subject]
        return tuple(self._live[sid] for sid in dict.fromkeys(sids) if sid in self._live)

    def _person(self, guest_id: str) -> Person:
        return person(self._state.guests.get(guest_id), guest_id)


def _shared(dispute: Dispute, guest: Person) -> Dispute:
    guests = (*dispute.guests, guest)
    sid = dispute.accounts[0].sid
    return replace(
        dispute, guests=guests, what=f"account {sid} matches {len(guests)} guests: {', '.join(g.id for g in guests)}"
    )
