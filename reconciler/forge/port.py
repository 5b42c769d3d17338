"""What the rest of the program asks of a forge. Every method raises ForgeError."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Published:
    """A proposal that is on the remote: `commit` is the tip of `branch`, to be merged into the protected `base`.

    `title` holds at most 256 characters, `body` (Markdown) at most 65,536.
    """

    branch: str
    base: str
    commit: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request. `head` is the commit it proposes; `created` is true when this call opened it."""

    number: int
    url: str
    head: str
    created: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person does where there are no pull requests: plain text with commands to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's approval that still stands, and the commit they were looking at."""

    by: str
    commit: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check's latest verdict for a commit. `passed` is None while it runs."""

    name: str
    passed: bool | None


class Forge(Protocol):
    """Where proposals are reviewed."""

    def publish(self, proposal: Published) -> PullRequest | Instruction:
        """Open the one pull request of the branch into the base, or bring the open one's title and body up to date."""
        ...

    def find(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base."""
        ...

    def merged(self, commit: str) -> PullRequest | None:
        """Return the pull request whose merge produced this commit of the protected branch."""
        ...

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """Return who approves a pull request now: one entry per person, by name, each one's last word counting."""
        ...

    def checks(self, commit: str) -> tuple[Check, ...]:
        """Return the checks of a commit, by name."""
        ...
