"""The operations directory on disk, as a git tree, by way of an index of our own: the user's is never touched.

The index keeps what git knows of each file's size and times, so that a second call reads only what changed.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import GitError

from .run import Git, readable
from .trees import SCOPE

_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class ReadOnlyError(GitError):
    """Nothing can be written to the repository from here."""


def write_tree(git: Git, index: Path, root: Path, prefix: str, scope: Sequence[str] = SCOPE) -> str:
    """Write `scope` as it is on disk into the object database and return the id of a tree that holds it below `prefix`.

    Filters and line endings apply as in `git add`; ignore rules do not. `index` remembers between calls and is replaced
    atomically, so concurrent calls are safe: the last one is remembered. Raises GitError; ReadOnlyError where it is that.
    """
    try:
        with _copy(index) as own:
            return _write(git, own, index, root, prefix, scope)
    except OSError as error:
        what = f"{readable(str(error.filename or index))} cannot be written: {error.strerror}"
        kind = ReadOnlyError if error.errno in _READ_ONLY else GitError
        raise kind(what, "Check the permissions of the .git folder, and the free space.") from error
    except GitError:
        if not index.exists():
            raise
        index.unlink(
            missing_ok=True
        )  # cut off, or naming objects that were pruned since: once more, from the files alone
        with _copy(index) as own:
            return _write(git, own, index, root, prefix, scope)


def _write(git: Git, own: Path, index: Path, root: Path, prefix: str, scope: Sequence[str]) -> str:
    env = {"GIT_INDEX_FILE": str(own)}
    paths = [f"{prefix}/{name}" if prefix else name for name in scope]
    present = [path for path in paths if os.path.lexists(root / path)]
    gone = [path for path in paths if path not in present]
    if gone and own.exists():
        git.run("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", *gone, env=env)
    if present:
        remedy = "Make the file named above readable, then run the same command again."
        git.run("-c", "core.sparseCheckout=false", "add", "-A", "-f", "--", *present, env=env, remedy=remedy)
    tree = git.run("write-tree", env=env).text
    if own.exists():
        own.replace(index)
    return tree


@contextmanager
def _copy(index: Path) -> Iterator[Path]:
    """Copy the index to a file nobody else writes, with its time: git distrusts what changed at or after it."""
    index.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{index.name}.", dir=index.parent) as folder:
        own = Path(folder) / "index"
        if index.exists():
            shutil.copy2(index, own)
        yield own
