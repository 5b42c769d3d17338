"""The alignment of a tree by way of what is remembered of another one, where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .alignment import Alignment, Source, afresh
from .cache import Cache
from .hashes import Hasher
from .index import LostError
from .onwards import onwards


class Tidy(Source, Protocol):
    """A source that keeps what it makes."""

    def tidy(self) -> None:
        """Forget what is no more of use."""
        ...


def align(
    source: Tidy, cache: Cache, context: bytes, now: int, entries: int, hasher: Hasher, *, anew: bool = False
) -> Alignment:
    """Return the alignment of the source's tree, and keep it for the next one. Raises StateError for a damaged shard.

    `context` tells what all summaries are made by, `now` is the as-of time (s), `entries` about how many there are on the
    greater side. With `anew`, nothing that was found in earlier alignments counts.
    """

    def load(buckets: Sequence[int]) -> dict[int, bytes]:
        return cache.buckets(context, buckets)

    kept = None if anew else cache.aligned(context)
    found = None
    if kept is not None:
        try:
            found = onwards(Alignment.of(kept, load, hasher), source, now, entries)
        except LostError:
            kept = None
    if found is None:
        found = afresh(source, now, entries, hasher)
    if cache.usable:
        buckets = found.index.changes()
        if (packed := found.pack()) != kept:
            cache.keep_aligned(context, kept, packed, buckets)
        source.tidy()
    return found
