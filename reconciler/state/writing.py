"""Puts a state below an operations directory: what differs, each file whole, the manifest last (see `store`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from reconciler.progress import Task

from .canonical import dump
from .claims import claims_document
from .files import Files, is_temporary
from .forms import ACCOUNT_FORM, GUEST_FORM
from .manifest import dump_manifest
from .model import Manifest, State
from .paths import ACCOUNTS, CLAIMS, GUESTS, MANIFEST, is_shard
from .shards import Form, Renewed, everything, files_of

Record = TypeVar("Record")

_WRITERS = 32
"""Files made durable at a time: a journalling file system commits them together, ten times as fast as one by one."""
_BATCH = 512


class Writing:
    """One write of the state. `old` is what the new one was imported over: its manifest says so until the end."""

    def __init__(self, files: Files, old: State | None) -> None:
        self._files = files
        self._old = old
        self._changed: set[str] = set()

    def run(self, new: State, task: Task) -> list[str]:
        """Write what differs; return the paths that changed, sorted. `task` is told how many records are done."""
        present = self._files.below("state")
        for path in filter(is_temporary, present):
            self._files.remove(path)
        here = set(present)
        obsolete = {path for path in present if path == CLAIMS}
        with ThreadPoolExecutor(_WRITERS) as pool:
            pending: list[tuple[str, bytes]] = []
            done = 0
            for path, data, records in self._contents(new, present, obsolete):
                obsolete.discard(path)
                done += records
                if path not in here or self._files.read(path) != data:
                    pending.append((path, data))
                if len(pending) >= _BATCH:
                    self._put(pool, pending, new)
                    pending = []
                    task.done(done)
            self._put(pool, pending, new)
            task.done(done)
            for path in sorted(obsolete):
                self._begin(new)
                self._files.remove(path)
                self._changed.add(path)
            self._finish(new, pool)
        return sorted(self._changed)

    def _contents(self, new: State, present: Collection[str], obsolete: set[str]) -> Iterator[tuple[str, bytes, int]]:
        """Yield every file that may differ but the manifest: path, bytes, records; add to `obsolete` what must go."""
        yield from _side(new.guests, GUEST_FORM, GUESTS, present, obsolete)
        yield from _side(new.accounts, ACCOUNT_FORM, ACCOUNTS, present, obsolete)
        if new.claims:
            yield CLAIMS, dump(claims_document(new.claims)), 0

    def _put(self, pool: Executor, files: list[tuple[str, bytes]], new: State) -> None:
        if files:
            self._begin(new)
            self._changed.update(path for path, _ in files)
            self._files.replace_all(files, pool)

    def _begin(self, new: State) -> None:
        if not self._changed:
            interim = Manifest(0, new.manifest.as_of, None, None) if self._old is None else self._old.manifest
            self._files.replace(MANIFEST, dump_manifest(interim, incomplete=True))
            self._files.settle("state")

    def _finish(self, new: State, pool: Executor) -> None:
        folders = {path.rsplit("/", depth)[0] for path in self._changed for depth in (1, 2)}
        self._files.settle_all(folders, pool)
        manifest = dump_manifest(new.manifest)
        if self._files.read(MANIFEST) != manifest:
            self._files.replace(MANIFEST, manifest)
            self._files.settle("state")
            self._changed.add(MANIFEST)


def _side(
    after: Mapping[str, Record],
    form: Form[Record],
    folder: str,
    present: Collection[str],
    obsolete: set[str],
) -> Iterator[tuple[str, bytes, int]]:
    """Yield one side's shards that may differ: path, bytes, records; add to `obsolete` those that hold nobody any more."""
    files = files_of(after)
    if files is not None:
        counts = after.counts if isinstance(after, Renewed) else {}
        for path in files:
            data = files[path]
            if data is None:
                obsolete.add(path)
            else:
                yield path, data, counts.get(path, 0)
        return
    obsolete |= {path for path in present if path.startswith(f"{folder}/") and is_shard(path)}
    yield from everything(after, form)
