"""Every exception this program raises on purpose: what happened, to which object, and what to do next.

A traceback shown to a user is a defect, so `cli` catches :class:`ReconcileError` alone and prints it.
Messages are plain text: the sink that shows them (terminal, log) does the escaping.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    GUARDED = 3
    STALE = 4
    PARTIAL = 5
    LOCKED = 6
    USAGE = 64


class ReconcileError(Exception):
    """A failure a person can act on.

    `what` says what happened and to which object, `remedy` what to do next.
    """

    exit_code: Exit = Exit.ERROR

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what


class UsageError(ReconcileError):
    """The command line is off."""

    exit_code = Exit.USAGE


class SettingsError(ReconcileError):
    """`reconcile.yaml` or the environment is missing something or malformed."""


class PolicyError(ReconcileError):
    """The policy does not validate or type-check; `what` begins with file:line:column."""


class StateError(ReconcileError):
    """A file under `state/` is damaged, or contradicts the manifest; `what` begins with the file."""


class NotImportedError(StateError):
    """The state is sound, but policy or settings ask for what no import has read yet."""


class GitError(ReconcileError):
    """git refused: no repository, no remote, a push that was rejected."""


class PushRefusedError(GitError):
    """The remote's own rules refuse a push: a protected branch, a hook."""


class GuardError(ReconcileError):
    """A guard refused."""

    exit_code = Exit.GUARDED


class StalePlanError(ReconcileError):
    """The plan is expired, spent, not what its tree yields, or not the digest asked for."""

    exit_code = Exit.STALE


class LockedError(ReconcileError):
    """Somebody else is applying."""

    exit_code = Exit.LOCKED


class GraphError(ReconcileError):
    """Microsoft Graph or the sign-in refused, or an answer was incomplete."""


class DeltaExpiredError(GraphError):
    """The delta link is no longer honoured (410, or `syncStateNotFound`): start a full round."""


class ForgeError(ReconcileError):
    """The forge's API refused."""


class NotApprovedError(ForgeError):
    """What is to be applied was not merged, approved or checked as `forge.require` says."""


class DirectoryError(ReconcileError):
    """The domain controller refused one operation.

    `code` is the LDAP result code (RFC 4511, 4.1.9), `diagnostic` the server's own words; both belong in the message.
    """

    def __init__(self, what: str, remedy: str = "", *, code: int | None = None, diagnostic: str = "") -> None:
        super().__init__(what, remedy)
        self.code = code
        self.diagnostic = diagnostic


class DirectoryUnavailableError(DirectoryError):
    """No connection, a lost one, an untrusted certificate or a refused bind: nothing more can be done on it."""


class NotFoundError(DirectoryError):
    """No such object (32), or it is not visible to this account."""


class NameTakenError(DirectoryError):
    """The DN, sAMAccountName or userPrincipalName belongs to another object (68, or 19 with a uniqueness diagnostic)."""


class ValueMismatchError(DirectoryError):
    """Compare-and-swap found another value than the one it was to replace (16)."""


class AccessDeniedError(DirectoryError):
    """The account may not do that (50)."""
