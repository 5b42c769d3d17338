"""Where plans are remembered between runs, and the working tree as it is remembered."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.git.disk import Known
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.incremental.cache import FILES, Cache

from .context import Context, Env

_WHERE = "directory"
"""The file in a cache's folder that names the operations directory it is for."""
_FILES_KEY = b"files"


@contextmanager
def remembering(context: Context) -> Iterator[Cache]:
    """Open this operations directory's cache. What goes wrong with it is said in one line, and nothing else comes of it."""
    cache = Cache(_file(context.env, context.directory))
    try:
        yield cache
    finally:
        cache.close()
        if cache.trouble:
            context.say("Nothing could be remembered for the next plan: {}.", cache.trouble)


def working_tree(repository: Repository, cache: Cache) -> Tree:
    """Return the operations directory as it is on disk; what did not change since the last time is not read."""
    kept, by = cache.one(FILES, _FILES_KEY), repository.filters()
    known = _known(kept, by) if kept is not None else {}
    tree, fresh = repository.disk_tree(known)
    if fresh != known:
        columns = [*zip(*fresh.values(), strict=True)] if fresh else []
        cache.keep_one(FILES, _FILES_KEY, json.dumps([by, [*fresh], *columns], separators=(",", ":")).encode())
    return tree


def _known(kept: bytes, by: str) -> Known:
    """Return the object ids that were remembered, of files as the same line endings and filters make them."""
    try:
        of, paths, *columns = json.loads(kept)
        return {} if of != by else dict(zip(paths, zip(*columns, strict=True), strict=True))
    except (ValueError, TypeError):
        return {}


def _file(env: Env, directory: Path) -> Path | None:
    """Return `$XDG_CACHE_HOME/reconcile/plans/<directory>/cache.db` (XDG Base Directory: default `~/.cache`)."""
    home = env.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  Path.home() raises where there is none
    base = Path(env.get("XDG_CACHE_HOME") or Path(home) / ".cache") / "reconcile" / "plans"
    where = os.fspath(directory.resolve())
    folder = base / hashlib.sha256(os.fsencode(where)).hexdigest()[:16]
    if not base.is_absolute():
        return None
    with suppress(OSError):
        if not folder.is_dir():
            _forget(base)
            folder.mkdir(parents=True, mode=0o700)
            (folder / _WHERE).write_bytes(os.fsencode(where))
    return folder / "cache.db"


def _forget(base: Path) -> None:
    """Remove the caches of operations directories that are there no more."""
    for folder in base.glob("*/"):
        with suppress(OSError):
            if not os.path.isdir(os.fsdecode((folder / _WHERE).read_bytes())):  # noqa: PTH112  bytes may name it
                shutil.rmtree(folder)
