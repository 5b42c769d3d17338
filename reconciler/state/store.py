"""`state/` as a whole: read from a git tree, written into a working tree.

How an interrupted write shows: before the first shard changes, the manifest of the *old* import is written again with
`incomplete: true` (where there was none, one that names neither side); the new manifest replaces it as the last thing.
`load_state` refuses an incomplete state. `load_or_empty` takes it: each record in it is the old import's or the new
one's, the cursors are the old import's, and replaying changes from there over records that already have them changes
nothing. Apart from that, the manifest's counts must agree with what is there, or a shard was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from reconciler.errors import NotImportedError, StateError
from reconciler.git.tree import Tree
from reconciler.graph.attributes import NEVER_NULL
from reconciler.model.account import Account
from reconciler.model.guest import Guest

from .canonical import Node, dump
from .claims import claims_document, read_claims
from .files import Files, is_temporary
from .manifest import dump_manifest, read_manifest
from .model import Claim, GraphCursor, Manifest, State
from .paths import ACCOUNTS, CLAIMS, GUESTS, MANIFEST, account_path, guest_path, is_shard
from .records import accounts_document, guests_document, read_accounts, read_guests
from .shards import Changed, Shards

__all__ = [
    "account_path",
    "count_guests",
    "guest_path",
    "last_import",
    "load_claims",
    "load_manifest",
    "load_or_empty",
    "load_state",
    "open_state",
    "shard_paths",
    "write_state",
]

Record = TypeVar("Record")

_WRITERS = 32
"""Files made durable at a time: a journalling file system commits them together, ten times as fast as one by one."""
_BATCH = 512
_RESTORE = "Restore state/ from git, or run `reconcile snapshot --full`."


def load_state(tree: Tree) -> State:
    """Return the state; raise StateError where it is absent, damaged, half-written or not what its manifest says."""
    state = _load(tree, load_manifest(tree))
    _check_counts(state)
    _check_attributes(state.manifest, state.guests)
    return state


def load_manifest(tree: Tree) -> Manifest:
    """Return the manifest of a whole state; raise StateError where it is absent, damaged, or says that it is not whole."""
    data = tree.read(MANIFEST)
    if data is None:
        raise NotImportedError(f"{MANIFEST}: nothing has been imported yet", "Run `reconcile snapshot`.")
    written = read_manifest(data)
    if written.incomplete:
        raise StateError(
            f"{MANIFEST}: an import was interrupted while it was being written",
            "Run `reconcile snapshot` again, or restore state/ from git.",
        )
    return written.manifest


def load_claims(tree: Tree) -> tuple[Claim, ...]:
    """Return the claims; raise StateError where the file is damaged."""
    data = tree.read(CLAIMS)
    return () if data is None else read_claims(data, CLAIMS)


def load_or_empty(tree: Tree, *, full: bool = False) -> State | None:
    """Return the state to import over, or None before the first import.

    Takes one whose writing was interrupted. With `full` (both sides are about to be read in full, so only joins and
    what goes with them matter) also one whose counts are off. Raises StateError for a damaged file, and for shards
    without a manifest, since starting afresh over them would forget joins.
    """
    data = tree.read(MANIFEST)
    if data is None:
        if shard_paths(tree, GUESTS) or shard_paths(tree, ACCOUNTS):
            raise StateError(
                f"{MANIFEST}: there is none, but there are guests or accounts",
                f"Restore it from git, or delete {GUESTS} and {ACCOUNTS} to start afresh.",
            )
        return None
    written = read_manifest(data)
    if written.manifest.graph is None and written.manifest.directory is None:
        return None
    state = _load(tree, written.manifest)
    if not full and not written.incomplete:
        _check_counts(state)
        _check_attributes(state.manifest, state.guests)
    return state


def last_import(tree: Tree) -> Manifest | None:
    """Return what the last import was, None before the first; nothing but the manifest is read."""
    data = tree.read(MANIFEST)
    found = None if data is None else read_manifest(data).manifest
    return None if found is None or (found.graph is None and found.directory is None) else found


def open_state(tree: Tree) -> State | None:
    """Return what `load_or_empty` does, reading what is looked at, when it is.

    The damage that this leaves unseen it leaves as it is: counts keep being off by as much, and `load_state` refuses them.
    """
    data = tree.read(MANIFEST)
    written = None if data is None else read_manifest(data)
    if written is None or written.incomplete or last_import(tree) is None:
        return load_or_empty(tree)
    manifest = written.manifest
    graph, directory = manifest.graph, manifest.directory

    def guests(data: bytes, path: str) -> dict[str, Guest]:
        read = read_guests(data, path)
        _check_attributes(manifest, read)
        return read

    return State(
        manifest,
        Shards(
            tree,
            shard_paths(tree, GUESTS),
            path_of=guest_path,
            read=guests,
            count=graph.guests + graph.tombstones if graph else 0,
            check=lambda found: _check_guests(manifest, found),
        ),
        Shards(
            tree,
            shard_paths(tree, ACCOUNTS),
            path_of=account_path,
            read=read_accounts,
            count=directory.accounts if directory else 0,
            check=lambda found: _check_accounts(manifest, found),
        ),
        load_claims(tree),
    )


def write_state(root: Path, old: State | None, new: State) -> list[str]:
    """Write `new` below an operations directory; return the paths that changed, sorted.

    `old` is what `new` was imported over (its cursors hold should this be interrupted). Only files whose bytes
    differ are touched, each replaced atomically; emptied ones are removed. Of a side that is `Changed` over what
    `open_state` gave, only the shards with changes are looked at. Raises StateError, having written nothing,
    when the manifest's counts are not those of `new`, and for a symbolic link anywhere below `state/`.
    """
    _check_counts(new, old)
    return _Write(Files(root), old).run(new)


def count_guests(guests: Mapping[str, Guest]) -> tuple[int, int]:
    """Return how many are live and how many are tombstones: what the manifest's graph cursor holds."""
    tombstones = sum(guest.removed is not None for guest in guests.values())
    return len(guests) - tombstones, tombstones


def count_changed(cursor: GraphCursor, guests: Changed[Guest]) -> tuple[int, int]:
    """Return the same of guests that an import changed some of; `cursor` counted them before."""
    live, tombstones = cursor.guests, cursor.tombstones
    for key, new in guests.changes.items():
        for guest, by in ((guests.base.get(key), -1), (new, 1)):
            live += by * (guest is not None and guest.removed is None)
            tombstones += by * (guest is not None and guest.removed is not None)
    return live, tombstones


class _Write:
    """One write of the state."""

    def __init__(self, files: Files, old: State | None) -> None:
        self._files = files
        self._old = old
        self._changed: set[str] = set()

    def run(self, new: State) -> list[str]:
        present = self._files.below("state")
        for path in filter(is_temporary, present):
            self._files.remove(path)
        obsolete = {path for path in present if path == CLAIMS}
        with ThreadPoolExecutor(_WRITERS) as pool:
            pending: list[tuple[str, bytes]] = []
            for path, document in self._documents(new, present, obsolete):
                obsolete.discard(path)
                data = dump(document)
                if self._files.read(path) != data:
                    pending.append((path, data))
                if len(pending) >= _BATCH:
                    self._put(pool, pending, new)
                    pending = []
            self._put(pool, pending, new)
        for path in sorted(obsolete):
            self._begin(new)
            self._files.remove(path)
            self._changed.add(path)
        self._finish(new)
        return sorted(self._changed)

    def _documents(
        self, new: State, present: Collection[str], obsolete: set[str]
    ) -> Iterator[tuple[str, Mapping[str, Node]]]:
        """Yield every file that may differ but the manifest: path and document; add to `obsolete` what must go."""
        old = self._old or State(new.manifest)
        for path, guests in _grouped(old.guests, new.guests, guest_path, GUESTS, present, obsolete):
            yield path, guests_document(guests)
        for path, accounts in _grouped(old.accounts, new.accounts, account_path, ACCOUNTS, present, obsolete):
            yield path, accounts_document(accounts)
        if new.claims:
            yield CLAIMS, claims_document(new.claims)

    def _put(self, pool: Executor, files: list[tuple[str, bytes]], new: State) -> None:
        if files:
            self._begin(new)
            self._changed.update(path for path, _ in files)
            deque(pool.map(lambda file: self._files.replace(*file), files), maxlen=0)

    def _begin(self, new: State) -> None:
        if not self._changed:
            interim = Manifest(0, new.manifest.as_of, None, None) if self._old is None else self._old.manifest
            self._files.replace(MANIFEST, dump_manifest(interim, incomplete=True))
            self._files.settle("state")

    def _finish(self, new: State) -> None:
        folders = {path.rsplit("/", depth)[0] for path in self._changed for depth in (1, 2)}
        for folder in sorted(folders):
            self._files.settle(folder)
        manifest = dump_manifest(new.manifest)
        if self._files.read(MANIFEST) != manifest:
            self._files.replace(MANIFEST, manifest)
            self._files.settle("state")
            self._changed.add(MANIFEST)


def _grouped(
    before: Mapping[str, Record],
    after: Mapping[str, Record],
    path_of: Callable[[str], str],
    folder: str,
    present: Collection[str],
    obsolete: set[str],
) -> Iterator[tuple[str, Iterable[Record]]]:
    """Yield one side's shards that may differ: path and records; add to `obsolete` those that hold nobody any more."""
    if after is before and isinstance(before, Shards):
        return
    if isinstance(after, Changed) and after.base is before and isinstance(before, Shards):
        for path in sorted({path_of(key) for key in after.changes}):
            changed = {**before.shard(path), **{k: v for k, v in after.changes.items() if path_of(k) == path}}
            kept = [record for record in changed.values() if record is not None]
            if kept:
                yield path, kept
            else:
                obsolete.add(path)
        return
    obsolete |= {path for path in present if path.startswith(f"{folder}/") and is_shard(path)}
    by_path = [(path_of(key), record) for key, record in after.items()]
    by_path.sort(key=itemgetter(0))
    for path, some in groupby(by_path, itemgetter(0)):
        yield path, [record for _, record in some]


def _load(tree: Tree, manifest: Manifest) -> State:
    guests: dict[str, Guest] = {}
    for path, data in tree.read_all(shard_paths(tree, GUESTS)):
        guests.update(read_guests(data, path))
    accounts: dict[str, Account] = {}
    for path, data in tree.read_all(shard_paths(tree, ACCOUNTS)):
        accounts.update(read_accounts(data, path))
    return State(manifest, guests, accounts, load_claims(tree))


def shard_paths(tree: Tree, folder: str) -> list[str]:
    """Return the shards of one side, sorted by path. A file starting with a dot is nobody's; any other stray one is refused."""
    paths = [path for path, _oid in tree.files(folder) if not path.rsplit("/", 1)[-1].startswith(".")]
    for path in paths:
        if not (is_shard(path)):
            raise StateError(f"{path}: not a file that belongs there", "Delete it, or restore state/ from git.")
    return paths


def _check_attributes(manifest: Manifest, guests: Mapping[str, Guest]) -> None:
    """Raise StateError where a live guest lacks what was imported and every user has: a shard was cut at a line's end."""
    always = sorted(NEVER_NULL.intersection(manifest.graph.attributes)) if manifest.graph else ()
    for guest in guests.values():
        if guest.removed is None and (missing := [name for name in always if name not in guest.attributes]):
            raise StateError(
                f"{guest_path(guest.id)}: {guest.id}: {missing[0]} is missing, which every user has", _RESTORE
            )


def _check_guests(manifest: Manifest, guests: Mapping[str, Guest]) -> None:
    """Raise StateError where the manifest counts otherwise than what is there."""
    graph = manifest.graph
    live, tombstones = count_guests(guests)
    _agree(f"{GUESTS}: live guests", graph.guests if graph else 0, live)
    _agree(f"{GUESTS}: removed guests", graph.tombstones if graph else 0, tombstones)


def _check_accounts(manifest: Manifest, accounts: Collection[str]) -> None:
    _agree(f"{ACCOUNTS}: accounts", manifest.directory.accounts if manifest.directory else 0, len(accounts))


def _check_counts(state: State, old: State | None = None) -> None:
    graph = old.manifest.graph if old else None
    if graph and isinstance(state.guests, Changed) and old and state.guests.base is old.guests:
        live, tombstones = count_changed(graph, state.guests)
        _agree(f"{GUESTS}: live guests", state.manifest.graph.guests if state.manifest.graph else 0, live)
        _agree(f"{GUESTS}: removed guests", state.manifest.graph.tombstones if state.manifest.graph else 0, tombstones)
    elif not (isinstance(state.guests, Shards) and old and state.guests is old.guests):
        _check_guests(state.manifest, state.guests)
    _check_accounts(state.manifest, state.accounts)


def _agree(what: str, said: int, found: int) -> None:
    if said != found:
        raise StateError(f"{what}: the manifest says {said}, and there are {found}", _RESTORE)
