"""What keeps a branch from being changed without review."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protection:
    """The rules that hold for one branch, all rulesets and the older branch protection together.

    `readable` is false where the branch has an older protection whose details the token may not see: then more may hold than
    is said here.
    """

    visibility: str
    """Who can read the repository: `private`, `internal` (the whole enterprise) or `public`."""
    pull_request: bool = False
    approvals: int = 0
    last_push: bool = False
    """Whether whoever pushed last cannot be the one who approves."""
    stale_dismissed: bool = False
    owners: bool = False
    """Whether code owners must approve what is theirs."""
    checks: frozenset[str] = frozenset()
    rewritable: bool = True
    """Whether its history may be rewritten by a forced push, or the branch deleted."""
    bypass: tuple[str, ...] | None = None
    """Who is known to get past the rules; None where the token may not see that."""
    readable: bool = True
