"""What the rest of the program asks of a forge. Every method raises ForgeError."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .protection import Protection

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
class Opinion:
    """Somebody's last word on a pull request, and the commit they were looking at: they approve, or ask for changes."""

    by: str
    commit: str
    approves: bool
    person: bool = True
    """False for an app."""
    may_write: bool = True
    """Whether they may write to the repository: anybody who can read a public one can review."""


@dataclass(frozen=True, slots=True)
class Review:
    """Who had which part in one pull request: by `writers` and `pusher`, what `pull.head` holds came there."""

    pull: PullRequest
    author: str
    """Who opened it."""
    writers: frozenset[str]
    """The accounts its commits name as authors and committers, and that pushed any of them."""
    pusher: str | None
    """Who pushed `pull.head`; "" where the forge should know and does not say, None where it never tells."""
    opinions: tuple[Opinion, ...]
    foreign: bool = False
    """Whether it came from a copy of the repository, where others may push."""
    anybody: bool = False
    """Whether any of it was pushed by an account that whoever may push a workflow can act as."""


@dataclass(frozen=True, slots=True)
class Check:
    """One reporter's latest verdict on a commit under a name. `passed` is None while it runs."""

    name: str
    passed: bool | None
    by: str
    """The app's name, or the account's."""
    person: bool = False
    said: str = ""
    """The forge's own word for it: `timed_out`, `skipped`."""


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

    def latest(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base; without one, the newest of those that ended."""
        ...

    def withdraw(self, number: int, words: str) -> None:
        """Close a pull request that is no longer needed, saying why, so that it does not pass for a rejected one."""
        ...

    def comment(self, number: int, name: str, body: str, *, anew: bool = True) -> bool:
        """Make the one comment `name` of a pull request say `body` (Markdown); it is found again by a hidden mark.

        `name` is lower-case letters, digits and hyphens. A comment with that mark by an outsider is not taken for ours.
        Where there is none, one is made only `anew`. Return whether there is one now.
        """
        ...

    def label(self, number: int, labels: Collection[str]) -> None:
        """Give a pull request exactly these of our labels (each begins with LABELS), whatever others it has."""
        ...

    def report(self, commit: str, status: Status) -> None:
        """Put a status on a commit, in place of an earlier one of that name."""
        ...

    def merged(self, commit: str, branch: str, base: str) -> PullRequest | None:
        """Return the merged pull request that brought a commit to the protected `base`; `branch` is where to look first."""
        ...

    def review(self, number: int) -> Review:
        """Return who had which part in a pull request, as of now."""
        ...

    def checks(self, commit: str) -> tuple[Check, ...]:
        """Return what was reported on a commit: one entry for each name and reporter."""
        ...

    def protection(self, branch: str) -> Protection | None:
        """Return the rules that hold for a branch, None where the forge has none that could be asked for."""
        ...
