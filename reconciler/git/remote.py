"""Refs of a remote: looked at, fetched into refs of our own, and set by compare-and-swap."""

from __future__ import annotations

import re
import time

from reconciler.errors import GitError

from .run import Git, Result, failure, readable

_ATTEMPTS = 5
_PAUSE = 0.2
_SECONDS = 900.0
"""A first push carries the whole state (62 MB for a million guests); a remote that is silent for longer is down."""
_CONTENTION = re.compile(r"cannot lock ref|Unable to create|stale info|failed to update ref|reference already exists")
_REF = re.compile(r"refs/(?!.*(\.\.|//|@\{|\.lock(/|$)|/\.|[./]$))[^\x00-\x20\x7f~^:?*\[\\]+")


def peek(git: Git, remote: str, ref: str) -> str | None:
    """Return the id a remote's ref has now, None where there is no such ref."""
    _check(remote, ref)
    listed = git.run("ls-remote", "--quiet", "--", remote, ref, timeout=_SECONDS)
    lines = (line.split("\t", 1) for line in listed.text.splitlines())
    return next((oid for oid, name in lines if name == ref), None)  # ls-remote also lists names that end so


def fetch(git: Git, remote: str, ref: str, into: str) -> str | None:
    """Fetch a remote's ref into the local ref `into` and return its id; None where there is no such ref."""
    spec = f"+{ref}:{into}"
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=")
    for attempt in range(1, _ATTEMPTS + 1):
        now = peek(git, remote, ref)
        if now is None or now == git.run("rev-parse", "--verify", "--quiet", into, ok=(0, 1)).text:
            return now  # fetched before, and kept since
        args = ("fetch", *options, "--", remote, spec)
        done = git.run(*args, ok=range(256), timeout=_SECONDS)
        if done.code == 0:
            return git.run("rev-parse", "--verify", into).text
        # It went away after we looked, or another process here is fetching it too: look again.
        if attempt == _ATTEMPTS or not re.search(r"couldn't find remote ref|cannot lock ref", done.err):
            raise failure(args, done, f"Check the remote {readable(remote)}.")
        time.sleep(_PAUSE)
    return None


def push(git: Git, remote: str, ref: str, commit: str | None, expected: str | None) -> bool:
    """Set a remote's ref to `commit` (None deletes it) if it is as `expected` (None: absent); False when it is not.

    Raises GitError when the remote refuses for another reason. A push that arrived although its answer
    was lost counts (a deletion cannot be told from somebody else's).
    """
    _check(remote, ref)
    lease = f"--force-with-lease={ref}:{expected or ''}"
    args = ("push", "--porcelain", "--no-verify", lease, "--", remote, f"{commit or ''}:{ref}")
    for attempt in range(1, _ATTEMPTS + 1):
        done = git.run(*args, ok=range(256), timeout=_SECONDS)
        if done.code == 0:
            # "=" is said before the lease is looked at: somebody had already set exactly this.
            return not re.search(rb"^=\t", done.out, re.MULTILINE) or expected == commit
        now = peek(git, remote, ref)
        if commit and now == commit:
            return True
        if now != expected:
            return False
        # Either refused for good, or another push held the ref for a moment and then failed itself.
        if attempt == _ATTEMPTS or not _CONTENTION.search(done.err + done.text):
            raise failure(args, _explained(done), "See the remote's own words above.")
        time.sleep(_PAUSE)
    return False


def _explained(done: Result) -> Result:
    """Put the porcelain's verdict, which is on the other channel, behind git's words."""
    refused = (line.removeprefix("!\t") for line in done.text.splitlines() if line.startswith("!"))
    verdicts = "\n".join(line.replace("\t", " ") for line in refused)
    return Result(done.code, done.out, f"{done.err.strip()}\n{verdicts}")


def _check(remote: str, ref: str) -> None:
    if not remote or remote.startswith("-") or not _REF.fullmatch(ref):
        what = f"not a remote and a ref: {readable(remote)!r}, {readable(ref)!r}"
        raise GitError(what, "Check `forge.remote` and `forge.branch` in reconcile.yaml.")
