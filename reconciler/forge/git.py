"""No forge at all: a person reviews and merges with plain git."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from reconciler.errors import ForgeError

from .port import Check, Instruction, Published, PullRequest, Review, Status
from .protection import Protection


class PlainGit:
    """A remote without pull requests, so without approvals and checks: who may push the protected branch approves."""

    def __init__(self, remote: str) -> None:
        self._remote = remote

    def publish(self, proposal: Published) -> Instruction:
        """Return the commands that review and merge exactly the proposed commit."""
        remote, branch, base = (shlex.quote(word) for word in (self._remote, proposal.branch, proposal.base))
        return Instruction(
            f"The plan is on {branch}. To review it:\n"
            f"    git fetch {remote} {base} {branch} && git diff {proposal.commit}^ {proposal.commit}\n"
            f"To approve it, merge it:\n"
            f"    git switch {base} && git pull --ff-only {remote} {base}"
            f" && git merge {proposal.commit} && git push {remote} {base}\n"
        )

    def find(self, branch: str, base: str) -> PullRequest | None:  # noqa: ARG002  the port's signature
        """Return None: there are no pull requests."""
        return None

    def latest(self, branch: str, base: str) -> PullRequest | None:  # noqa: ARG002  the port's signature
        """Return None: there are no pull requests."""
        return None

    def withdraw(self, number: int, words: str) -> None:
        """Close nothing."""

    def comment(self, number: int, name: str, body: str, *, anew: bool = True) -> bool:  # noqa: ARG002  the port's signature
        """Say nothing: there is nowhere to."""
        return False

    def label(self, number: int, labels: Collection[str]) -> None:
        """Label nothing."""

    def report(self, commit: str, status: Status) -> None:
        """Report nothing."""

    def merged(self, commit: str, branch: str, base: str) -> PullRequest | None:  # noqa: ARG002  the port's signature
        """Return None: there are no pull requests."""
        return None

    def review(self, number: int) -> Review:
        """Raise ForgeError: there are no pull requests."""
        raise ForgeError(f"there is no pull request {number}: this remote is plain git", "Set forge.kind to github.")

    def checks(self, commit: str) -> tuple[Check, ...]:  # noqa: ARG002  the port's signature
        """Return nothing."""
        return ()

    def protection(self, branch: str) -> Protection | None:  # noqa: ARG002  the port's signature
        """Return None: a plain remote cannot be asked."""
        return None
