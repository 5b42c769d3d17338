"""The state without what is plainly in order: small, and yet the planner makes the same plan of it.

Kept are all entries whose hash has no equal on the other side, everything that a rule could bring together with them (join
keys, anchors, holds, the other half of a join), and, once the plan is known, whoever holds a name it would take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.planning.names import Name, folded_name, names_of
from reconciler.planning.plan import make_plan
from reconciler.policy.expressions import Compiled
from reconciler.policy.model import Policy
from reconciler.policy.pieces import pieces, tells_guests_apart
from reconciler.state.model import Claim, Manifest, State
from reconciler.state.paths import ACCOUNTS, GUESTS, account_path, guest_path, is_guid, is_sid

from .alignment import Alignment, Source
from .hashes import Hasher, numbers
from .index import JOINED, KEYS, NAMES
from .joined import guest_number, join_key_of, name_key
from .newcomers import Newcomers
from .shards import Known, Opened, Paths, account_shards, guest_shards
from .summary import LACKS
from .suspects import Picks, repeated


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
        alignment: Alignment,
        source: Source,
        opened: Opened,
        paths: Paths,
        policy: Policy,
        settings: Settings,
        hasher: Hasher,
        few: int = 2000,
        known: Known | None = None,
    ) -> None:
        self._manifest = manifest
        self._claims = claims
        self._alignment = alignment
        self._sides = alignment.sides
        self._index = alignment.index
        self._source = source
        known = known or Known()
        self._guests = guest_shards(paths, lambda numbers: source.of(GUESTS, numbers), opened, known)
        self._accounts = account_shards(paths, lambda numbers: source.of(ACCOUNTS, numbers), opened, known)
        self._policy = policy
        self._settings = settings
        self._hash = hasher
        self._few = few
        self._left_out = 0

    @property
    def live(self) -> int:
        """How many live guests there are."""
        return sum(line.counted for line in self._sides[GUESTS].lines.values())

    @property
    def tombstones(self) -> int:
        """How many removed guests there are."""
        return self._sides[GUESTS].count - self.live

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return self._sides[ACCOUNTS].count

    def lacks(self, attributes: Iterable[str]) -> bool:
        """Whether some live guest lacks one of these, which every user has."""
        bits = 0
        for line in self._sides[GUESTS].lines.values():
            bits |= line.lacking
        return any(bits >> bit & 1 for bit, name in enumerate(LACKS) if name in attributes)

    @cached_property
    def state(self) -> State:
        """Everybody who may need a look, in the order in which the whole state has them."""
        picks = self._sides[GUESTS].picks
        holds = [h.subject for h in self._policy.holds]
        self._accounts.keep(self._sides[ACCOUNTS].picks, self._of_accounts(holds))
        several = sum(map(len, picks.values())) > self._settings.batch + self._few
        picks, newcomers = self._newcomers(picks, holds) if several else (picks, None)
        self._guests.keep(picks, self._of_guests(holds))
        self._guests.keep(self._by_key(self._accounts.kept()), self._of_guests(self._joined()))
        self._accounts.keep(self._by_guest(self._guests.kept()), {})
        # Marks may be shared: whose account was kept for another one's sake is kept, too.
        self._guests.keep({}, self._of_guests(self._joined() - {guest.id for guest in self._guests.kept()}))
        if newcomers is not None:
            names = {(c.attribute, folded_name(c.attribute, c.value)) for c in self._claims} | self._taken()
            names.update(name for account in self._accounts.kept() for name in names_of(account))
            chosen = newcomers.chosen(self._settings.batch, self._held, names)
            self._left_out = len(newcomers) - sum(map(len, chosen.values()))
            self._guests.keep(chosen, {})
        return self._kept()

    def _kept(self) -> State:
        guests = {g.id: g for g in self._guests.kept()}
        accounts = {a.sid: a for a in self._accounts.kept()}
        return State(self._manifest, guests, accounts, self._claims)

    def _newcomers(self, picks: Picks, holds: Iterable[str]) -> tuple[Picks, Newcomers | None]:
        """Return those of the guests who are no newcomers, and the newcomers; all of them, where those are few enough."""
        numbers_of = {number: numbers(summary.own) for number, summary in self._source.of(GUESTS, picks)}
        wanted = {numbers_of[number][entry] for number, entries in picks.items() for entry in entries}
        # What is in a file that a person has edited is in no index; all of it is kept.
        joined = {guest_number(a.guest) for a in self._accounts.kept() if a.guest is not None}
        joined &= wanted
        for _, summary in self._source.of(ACCOUNTS, self._index.find(JOINED, wanted)):
            joined |= wanted.intersection(numbers(summary.own))
        if len(wanted) - len(joined) <= self._settings.batch + self._few:
            return picks, None
        held = {subject.casefold() for subject in holds}
        newcomers = Newcomers(self._policy, self._hash, held, joined)
        met = self._by_key(self._accounts.kept())
        unmet = {number: entries - met.get(number, set()) for number, entries in picks.items()}
        left = self._guests.look(unmet, newcomers.take)
        for number, entries in picks.items():
            left.setdefault(number, set()).update(entries & met.get(number, set()))
        return left, newcomers

    def _held(self, names: set[int]) -> set[int]:
        """Which of these names accounts may hold: all that they do, and hardly any other."""
        return {name for some in self._index.find(NAMES, names).values() for name in some}

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
        of_all = sum(line.counted for line in self._sides[ACCOUNTS].lines.values())
        return of_all - sum(a.guest is not None and a.missing is None for a in kept)

    def find(self, names: Collection[Name], sids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts that hold one of these names, or have one of these SIDs."""
        picks = self._with({self._hash.number(name_key(name)) for name in names}, NAMES)
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

    def _by_key(self, accounts: Iterable[Account]) -> Picks:
        """Return the guests that a free account could be joined to, or whose anchor an account bears."""
        joins, anchor = self._policy.joins, self._policy.anchor
        keys = set()
        for account in accounts:
            for join in joins if account.guest is None else (anchor,):
                keys.add(join_key_of(join.attribute, account.attributes.get(join.attribute)))
                if join.attribute == "cn":
                    keys.add(join_key_of("cn", account.dn.name))
        return self._with({self._hash.number(key) for key in keys - {""}} | self._shared_anchors(), KEYS)

    def _shared_anchors(self) -> set[int]:
        """The anchors of more than one guest; none where the policy's anchor cannot be."""
        expression = self._policy.anchor.expression
        if isinstance(expression, Compiled) and tells_guests_apart(pieces(expression.syntax.shape)):
            return set()
        guests = self._source.of(GUESTS, self._sides[GUESTS].lines)
        return repeated((summary.lookups for _, summary in guests), len(self._policy.joins))

    def _by_guest(self, guests: Iterable[Guest]) -> Picks:
        """Return the accounts that are joined to one of these guests."""
        return self._with({guest_number(guest.id) for guest in guests}, JOINED)

    def _with(self, wanted: set[int], kind: int) -> Picks:
        return self._alignment.find(self._source, kind, wanted)
