"""The state without what is plainly in order: small, and yet the planner makes the same plan of it.

Kept are all entries whose hash has no equal on the other side, everything that a rule could bring together with them (join
keys, anchors, holds, the other half of a join), and, once the plan is known, whoever holds a name it would take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.planning.names import Name, folded_name
from reconciler.planning.plan import make_plan
from reconciler.policy.expressions import Compiled
from reconciler.policy.model import Policy
from reconciler.policy.pieces import pieces, tells_guests_apart
from reconciler.state.model import Claim, Manifest, State
from reconciler.state.paths import account_path, guest_path, is_guid, is_sid

from .hashes import SIZE, Hasher, numbers
from .joined import guest_key, join_key_of, name_key
from .newcomers import Newcomers
from .parts import CLEAN, GUESTS, KEYS, NAMES
from .shards import AccountShards, GuestShards
from .summary import Clean
from .suspects import Picks, find, repeated, suspects

_NAMES_EACH = 3


class _Heard:
    """A Rest that nobody is in, and that hears which names are asked for."""

    managed = deferred = 0

    def __init__(self) -> None:
        self.names: set[Name] = set()

    def find(self, names: Collection[Name], sids: Collection[str]) -> Mapping[str, Account]:  # noqa: ARG002  the port's
        self.names |= set(names)
        return {}


class Reduced:
    """The reduced state, and what is known of the rest. It is a `planning.rest.Rest`."""

    def __init__(
        self,
        manifest: Manifest,
        claims: tuple[Claim, ...],
        guests: GuestShards,
        accounts: AccountShards,
        policy: Policy,
        settings: Settings,
        hasher: Hasher,
        few: int = 2000,
    ) -> None:
        self._manifest = manifest
        self._claims = claims
        self._guests = guests
        self._accounts = accounts
        self._policy = policy
        self._settings = settings
        self._hash = hasher
        self._few = few
        self._left_out = 0
        self._clean_guests = [Clean.of(packed) for packed in guests.part(CLEAN)]
        self._clean_accounts = [Clean.of(packed) for packed in accounts.part(CLEAN)]

    @property
    def live(self) -> int:
        """How many live guests there are."""
        return sum(shard.second for shard in self._clean_guests)

    @property
    def tombstones(self) -> int:
        """How many removed guests there are."""
        return sum(shard.count for shard in self._clean_guests) - self.live

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return sum(shard.count for shard in self._clean_accounts)

    def lacks(self, attributes: Iterable[str]) -> bool:
        """Whether some live guest lacks one of these, which every user has."""
        lacking = {name for shard in self._clean_guests if shard.lacks for name in shard.lacking}
        return not lacking.isdisjoint(attributes)

    @cached_property
    def state(self) -> State:
        """Everybody who may need a look, in the order in which the whole state has them."""
        now = int(datetime.fromisoformat(self._manifest.as_of).timestamp())
        guest_picks, account_picks = suspects(self._clean_guests, self._clean_accounts, now)
        holds = [h.subject for h in self._policy.holds]
        self._accounts.keep(account_picks, self._of_accounts(holds))
        several = sum(map(len, guest_picks.values())) > self._settings.batch + self._few
        guest_picks, newcomers = self._newcomers(guest_picks, holds) if several else (guest_picks, None)
        self._guests.keep(guest_picks, self._of_guests(holds))
        self._guests.keep(self._by_key(self._accounts.kept()), self._of_guests(self._joined()))
        self._accounts.keep(self._by_guest(self._guests.kept()), {})
        if newcomers is not None:
            names = {(c.attribute, folded_name(c.attribute, c.value)) for c in self._claims} | self._taken()
            chosen = newcomers.chosen(self._settings.batch, self._accounts.part(NAMES), names)
            self._left_out = len(newcomers) - sum(map(len, chosen.values()))
            self._guests.keep(chosen, {})
        return self._kept()

    def _kept(self) -> State:
        guests = {g.id: g for g in self._guests.kept()}
        accounts = {a.sid: a for a in self._accounts.kept()}
        return State(self._manifest, guests, accounts, self._claims)

    def _newcomers(self, picks: Picks, holds: Iterable[str]) -> tuple[Picks, Newcomers]:
        """Return those of the guests who are no newcomers, and the newcomers."""
        joined = {h for packed in self._accounts.part(GUESTS) for h in numbers(packed)}
        held = {subject.casefold() for subject in holds}
        newcomers = Newcomers(self._policy, self._hash, held, joined)
        met = self._by_key(self._accounts.kept())
        unmet = {number: entries - met.get(number, set()) for number, entries in picks.items()}
        left = self._guests.look(unmet, newcomers.take)
        for number, entries in picks.items():
            left.setdefault(number, set()).update(entries & met.get(number, set()))
        return left, newcomers

    def _taken(self) -> set[Name]:
        """The names that changes of those kept so far would take."""
        heard = _Heard()
        make_plan(self._kept(), self._policy, self._settings, (), heard)
        return heard.names

    @property
    def deferred(self) -> int:
        """How many newcomers were left out, since others come first."""
        return self._left_out

    @cached_property
    def managed(self) -> int:
        """How many of the accounts that were left out are joined to a guest and there."""
        kept = self.state.accounts.values()
        of_all = sum(shard.second for shard in self._clean_accounts)
        return of_all - sum(a.guest is not None and a.missing is None for a in kept)

    def find(self, names: Collection[Name], sids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts that hold one of these names, or have one of these SIDs."""
        needles = {self._hash.number(name_key(name)) for name in names}
        parts = self._accounts.part(NAMES) if needles else []
        picks = find(parts, needles, lambda place, _: place // _NAMES_EACH)
        self._accounts.keep(picks, self._of_accounts(sids))
        return {a.sid: a for a in self._accounts.kept()}

    def _joined(self) -> set[str]:
        return {a.guest for a in self._accounts.kept() if a.guest is not None}

    def _of_guests(self, subjects: Iterable[str]) -> dict[str, set[str]]:
        """Return guests' ids by the shard each would be in."""
        found: dict[str, set[str]] = {}
        for subject in {s.casefold() for s in subjects}:
            if is_guid(subject):
                found.setdefault(guest_path(subject), set()).add(subject)
        return found

    def _of_accounts(self, subjects: Iterable[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for subject in {s.upper() for s in subjects}:
            if is_sid(subject):
                found.setdefault(account_path(subject), set()).add(subject)
        return found

    def _by_key(self, accounts: Iterable[Account]) -> dict[int, set[int]]:
        """Return the guests that a free account could be joined to, or whose anchor an account bears."""
        joins, anchor = self._policy.joins, self._policy.anchor
        keys = set()
        for account in accounts:
            for join in joins if account.guest is None else (anchor,):
                keys.add(join_key_of(join.attribute, account.attributes.get(join.attribute)))
                if join.attribute == "cn":
                    keys.add(join_key_of("cn", account.dn.name))
        needles = {self._hash.number(key) for key in keys - {""}} | self._shared_anchors()
        parts = self._guests.part(KEYS) if needles else []
        return find(parts, needles, lambda place, many: place % (many // len(joins)))

    def _shared_anchors(self) -> set[int]:
        """The anchors of more than one guest; none where the policy's anchor cannot be."""
        expression = self._policy.anchor.expression
        if isinstance(expression, Compiled) and tells_guests_apart(pieces(expression.syntax.shape)):
            return set()
        parts: Sequence[bytes] = self._guests.part(KEYS)
        return repeated(parts, [len(p) // SIZE // len(self._policy.joins) for p in parts])

    def _by_guest(self, guests: Iterable[Guest]) -> dict[int, set[int]]:
        """Return the accounts that are joined to one of these guests."""
        needles = {self._hash.number(guest_key(guest.id)) for guest in guests}
        parts = self._accounts.part(GUESTS) if needles else []
        return find(parts, needles, lambda place, _: place)
