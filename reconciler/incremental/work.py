"""Shards summed up, by as many processes as help."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reconciler.git.tree import Files, Tree
from reconciler.model.dn import DN
from reconciler.state.paths import GUESTS

from .hashes import Hasher
from .summary import Summary
from .summing import Summings, summings

_CHUNK: Final = 32
_AHEAD: Final = 24
"""So many chunks are given out at a time: enough that nobody waits, and few that are done and not yet taken in."""
_FEW: Final = 24 << 20
"""Bytes of state up to which one process is done before a second one is ready."""
Summed = dict[str, Summary]
"""Summaries by path."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What summaries are made by, in a form that another process can take."""

    policy: tuple[tuple[str, bytes], ...]
    ous: tuple[str, ...]
    key: bytes


def summarize(recipe: Recipe, here: Summings, tree: Tree, paths: Sequence[str]) -> Iterator[Summed]:
    """Yield summaries by path, some at a time, until all are there. Raises StateError for a damaged shard.

    `here` is what the recipe comes to in this process.
    """
    chunks = [paths[i : i + _CHUNK] for i in range(0, len(paths), _CHUNK)]
    size = 0
    for number, chunk in enumerate(chunks):
        if number == 1 and size * len(chunks) > _FEW:
            yield from _by_processes(recipe, here, tree, chunks[1:])
            return
        found, read = sum_up(here, tree.narrowed(chunk), chunk)
        size += read
        yield found


def _by_processes(recipe: Recipe, here: Summings, tree: Tree, chunks: Sequence[Sequence[str]]) -> Iterator[Summed]:
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    left = dict(enumerate(chunks))
    try:
        pool = ProcessPoolExecutor(_processes(), get_context("spawn"), _end_with_parent)

        def begin(chunk: Sequence[str]) -> Future[Summed]:
            with _left_to_us():
                return pool.submit(_elsewhere, recipe, tree.narrowed(chunk), chunk)

        try:
            waiting, begun = deque(chunks), deque[tuple[int, Future[Summed]]]()
            while waiting or begun:
                while waiting and len(begun) < _AHEAD:
                    begun.append((len(chunks) - len(waiting), begin(waiting.popleft())))
                number, future = begun.popleft()
                yield future.result()
                del left[number]
        finally:
            with _left_to_us():  # one that is still starting would complain of what is gone
                pool.shutdown(wait=True, cancel_futures=True)
    except (BrokenProcessPool, OSError):  # no second process to be had here, or it was killed: this one goes on
        for chunk in left.values():
            yield sum_up(here, tree.narrowed(chunk), chunk)[0]


@contextmanager
def _left_to_us() -> Iterator[None]:
    """Start and end processes undisturbed. They leave Ctrl-C to this one: what is blocked here stays blocked in them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _processes() -> int:
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def sum_up(
    summings: Summings, source: Files, paths: Sequence[str], before: Mapping[str, Summary | None] | None = None
) -> tuple[Summed, int]:
    """Sum up some shards here; `before` has earlier summaries by path. Returns as well how many bytes were read."""
    guests, accounts = summings
    known = before or {}
    found: Summed = {}
    size = 0
    for path, data in source.read_all(paths):
        old = known.get(path)
        made = guests.summary(data, path, old) if path.startswith(GUESTS) else accounts.summary(data, path, old)
        found[path] = made
        size += len(data)
    return found, size


@lru_cache(maxsize=1)
def _there(recipe: Recipe) -> Summings:
    from reconciler.policy.load import load_policy

    ous = tuple(DN(ou) for ou in recipe.ous)
    return summings(load_policy(recipe.policy, ous), ous, Hasher(recipe.key))


def _end_with_parent() -> None:
    """End when the process that asked has ended, however it did: a pool's own processes would wait for its next word for ever."""
    from multiprocessing import parent_process
    from threading import Thread

    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _elsewhere(recipe: Recipe, source: Files, paths: Sequence[str]) -> Summed:
    return sum_up(_there(recipe), source, paths)[0]
