"""Which commit last changed a line of the working tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from reconciler.model.provenance import Commit

from .repository import Repository

_HEAD = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?")


def last_changed(repo: Repository, path: str, lines: Collection[int]) -> dict[int, Commit]:
    """Return the commit of each line of a file of the operations directory that is committed as it stands.

    Lines that differ from HEAD's are left out; so are all of a file that HEAD has not. Raises GitError.
    """
    full = repo.path(path)
    if not lines or repo.head() is None or not repo.git.run("ls-tree", "--full-tree", "HEAD", "--", full).out:
        return {}
    ranges = [word for line in sorted(set(lines)) for word in ("-L", f"{line},{line}")]
    done = repo.git.run("-c", "blame.ignoreRevsFile=", "blame", "--porcelain", *ranges, "--", full)
    shallow = repo.git.run("rev-parse", "--is-shallow-repository").text == "true"
    return dict(_commits(done.out.decode("utf-8", "backslashreplace"), shallow=shallow))


def _commits(porcelain: str, *, shallow: bool) -> Iterator[tuple[int, Commit]]:
    known: dict[str, Mapping[str, str]] = {}
    said: dict[str, str] = {}
    oid, line = "", 0
    for row in porcelain.split("\n"):
        if row.startswith("\t"):
            known.setdefault(oid, said)
            if oid.strip("0"):
                yield line, _commit(oid, known[oid], shallow=shallow)
        elif head := _HEAD.fullmatch(row):
            oid, line, said = head[1], int(head[2]), {}
        else:
            key, _, value = row.partition(" ")
            said[key] = value


def _commit(oid: str, said: Mapping[str, str], *, shallow: bool) -> Commit:
    at = datetime.fromtimestamp(int(said["author-time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Commit(oid, said["author"], at, said["summary"], cut_off=shallow and "boundary" in said)
