"""`state/` as a whole: read from a git tree, written into a working tree.

How an interrupted write shows: before the first shard changes, the manifest of the *old* import is written again with
`incomplete: true` (where there was none, one that names neither side); the new manifest replaces it as the last thing.
`load_state` refuses an incomplete state. `load_or_empty` takes it: each record in it is the old import's or the new
one's, the cursors are the old import's, and replaying changes from there over records that already have them changes
nothing. Apart from that, the manifest's counts must agree with what is there, or a shard was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from reconciler.errors import NotImportedError, StateError
from reconciler.git.tree import Tree
from reconciler.graph.attributes import NEVER_NULL
from reconciler.model.account import Account
from reconciler.model.guest import Guest

from .canonical import Node, dump
from .claims import claims_document, read_claims
from .files import Files, is_temporary
from .manifest import dump_manifest, read_manifest
from .model import Manifest, State
from .paths import ACCOUNTS, CLAIMS, GUESTS, MANIFEST, account_path, guest_path, is_shard
from .records import accounts_document, guests_document, read_accounts, read_guests

__all__ = ["account_path", "count_guests", "guest_path", "load_or_empty", "load_state", "write_state"]

_WRITERS = 8
"""Files made durable at a time: a journalling file system commits them together, four times as fast as one by one."""
_BATCH = 512
_RESTORE = "Restore state/ from git, or run `reconcile snapshot --full`."


def load_state(tree: Tree) -> State:
    """Return the state; raise StateError where it is absent, damaged, half-written or not what its manifest says."""
    data = tree.read(MANIFEST)
    if data is None:
        raise NotImportedError(f"{MANIFEST}: nothing has been imported yet", "Run `reconcile snapshot`.")
    written = read_manifest(data)
    if written.incomplete:
        raise StateError(
            f"{MANIFEST}: an import was interrupted while it was being written",
            "Run `reconcile snapshot` again, or restore state/ from git.",
        )
    state = _load(tree, written.manifest)
    _check_counts(state)
    _check_whole(state)
    return state


def load_or_empty(tree: Tree, *, full: bool = False) -> State | None:
    """Return the state to import over, or None before the first import.

    Takes one whose writing was interrupted. With `full` (both sides are about to be read in full, so only joins and
    what goes with them matter) also one whose counts are off. Raises StateError for a damaged file, and for shards
    without a manifest, since starting afresh over them would forget joins.
    """
    data = tree.read(MANIFEST)
    if data is None:
        if _paths(tree, GUESTS) or _paths(tree, ACCOUNTS):
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
        _check_whole(state)
    return state


def write_state(root: Path, old: State | None, new: State) -> list[str]:
    """Write `new` below an operations directory; return the paths that changed, sorted.

    `old` is what `new` was imported over (its cursors hold should this be interrupted). Only files whose bytes
    differ are touched, each replaced atomically; emptied ones are removed. Raises StateError, having written nothing,
    when the manifest's counts are not those of `new`, and for a symbolic link anywhere below `state/`.
    """
    _check_counts(new)
    return _Write(Files(root), old).run(new)


def count_guests(guests: Mapping[str, Guest]) -> tuple[int, int]:
    """Return how many are live and how many are tombstones: what the manifest's graph cursor holds."""
    tombstones = sum(guest.removed is not None for guest in guests.values())
    return len(guests) - tombstones, tombstones


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
        obsolete = {path for path in present if is_shard(path) or path == CLAIMS}
        with ThreadPoolExecutor(_WRITERS) as pool:
            pending: list[tuple[str, bytes]] = []
            for path, document in _documents(new):
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


def _documents(state: State) -> Iterator[tuple[str, Mapping[str, Node]]]:
    """Yield every file but the manifest: path and document."""
    guests = sorted(state.guests.values(), key=lambda guest: guest_path(guest.id))
    for path, some in groupby(guests, lambda guest: guest_path(guest.id)):
        yield path, guests_document(some)
    accounts = sorted(state.accounts.values(), key=lambda account: account_path(account.sid))
    for path, group in groupby(accounts, lambda account: account_path(account.sid)):
        yield path, accounts_document(group)
    if state.claims:
        yield CLAIMS, claims_document(state.claims)


def _load(tree: Tree, manifest: Manifest) -> State:
    guests: dict[str, Guest] = {}
    for path, data in tree.read_all(_paths(tree, GUESTS)):
        guests.update(read_guests(data, path))
    accounts: dict[str, Account] = {}
    for path, data in tree.read_all(_paths(tree, ACCOUNTS)):
        accounts.update(read_accounts(data, path))
    claims = tree.read(CLAIMS)
    return State(manifest, guests, accounts, () if claims is None else read_claims(claims, CLAIMS))


def _paths(tree: Tree, folder: str) -> list[str]:
    """Return the shards of one side. A file starting with a dot is nobody's; any other stray one is refused."""
    paths = [path for path, _oid in tree.files(folder) if not path.rsplit("/", 1)[-1].startswith(".")]
    for path in paths:
        if not (is_shard(path)):
            raise StateError(f"{path}: not a file that belongs there", "Delete it, or restore state/ from git.")
    return paths


def _check_whole(state: State) -> None:
    """Raise StateError where a live guest lacks what was imported and every user has: a shard was cut at a line's end."""
    graph = state.manifest.graph
    always = sorted(NEVER_NULL.intersection(graph.attributes)) if graph else ()
    for guest in state.guests.values():
        if guest.removed is None and (missing := [name for name in always if name not in guest.attributes]):
            raise StateError(
                f"{guest_path(guest.id)}: {guest.id}: {missing[0]} is missing, which every user has", _RESTORE
            )


def _check_counts(state: State) -> None:
    """Raise StateError where the manifest counts otherwise than what is there."""
    graph, directory = state.manifest.graph, state.manifest.directory
    live, tombstones = count_guests(state.guests)
    for what, said, found in (
        (f"{GUESTS}: live guests", graph.guests if graph else 0, live),
        (f"{GUESTS}: removed guests", graph.tombstones if graph else 0, tombstones),
        (f"{ACCOUNTS}: accounts", directory.accounts if directory else 0, len(state.accounts)),
    ):
        if said != found:
            raise StateError(f"{what}: the manifest says {said}, and there are {found}", _RESTORE)
