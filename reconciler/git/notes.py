"""Receipts of applied plans, as git notes on the commits that were applied.

One note is a JSON object, indented for people: plan digest to receipt. Notes are records, not security: whoever may
write to the repository may remove them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.errors import GitError

from .repository import Repository
from .trees import blobs

REF = "refs/notes/reconcile"
FETCHED = "refs/reconcile/notes"
"""Where the remote's notes are fetched to; the user's own REF follows it as long as that loses nothing."""
_ATTEMPTS = 10
_IN_A_ROW = 8


def all_receipts(repo: Repository, remote: str) -> Iterator[tuple[str, str, str]]:
    """Yield (commit, digest, JSON text) of every receipt, freshly fetched, ordered by commit. Raises GitError."""
    tip = _fetch(repo, remote)
    notes = sorted(_notes(repo, tip).items()) if tip else []
    for (commit, _), content in zip(notes, blobs(repo.git, [note for _, note in notes]), strict=True):
        for digest, text in _texts(_parse(commit, content)).items():
            yield commit, digest, text


def recent_receipts(
    repo: Repository, remote: str, recent: Callable[[str], bool], stale: Callable[[GitError], None]
) -> Iterator[str]:
    """Yield the receipts for which `recent` holds (JSON text), the newest first, each digest once, freshly fetched.

    Where the remote cannot be asked, `stale` is told, and those fetched before are taken. Notes are read as they were
    added, back to where none of a few in a row is recent: what that costs does not grow with history. Raises GitError.
    """
    try:
        tip = _fetch(repo, remote)
    except GitError as error:
        stale(error)
        tip = None
    tip = tip or repo.git.run("rev-parse", "--verify", "--quiet", FETCHED, ok=(0, 1)).text
    seen: set[str] = set()
    skip, found = 0, bool(tip)
    while found:
        found = False
        for commit, note in _added(repo, tip, skip):
            for digest, text in _texts(_parse(commit, next(blobs(repo.git, [note])))).items():
                if digest not in seen and recent(text):
                    found = True
                    yield text
                seen.add(digest)
        skip += _IN_A_ROW


def _added(repo: Repository, tip: str, skip: int) -> list[tuple[str, str]]:
    """Return (commit, blob) of the notes that a few commits of the notes' own history added or changed, the newest first."""
    few = repo.git.run("rev-list", "--first-parent", f"--max-count={_IN_A_ROW}", f"--skip={skip}", tip).out
    # Sharding anew moves every note: a rename, and no new receipt.
    options = ("-r", "--root", "-m", "-M100%", "--diff-filter=AM", "--no-abbrev", "--no-commit-id")
    listed = repo.git.run("diff-tree", "--stdin", *options, stdin=few).text.splitlines()
    rows = (line.split("\t", 1) for line in listed if line.startswith(":"))
    return [(path.replace("/", ""), described.split(" ")[3]) for described, path in rows]


def add_receipt(repo: Repository, remote: str, commit: str, digest: str, document: str) -> None:
    """Add a receipt (`document` is JSON) to a commit's note on the remote, keeping all others.

    The same digest's earlier receipt is replaced, somebody else's push at the same time merged with. Raises GitError.
    """
    receipt = json.loads(document)
    for _ in range(_ATTEMPTS):
        tip = _fetch(repo, remote)
        known = _read(repo, tip, commit) if tip else {}
        if known.get(digest) == receipt:
            return
        changed = _commit(repo, tip, commit, _text({**known, digest: receipt}))
        if repo.push_ref(remote, REF, changed, tip):
            _keep(repo, changed)
            return
    what = f"the receipt of {commit} could not be recorded: others kept pushing {REF}"
    raise GitError(what, "Run the same command again; nothing is applied twice.")


def _commit(repo: Repository, tip: str | None, commit: str, text: str) -> str:
    """Return a notes commit after `tip` where `commit` has this note. git shards the notes, so git writes them."""
    own = f"{REF}-{os.getpid()}"  # git notes writes only below refs/notes/
    repo.git.run("update-ref", *((own, tip) if tip else ("-d", own)))
    try:
        stdin, env = text.encode(), repo.identity()
        remedy = "Fetch that commit first."
        repo.git.run("notes", "--ref", own, "add", "-f", "-F", "-", commit, stdin=stdin, env=env, remedy=remedy)
        return repo.git.run("rev-parse", "--verify", own).text
    finally:
        repo.git.run("update-ref", "-d", own)


def _fetch(repo: Repository, remote: str) -> str | None:
    tip = repo.fetch_ref(remote, REF)
    if tip:
        _keep(repo, tip)
    return tip


def _keep(repo: Repository, tip: str) -> None:
    """Show the fetched notes to `git notes --ref reconcile`, unless that would lose notes made here by hand."""
    listed = repo.git.run("for-each-ref", "--format=%(refname) %(objectname)", FETCHED, REF).text
    ours = dict(line.split(" ") for line in listed.splitlines())
    mine = ours.get(REF, "")
    if ours.get(FETCHED) == mine == tip:
        return
    repo.git.run("update-ref", FETCHED, tip)
    if not mine or repo.git.run("merge-base", "--is-ancestor", mine, tip, ok=(0, 1)).code == 0:
        repo.git.run("update-ref", REF, tip, mine or "")


def _notes(repo: Repository, tip: str) -> dict[str, str]:
    """Return note blobs by commit: the path in the notes tree is its id, with slashes where git sharded it."""
    listed = repo.git.run("ls-tree", "-r", "-z", "--full-tree", tip).text.split("\0")[:-1]
    pairs = (line.split("\t", 1) for line in listed)
    return {path.replace("/", ""): described.split(" ")[2] for described, path in pairs}


def _read(repo: Repository, tip: str, commit: str) -> Mapping[str, Any]:
    note = _notes(repo, tip).get(commit)
    return _parse(commit, next(blobs(repo.git, [note]))) if note else {}


def _parse(commit: str, content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        what = f"the note on {commit} in {REF} is not a JSON object of receipts"
        raise GitError(what, f"See it with `git show {FETCHED}`; whoever changed it should put it back and push {REF}.")
    return found


def _texts(receipts: Mapping[str, Any]) -> dict[str, str]:
    return {digest: _text(receipt) for digest, receipt in receipts.items()}


def _text(value: object) -> str:
    """Return JSON for people. ASCII: no control or bidirectional character of a guest's reaches their terminal."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
