"""What the rest of the program asks of a forge. Every method raises ForgeError."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

LABELS = "reconcile/"
"""How every label of ours begins; others are somebody else's."""


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


class Standing(StrEnum):
    """How a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    REJECTED = "rejected"
    """Closed by somebody without merging."""
    WITHDRAWN = "withdrawn"
    """Closed by this program, because nothing was left to do."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request. `head` is the commit it proposes; `created` is true when this call opened it."""

    number: int
    url: str
    head: str
    created: bool = False
    standing: Standing = Standing.OPEN
    ref: str = ""
    """Where git finds `head` on the remote, whatever became of the branch."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person does where there are no pull requests: plain text with commands to copy."""

    text: str


class State(StrEnum):
    """What a commit status says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """A verdict on one commit, under a name: `reconcile/plan`. The description holds at most 140 characters."""

    name: str
    state: State
    description: str
    url: str | None = None


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
    """Where proposals are reviewed.

    What writes looks first, and writes nothing where everything is as wanted. Where there are no pull requests, there
    is nothing to find, and nothing is written.
    """

    def publish(self, proposal: Published) -> PullRequest | Instruction:
        """Open the one pull request of the branch into the base, or bring the open one's title and body up to date."""
        ...

    def find(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base."""
        ...

    def comment(self, number: int, name: str, body: str) -> None:
        """Make the one comment `name` of a pull request say `body` (Markdown); it is found again by a hidden mark.

        `name` is lower-case letters and hyphens. A comment with that mark by an outsider is not taken for ours.
        """
        ...

    def label(self, number: int, labels: Collection[str]) -> None:
        """Give a pull request exactly these of our labels (each begins with LABELS), whatever others it has."""
        ...

    def report(self, commit: str, status: Status) -> None:
        """Put a status on a commit, in place of an earlier one of that name."""
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
