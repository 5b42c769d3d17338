"""The lock: a ref of the remote, created atomically by push, so that one `apply` runs at a time anywhere.

The ref points to a commit without parents or files whose message is the holder's record. It moves only by
compare-and-swap. Times come as arguments, with a time zone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.errors import GitError, LockedError

from .holder import Holder
from .repository import Repository
from .run import readable

TTL = timedelta(minutes=10)
_REF = "refs/reconcile/lock"


class Lock:
    """A lock that is held. Every method raises GitError when the remote cannot be asked."""

    def __init__(self, repo: Repository, remote: str, holder: Holder, commit: str, ttl: timedelta) -> None:
        self.holder = holder
        self._repo = repo
        self._remote = remote
        self._commit = commit
        self._ttl = ttl

    def renew(self, now: datetime) -> None:
        """Hold it for another `ttl` from `now`. Raises LockedError when it is no longer ours."""
        holder = replace(self.holder, expires=now + self._ttl)
        commit = _write(self._repo, holder)
        if not self._repo.push_ref(self._remote, lock_ref(self._repo), commit, self._commit):
            raise self._lost()
        self.holder, self._commit = holder, commit

    def check(self, now: datetime) -> None:
        """Raise LockedError unless it is still ours, on the remote and by the clock."""
        if now >= self.holder.expires:
            raise LockedError(
                f"our lock expired at {self.holder.expires:%H:%M:%SZ}", "Run the same command again: it resumes."
            )
        if self._repo.peek(self._remote, lock_ref(self._repo)) != self._commit:
            raise self._lost()

    def release(self) -> bool:
        """Give it back; False when somebody had already broken it."""
        return self._repo.push_ref(self._remote, lock_ref(self._repo), None, self._commit)

    def _lost(self) -> LockedError:
        now = read(self._repo, self._remote)
        holder = f"; {now.described()} holds it now" if now else ""
        fetched, pushed = (self._repo.address(self._remote, pushing=pushing) for pushing in (False, True))
        if now is None and fetched != pushed:
            return LockedError(
                f"our lock is not where others would see it: pushes to {readable(self._remote)} go to {pushed}, and what is fetched "
                f"comes from {fetched}",
                "Look at `git remote -v`: both must be the same repository. Then run the same command again: it resumes.",
            )
        return LockedError(
            f"our lock was broken by somebody else{holder}",
            "Find out who and why, then run the same command again: it resumes.",
        )


def lock_ref(repo: Repository) -> str:
    """Return the lock's ref: `refs/reconcile/lock`, or `refs/reconcile/lock-<slug>` below the root."""
    return repo.named(_REF)


def acquire(repo: Repository, remote: str, holder: Holder, now: datetime, ttl: timedelta = TTL) -> Lock:
    """Take the lock for `holder` until `now + ttl`.

    A held one is taken over only from a process that is known to be over, was on this machine and applied the same
    digest. Raises LockedError, saying whose it is, and GitError.
    """
    ref = lock_ref(repo)
    ours = replace(holder, since=now, expires=now + ttl)
    commit = _write(repo, ours)
    try:
        taken = repo.push_ref(remote, ref, commit, None)
    except KeyboardInterrupt:  # it may have arrived
        repo.push_ref(remote, ref, None, commit)
        raise
    if taken:
        return Lock(repo, remote, ours, commit, ttl)
    held = repo.fetch_ref(remote, ref)
    if held is None:
        raise LockedError("the lock was held, and given back a moment ago", "Run the same command again.")
    theirs = _parse(repo, remote, held)
    resumable = theirs.digest == holder.digest and theirs.process.ended()
    if resumable and repo.push_ref(remote, ref, commit, held):
        return Lock(repo, remote, ours, commit, ttl)
    raise _refusal(theirs, now)


def read(repo: Repository, remote: str) -> Holder | None:
    """Return who holds the lock, None when nobody does. Raises GitError."""
    held = repo.fetch_ref(remote, lock_ref(repo))
    return _parse(repo, remote, held) if held else None


def unlock(repo: Repository, remote: str, now: datetime) -> Holder | None:
    """Break a lock that expired, or whose process is known to be over on this machine; return whose it was, None for no lock.

    Raises LockedError when it is neither, and GitError.
    """
    ref = lock_ref(repo)
    held = repo.fetch_ref(remote, ref)
    if held is None:
        return None
    theirs = _parse(repo, remote, held)
    if now < theirs.expires and not theirs.process.ended():
        raise _refusal(theirs, now)
    if not repo.push_ref(remote, ref, None, held):
        raise LockedError(
            f"{theirs.described()} renewed or gave back the lock just now", "Look again with `reconcile unlock`."
        )
    return theirs


def _refusal(theirs: Holder, now: datetime) -> LockedError:
    what = f"locked by {theirs.described()}; expires {theirs.expires:%Y-%m-%dT%H:%M:%SZ}"
    if now >= theirs.expires:
        return LockedError(f"{what}, which is past", "Make sure that run is over, then `reconcile unlock`.")
    return LockedError(
        what, "Wait for that run to end; should it have died, `reconcile unlock` breaks the lock once it is expired."
    )


def _write(repo: Repository, holder: Holder) -> str:
    empty = repo.git.run("mktree").text
    return repo.commit_tree(empty, (), holder.dump(), int(holder.since.timestamp()))


def _parse(repo: Repository, remote: str, commit: str) -> Holder:
    # Plumbing: `git show` would do as somebody's configuration says. What is no commit holds no record either.
    said = repo.git.run("cat-file", "commit", commit, ok=(0, 128)).text
    try:
        return Holder.parse(said.partition("\n\n")[2])
    except ValueError as error:
        what = f"{lock_ref(repo)} on {readable(remote)} holds no lock record: {error}"
        raise GitError(
            what, f"Make sure nobody applies, then `git push {readable(remote)} :{lock_ref(repo)}`."
        ) from None
