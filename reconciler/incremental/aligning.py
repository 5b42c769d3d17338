"""The alignment of a tree by way of what is remembered of another one, where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Aligned:
    """The alignment of a tree, and what the cache holds: of it, or of the one that it came from; None: of neither."""

    alignment: Alignment
    kept: bytes | None


def align(
    source: Tidy,
    cache: Cache,
    context: bytes,
    now: int,
    entries: int,
    hasher: Hasher,
    *,
    before: Aligned | None = None,
    passing: bool = False,
    anew: bool = False,
) -> Aligned:
    """Return the alignment of the source's tree, and keep it for the next one. Raises StateError for a damaged shard.

    `context` tells what all summaries are made by, `now` is the as-of time (s), `entries` about how many there are on the
    greater side. `before` is that of another tree, which is used up; else the cache's is gone on from. One in `passing` is not kept
    where another one will come of it. With `anew`, nothing that was found in earlier alignments counts.
    """
    start = None if anew else before or _remembered(cache, context, hasher)
    if start is not None:
        try:
            found = onwards(start.alignment, source, now, entries)
        except LostError:
            pass
        else:
            return Aligned(found, start.kept) if passing else _kept(source, cache, context, found, start.kept)
    return _kept(source, cache, context, afresh(source, now, entries, hasher), None)


def _remembered(cache: Cache, context: bytes, hasher: Hasher) -> Aligned | None:
    def load(buckets: Sequence[int]) -> dict[int, bytes]:
        return cache.buckets(context, buckets)

    kept = cache.aligned(context)
    with suppress(LostError):
        return None if kept is None else Aligned(Alignment.of(kept, load, hasher), kept)
    return None


def _kept(source: Tidy, cache: Cache, context: bytes, found: Alignment, kept: bytes | None) -> Aligned:
    """Keep an alignment that was found in place of the kept one that it came from."""
    if not cache.usable:
        return Aligned(found, kept)
    buckets = found.index.changes()
    if (packed := found.pack()) != kept:
        cache.keep_aligned(context, kept, packed, buckets)
    source.tidy()
    return Aligned(found, packed)
