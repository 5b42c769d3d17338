"""What the rest of the program asks of Microsoft Graph. Read-only: nothing here can write to a tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.scratch import Scratch

Properties = Mapping[str, Value | None]
"""Graph properties by name. None is an explicit null; a property that is absent was not said."""


@dataclass(frozen=True, slots=True)
class Round:
    """One finished delta round: every page was read, and the last one carried a deltaLink.

    In a full round `users` is the whole tenant. In an increment each user may hold only what changed.
    Repeats are already merged, the later page winning; an id is in `users` or in `removed`, never in both.
    Values are normalised: ids lower-case, lists sorted, lone surrogates replaced by U+FFFD, empty strings null.
    """

    full: bool
    delta_link: str
    users: Mapping[str, Properties] = field(default_factory=dict)
    removed: Mapping[str, Removal] = field(default_factory=dict)


class GuestSource(Protocol):
    """Reads users of one Entra tenant."""

    def round(
        self,
        attributes: Sequence[str],
        link: str | None,
        progress: Callable[[int], None] = lambda _n: None,
        scratch: Scratch | None = None,
    ) -> Round:
        """Read a delta round selecting `attributes` (sorted, `id` included by the caller or not: it always comes).

        `link` is a stored deltaLink, replayed unchanged; None starts a full round. `progress` is told how many users
        have been read so far, once a page. Raises DeltaExpiredError when the link is no longer honoured, GraphError for
        anything that leaves the round incomplete (failed page, cut body, no deltaLink).

        With `scratch`, the users of a full round may be kept there (`spool.Spooled`) as long as it is open: they are then
        read a part at a time. A user may lack what every user has: see `state.import_guests.check_whole`.
        """
        ...

    def lookup(self, ids: Sequence[str], attributes: Sequence[str]) -> dict[str, Guest]:
        """Return every asked-for user as it is now, in `$batch`es.

        A live one has its attributes. One that is not live is a tombstone: `removed="changed"` when it is among the
        tenant's deleted items, `removed="deleted"` when it is nowhere.
        """
        ...
