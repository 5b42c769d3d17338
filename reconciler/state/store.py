"""`state/` as a whole: read from a git tree, written into a working tree.

How an interrupted write shows: before the first shard changes, the manifest of the *old* import is written again with
`incomplete: true` (where there was none, one that names neither side); the new manifest replaces it as the last thing.
`load_state` refuses an incomplete state. `load_or_empty` takes it: each record in it is the old import's or the new
one's, the cursors are the old import's, and replaying changes from there over records that already have them changes
nothing. Apart from that, the manifest's counts must agree with what is there, or a shard was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from reconciler.errors import NotImportedError, StateError
from reconciler.git.tree import Tree
from reconciler.graph.attributes import NEVER_NULL
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.progress import Progress, Silent

from .claims import read_claims
from .files import Files
from .forms import ACCOUNT_FORM, guest_form
from .manifest import read_manifest
from .model import Claim, GraphCursor, Manifest, State
from .paths import ACCOUNTS, CLAIMS, GUESTS, MANIFEST, PUT_BACK, RESTORE, account_path, guest_path, is_shard
from .records import read_accounts, read_guests
from .shards import Changed, Renewed, Shards
from .writing import Writing

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
    "shard_oids",
    "shard_paths",
    "write_state",
]

_LONG = 20_000
"""From so many records on, writing takes long enough to say so."""


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
        _never_imported(tree)
        raise NotImportedError(f"{MANIFEST}: nothing has been imported yet", "Run `reconcile snapshot`.")
    written = read_manifest(data)
    if written.incomplete:
        raise StateError(
            f"{MANIFEST}: an import was interrupted while it was being written",
            f"Run `reconcile snapshot` again, or put state/ back as it was committed: {PUT_BACK}.",
        )
    return written.manifest


def _never_imported(tree: Tree) -> None:
    """Raise StateError for shards without a manifest: that is lost, and they hold joins."""
    if shard_paths(tree, GUESTS) or shard_paths(tree, ACCOUNTS):
        raise StateError(
            f"{MANIFEST} is missing, but there are guests or accounts beside it",
            f"Restore it: `git restore --source HEAD -- {MANIFEST}`. Or delete {GUESTS} and {ACCOUNTS} to import afresh; joins are then "
            "found again by the anchors.",
        )


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
        _never_imported(tree)
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

    return State(
        manifest,
        Shards(
            tree,
            shard_paths(tree, GUESTS),
            guest_form(lambda found: _check_attributes(manifest, found)),
            count=graph.guests + graph.tombstones if graph else 0,
            check=lambda found: _check_guests(manifest, found),
        ),
        Shards(
            tree,
            shard_paths(tree, ACCOUNTS),
            ACCOUNT_FORM,
            count=directory.accounts if directory else 0,
            check=lambda found: _check_accounts(manifest, found),
        ),
        load_claims(tree),
    )


def write_state(root: Path, old: State | None, new: State, progress: Progress | None = None) -> list[str]:
    """Write `new` below an operations directory; return the paths that changed, sorted.

    `old` is what `new` was imported over (its cursors hold should this be interrupted). Only files whose bytes
    differ are touched, each replaced atomically; emptied ones are removed. Of a side that is `Changed` over what
    `open_state` gave, only the shards with changes are looked at. Raises StateError, having written nothing,
    when the manifest's counts are not those of `new`, and for a symbolic link anywhere below `state/`. `progress` is told
    of it where it takes long.
    """
    _check_counts(new, old)
    writing = Writing(Files(root), old)
    records = sum(
        sum(side.counts.values()) if isinstance(side, Renewed) else len(side)
        for side in (new.guests, new.accounts)
        if isinstance(side, Renewed) or not isinstance(side, Shards | Changed)
    )
    with (progress if progress and records >= _LONG else Silent()).task("Writing state", records) as task:
        return writing.run(new, task)


def count_guests(guests: Mapping[str, Guest]) -> tuple[int, int]:
    """Return how many are live and how many are tombstones: what the manifest's graph cursor holds."""
    tombstones = sum(guest.removed is not None for guest in guests.values())
    return len(guests) - tombstones, tombstones


def count_changed(cursor: GraphCursor, guests: Changed[Guest]) -> tuple[int, int]:
    """Return the same of guests that an import changed some of; `cursor` counted them before.

    After an import that was cut short, some of its guests are there already, and not among those that `cursor` counted.
    """
    if not isinstance(guests.base, Shards):
        return count_guests(guests)
    live, tombstones = cursor.guests, cursor.tombstones
    for key, new in guests.changes.items():
        for guest, by in ((guests.base.get(key), -1), (new, 1)):
            live += by * (guest is not None and guest.removed is None)
            tombstones += by * (guest is not None and guest.removed is not None)
    return live, tombstones


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
    return [*shard_oids(tree, folder)]


def shard_oids(tree: Tree, folder: str) -> dict[str, str]:
    """Return the same with the object id of each."""
    found: dict[str, str] = {}
    for path, oid in tree.files(folder):
        if is_shard(path):
            found[path] = oid
        elif not path.rsplit("/", 1)[-1].startswith("."):
            raise StateError(f"{path}: not a file that belongs there", "Delete it, or restore state/ from git.")
    return found


def _check_attributes(manifest: Manifest, guests: Mapping[str, Guest]) -> None:
    """Raise StateError where a live guest lacks what was imported and every user has: a shard was cut at a line's end."""
    always = sorted(NEVER_NULL.intersection(manifest.graph.attributes)) if manifest.graph else ()
    for guest in guests.values():
        if guest.removed is None and (missing := [name for name in always if name not in guest.attributes]):
            raise StateError(
                f"{guest_path(guest.id)}: {guest.id}: {missing[0]} is missing, which every user has", RESTORE
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
    whole = state.guests.base if isinstance(state.guests, Changed) else state.guests
    if isinstance(whole, Renewed):  # counted as it was made
        now = state.manifest.graph
        _agree(f"{GUESTS}: guests", now.guests + now.tombstones if now else 0, len(state.guests))
    elif graph and isinstance(state.guests, Changed) and old and state.guests.base is old.guests:
        live, tombstones = count_changed(graph, state.guests)
        _agree(f"{GUESTS}: live guests", state.manifest.graph.guests if state.manifest.graph else 0, live)
        _agree(f"{GUESTS}: removed guests", state.manifest.graph.tombstones if state.manifest.graph else 0, tombstones)
    elif not (isinstance(state.guests, Shards) and old and state.guests is old.guests):
        _check_guests(state.manifest, state.guests)
    _check_accounts(state.manifest, state.accounts)


def _agree(what: str, said: int, found: int) -> None:
    if said != found:
        raise StateError(f"{what}: the manifest says {said}, and there are {found}", RESTORE)
