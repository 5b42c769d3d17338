"""The journal: every intent before it is tried and every outcome after, so that a killed run can be taken up.

Nothing is tried before everything recorded so far is on disk: an outcome is made durable with the next intent, so that a step
costs one wait for the disk instead of two. A process that is killed loses no line. A power cut can take the last outcome:
what it told of is then a step that was meant and not seen to end, which the next run looks at and finds done.

JSON lines, mode 0600. Each line has `v` (format version), `at` (RFC 3339, UTC) and `kind`: `open` (digest, commit), `intent` and
`outcome` (change, step), `close`. No values are written but names and ids: the plan, by its digest, has them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from reconciler.errors import ReconcileError
from reconciler.model.plan import Action, Change, Plan

FORMAT_VERSION = 1
Result = Literal["done", "already", "stale", "failed", "skipped"]
SUCCESS: frozenset[Result] = frozenset({"done", "already"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended.

    done: written and confirmed. already: found as wanted. stale: an end differs from what was planned; untouched.
    failed: the controller refused. skipped: a change it depends on did not succeed.
    """

    key: str
    action: Action
    guest: str
    result: Result
    detail: str = ""
    sid: str | None = None
    guid: str | None = None
    """The account's; None where none was made or found."""


@dataclass(slots=True)
class _Told:
    """What a journal tells of one digest."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    intents: set[tuple[str, str]] = field(default_factory=set)


class Journal:
    """An append-only file. Opening it again continues it: what it tells of other digests counts for those alone."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._clock = clock
        self._digests: dict[str, _Told] = {}
        self._told = _Told()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            self._take_up(os.pread(self._fd, os.fstat(self._fd).st_size, 0))
        except OSError as error:
            raise ReconcileError(
                f"cannot open the journal {path}: {error.strerror}",
                "Nothing was written to the directory. Place the journal elsewhere with --journal.",
            ) from error

    def open(self, plan: Plan, digest: str, commit: str) -> None:
        """Record that work on this digest starts, or starts again. Comes first."""
        self._told = self._digests.setdefault(digest, _Told())
        origin = plan.origin
        about = {"serial": origin.serial, "as_of": origin.as_of, "domain": origin.domain_sid}
        self._write("open", {"digest": digest, "commit": commit, "changes": len(plan.changes), **about})

    def intent(self, change: Change, step: str) -> None:
        """Record what is about to be tried. Returns only once it is on disk."""
        self._told.intents.add((change.key, step))
        subject = {"sid": change.sid, "guid": change.guid, "dn": change.dn.text}
        self._write("intent", {"change": change.key, "step": step, **subject})

    def outcome(self, outcome: Outcome) -> None:
        """Record how a change ended. It is on disk before anything else is tried."""
        self._told.outcomes[outcome.key] = outcome
        subject = {"sid": outcome.sid, "guid": outcome.guid}
        ended = {"change": outcome.key, "result": outcome.result, "detail": outcome.detail, **subject}
        self._write("outcome", ended, durable=False)

    def close(self, counts: Mapping[str, int]) -> None:
        """Record that the digest is spent."""
        self._write("close", {"counts": dict(counts)})

    def tried(self, change: Change, step: str) -> bool:
        """Whether this or an earlier run meant to take this step."""
        return (change.key, step) in self._told.intents

    def succeeded(self, change: Change) -> Outcome | None:
        """Return the outcome of an earlier run when it was a success; anything else is tried again."""
        found = self._told.outcomes.get(change.key)
        return found if found is not None and found.result in SUCCESS else None

    def settled(self, key: str) -> Outcome | None:
        """Return the last recorded outcome of a change, by its key."""
        return self._told.outcomes.get(key)

    def dispose(self) -> None:
        """Put what was recorded on disk, and close the file."""
        with suppress(OSError):  # a disk that fails now has failed what came before, and was told of then
            os.fsync(self._fd)
        os.close(self._fd)

    def _write(self, kind: str, fields: Mapping[str, object], *, durable: bool = True) -> None:
        at = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"v": FORMAT_VERSION, "at": at, "kind": kind, **fields}) + "\n"
        data = line.encode("ascii")
        try:
            written = os.write(self._fd, data)
            if durable:
                os.fsync(self._fd)
        except OSError as error:
            raise _unwritable(self.path, error.strerror or "no reason given") from error
        if written < len(data):  # the disk is full: what follows would run into the torn line
            raise _unwritable(self.path, "the disk is full")

    def _take_up(self, data: bytes) -> None:
        whole, newline, torn = data.rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if newline else [], 1):
            self._take_line(line, number)
        if torn:  # killed in the middle of a line: end it, so that it can never run into the next
            os.write(self._fd, b"\n")

    def _take_line(self, line: bytes, number: int) -> None:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if line[:1] not in (b"{", b"\0", b""):
                raise self._foreign(number) from None
            return  # a torn line that a later run ended: what it would have said was never done
        if not isinstance(entry, dict):
            raise self._foreign(number)
        if entry.get("v") != FORMAT_VERSION:
            raise ReconcileError(
                f"{self.path}:{number}: journal format {entry.get('v')!r} is not known",
                "Finish with the release of reconcile that began, or move the file away: the checks at both ends hold without it.",
            )
        try:
            if entry["kind"] == "open":
                self._told = self._digests.setdefault(entry["digest"], _Told())
            elif entry["kind"] == "intent":
                self._told.intents.add((entry["change"], entry["step"]))
            elif entry["kind"] == "outcome":
                key = entry["change"]
                action, _, guest = key.partition(":")
                subject = entry.get("sid"), entry.get("guid")  # an older journal has neither
                self._told.outcomes[key] = Outcome(
                    key, Action(action), guest, entry["result"], entry["detail"], *subject
                )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._foreign(number) from None

    def _foreign(self, number: int) -> ReconcileError:
        return ReconcileError(
            f"{self.path}:{number}: not a line of a journal",
            "Nothing was written to the directory. Name another file with --journal, or move this one away.",
        )


def _unwritable(path: Path, why: str) -> ReconcileError:
    return ReconcileError(
        f"the journal {path} cannot be written: {why}",
        "Nothing is done without a record of it. Make room, or place the journal elsewhere with --journal.",
    )


def journal_path(env: Mapping[str, str], domain_dn: str, digest: str) -> Path:
    """Return `$XDG_STATE_HOME/reconcile/<domain>/<digest>.jsonl` (XDG Base Directory: default `~/.local/state`)."""
    home = env.get("XDG_STATE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".local" / "state")
    domain = ".".join(part.partition("=")[2] for part in domain_dn.split(",")).lower()
    safe = "".join(c if c.isalnum() or c in ".-" else "_" for c in domain) or "domain"
    return Path(home) / "reconcile" / safe / f"{digest}.jsonl"
