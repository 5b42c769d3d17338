"""The import of guests: one finished delta round over the guests known so far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.errors import GraphError
from reconciler.graph.attributes import NEVER_NULL
from reconciler.graph.port import Round
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value, clean
from reconciler.policy.model import EvaluationError

Lookup = Callable[[Sequence[str]], dict[str, Guest]]
"""Returns each of these users as it is now: live, or a tombstone where it is not."""


def import_guests(
    old: Mapping[str, Guest],
    round: Round,  # noqa: A002  Graph's own word
    *,
    attributes: Sequence[str],
    wanted: Callable[[Guest], bool],
    lookup: Lookup,
    joined: Collection[str],
    as_of: str,
) -> dict[str, Guest]:
    """Return the guests as they are after this round, sorted by id.

    `attributes` are the only ones kept (Graph's names, `userType` among them). `wanted` is the policy's scope: it lets
    in who is no guest by `userType`, and may raise EvaluationError, which lets nobody in. `joined` holds the ids of
    guests that an account is joined to: only their tombstones are kept. `as_of` becomes `removed_at` of new tombstones.

    Raises GraphError when the round turns out to be incomplete: a full one that left out a user who is there.
    """
    importer = _Importer(old, round, frozenset(attributes) - {"id"}, wanted, frozenset(joined), as_of)
    unsure = sorted(importer.unsure())
    return importer.merged(unsure, lookup(unsure) if unsure else {})


def unseen_guests(old: Mapping[str, Guest], round: Round, *, joined: Collection[str]) -> list[str]:  # noqa: A002
    """Return whom `import_guests` would look up, sorted: the known users of whom this full round says nothing."""
    return sorted(_Importer(old, round, frozenset(), lambda _guest: False, frozenset(joined), "").unsure())


def guest_changes(
    old: Mapping[str, Guest],
    increment: Round,
    *,
    attributes: Sequence[str],
    wanted: Callable[[Guest], bool],
    lookup: Lookup,
    as_of: str,
) -> dict[str, Guest | None]:
    """Return what `import_guests` would make of the guests that an increment names; None for one that is dropped.

    `attributes` are those that `old` was imported with, so that nobody else changes. All tombstones are kept: whose
    account is joined is for the caller to know. Only what is named is looked up in `old`.
    """
    importer = _Importer(old, increment, frozenset(attributes) - {"id"}, wanted, None, as_of)
    unsure = sorted(importer.unsure())
    return importer.changes(unsure, lookup(unsure) if unsure else {})


def check_whole(guests: Iterable[Guest | None], attributes: Collection[str]) -> None:
    """Raise GraphError, naming one, where a live guest lacks what every user has: such state could not be read again.

    Only those who are kept are judged: of a member of the tenant, it is nobody's concern.
    """
    names = NEVER_NULL.intersection(attributes) - {"id"}
    for guest in guests:
        if guest is not None and guest.removed is None and (lacking := names - guest.attributes.keys()):
            raise GraphError(f"Graph does not say {min(lacking)} of user {guest.id}, which every user has", _WITHHELD)


_WITHHELD: Final = (
    "Nothing was written. An app that may not read a property sees none: grant it User.Read.All"
    " (see docs/how-to/least-privilege.md). If it has that, look at this user in Entra, and run again."
)


@dataclass(frozen=True, slots=True)
class _Importer:
    """One import."""

    old: Mapping[str, Guest]
    delta: Round
    attributes: frozenset[str]
    wanted: Callable[[Guest], bool]
    joined: frozenset[str] | None
    """None: anybody known may be."""
    as_of: str

    def unsure(self) -> Iterable[str]:
        """Return the ids of which this round alone does not say what they are now."""
        return self._unseen() if self.delta.full else self._partial()

    def _unseen(self) -> Iterable[str]:
        """Known ids that a full round did not show, except those gone for good or about to be forgotten."""
        for id_ in self.old:
            if id_ in self.delta.users or id_ in self.delta.removed:
                continue
            known = self.old[id_]
            if known.removed is None or (known.removed == "changed" and self._joined(id_)):
                yield id_

    def _partial(self) -> Iterable[str]:
        """Ids that an increment shows with some attributes only, where there is nothing live to lay them over."""
        for id_, properties in self.delta.users.items():
            known = self.old.get(id_)
            if (known is None or known.removed) and not self.attributes <= properties.keys():
                yield id_

    def merged(self, unsure: Sequence[str], found: Mapping[str, Guest]) -> dict[str, Guest]:
        """Return everybody who is kept; `found` answers `unsure`."""
        now = self._settle(sorted(self.old.keys() | self.delta.users.keys()), unsure, found)
        return {id_: guest for id_, guest in now if guest is not None}

    def changes(self, unsure: Sequence[str], found: Mapping[str, Guest]) -> dict[str, Guest | None]:
        """Return the same for those alone whom the round names, with None for who is not kept."""
        return dict(self._settle(sorted(self.delta.users.keys() | self.delta.removed.keys()), unsure, found))

    def _settle(
        self, ids: Iterable[str], unsure: Sequence[str], found: Mapping[str, Guest]
    ) -> Iterator[tuple[str, Guest | None]]:
        if missing := set(unsure) - found.keys():
            raise GraphError(f"user {min(missing)}: the look-up gave no answer", "Run `reconcile snapshot` again.")
        answers = {id_: found[id_] for id_ in unsure}
        for id_ in ids:
            guest = self._settled(answers[id_]) if id_ in answers else self._said(id_)
            yield id_, guest if guest is not None and self._kept(guest) else None

    def _said(self, id_: str) -> Guest | None:
        """Return a user by what the round says, or does not say, of it."""
        if id_ in self.delta.users:
            return self._shown(id_)
        reason = self.delta.removed.get(id_)
        return self._known(id_) if reason is None else self._gone(id_, reason)

    def _shown(self, id_: str) -> Guest:
        """Return a user the round shows: laid over what was known, or, in a full round, instead of it."""
        said = self.delta.users[id_]
        if self.delta.full:
            return Guest(id_, {n: v for n, v in said.items() if n in self.attributes and clean(v) is not None})  # type: ignore[misc]
        known = self.old.get(id_)
        values = dict(known.attributes) if known else {}
        for name, value in said.items():
            if (kept := clean(value)) is None:
                values.pop(name, None)
            else:
                values[name] = kept
        return self._same_or(Guest(id_, self._limited(values)))

    def _settled(self, now: Guest) -> Guest | None:
        """Return a user by what the look-up says of it."""
        if now.removed is None and self.delta.full:
            raise GraphError(
                f"user {now.id} is there, but a full round of the users left it out, so the round was not complete",
                "Nothing was written. Run `reconcile snapshot` again.",
            )
        if now.removed is None:
            return self._same_or(Guest(now.id, self._limited(now.attributes)))
        if now.removed == "deleted" and (known_or_guest := self._vouched(now.id)):
            return known_or_guest
        return self._gone(now.id, now.removed)

    def _vouched(self, id_: str) -> Guest | None:
        """Return a user that an increment shows and a look-up does not see: reading one user lags seconds behind delta.

        The increment is believed, or somebody new would be missed until they change again; if the user is gone after
        all, the next one says so. Somebody unknown must be shown to be a guest.
        """
        shown = self.delta.users.get(id_)
        return self._shown(id_) if shown and (id_ in self.old or _is_guest(shown.get("userType"))) else None

    def _gone(self, id_: str, reason: Removal) -> Guest | None:
        """Return the tombstone of a known user. The first removal's time stays; `deleted` is final."""
        known = self._known(id_)
        if known is None or known.removed in ("deleted", reason):
            return known
        return replace(known, removed=reason, removed_at=known.removed_at or self.as_of)

    def _known(self, id_: str) -> Guest | None:
        known = self.old.get(id_)
        return known and self._same_or(replace(known, attributes=self._limited(known.attributes)))

    def _limited(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in values.items() if name in self.attributes}

    def _same_or(self, guest: Guest) -> Guest:
        """Return what was known where nothing changed, so that nothing is copied."""
        known = self.old.get(guest.id)
        return known if known == guest else guest

    def _joined(self, id_: str) -> bool:
        return id_ in (self.old if self.joined is None else self.joined)

    def _kept(self, guest: Guest) -> bool:
        """Whether this one may enter, or stay: members' data must not."""
        if guest.removed:
            return self._joined(guest.id)
        if guest.id in self.old or _is_guest(guest.attributes.get("userType")):
            return True
        try:
            return self.wanted(guest)
        except EvaluationError:
            return False


def _is_guest(user_type: Value | None) -> bool:
    return isinstance(user_type, str) and user_type.casefold() == "guest"
