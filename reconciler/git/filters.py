"""What decides how a file on disk becomes a blob: git's settings for line endings and filters, and the attributes of paths.

What is remembered of blobs is remembered under this: the same bytes are another blob once `core.autocrlf` is set.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from .run import Git

_SETTINGS = r"^(core\.(autocrlf|eol|attributesfile)|attr\.tree|filter\..*)$"
ATTRIBUTES = ".gitattributes"


def filters(git: Git, root: Path, prefix: str, git_dir: Path, env: Mapping[str, str]) -> str:
    """Return a digest of it, "" where nothing decides but git itself. What a filter's program does is not looked at.

    `root` is the top of the work tree, `prefix` the operations directory below it. See gitattributes(5) for the places.
    Raises GitError.
    """
    said = git.run("config", "-z", "--get-regexp", _SETTINGS, ok=(0, 1)).out
    found = [said] if said else []
    for path in (*_beside(said, git_dir, env), *_within(root, prefix)):
        with suppress(OSError):
            found.append(b"%s\0%s" % (os.fsencode(path), path.read_bytes()))
    return hashlib.sha256(b"\0\0".join(found)).hexdigest()[:32] if found else ""


def _beside(said: bytes, git_dir: Path, env: Mapping[str, str]) -> Iterator[Path]:
    home = env.get("HOME", "")
    yield Path(env.get("XDG_CONFIG_HOME") or f"{home}/.config") / "git/attributes"
    for setting in said.split(b"\0"):
        name, _, value = setting.partition(b"\n")
        if name == b"core.attributesfile":
            yield Path(os.fsdecode(value).replace("~/", f"{home}/", 1))
    yield Path("/etc/gitattributes")
    yield git_dir / "info/attributes"


def _within(root: Path, prefix: str) -> Iterator[Path]:
    """Yield where attributes may stand: in each folder from the top to the operations directory. See `disk.py` for those within."""
    folder = root
    yield folder / ATTRIBUTES
    for part in Path(prefix).parts:
        folder /= part
        yield folder / ATTRIBUTES
