"""The receipt of one applied plan: a record on the merged commit, and what a day's guards count."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from reconciler import __version__
from reconciler.errors import StateError
from reconciler.model.plan import Action, Plan

from .journal import SUCCESS, Outcome

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Approved:
    """The pull request that a plan came by, its last head, who pushed that (None: not told), and whose approval of it counted."""

    number: int
    url: str
    head: str
    pusher: str | None
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who applied which plan when, and how each change ended, once each."""

    digest: str
    changes_digest: str
    commit: str
    directory: str
    """The operations directory in its repository; `.` is the top."""
    owner: str
    run: str
    started: datetime
    ended: datetime
    plan: Plan
    outcomes: Sequence[Outcome]
    approved: Approved | None = None
    """None with plain git."""

    def text(self) -> str:
        """Return the receipt as JSON, pure ASCII."""
        origin = self.plan.origin
        document = {
            "v": FORMAT_VERSION,
            "status": "closed",
            "digest": self.digest,
            "changes_digest": self.changes_digest,
            "commit": self.commit,
            "directory": self.directory,
            "tool": {"name": "reconcile", "version": __version__},
            "approved": asdict(self.approved) if self.approved else None,
            "owner": self.owner,
            "run": self.run,
            "started": _time(self.started),
            "ended": _time(self.ended),
            "tenant": origin.tenant,
            "domain": {"sid": origin.domain_sid, "dn": origin.domain_dn},
            "controller": origin.controller,
            "serial": origin.serial,
            "as_of": origin.as_of,
            "counts": counts(self.outcomes),
            "written": dict(sorted(Counter(o.action.value for o in self.outcomes if o.result == "done").items())),
            "outcomes": [
                {"change": o.key, "result": o.result, "detail": o.detail, "sid": o.sid, "guid": o.guid}
                for o in self.outcomes
            ],
        }
        return json.dumps(document, indent=1, ensure_ascii=True)


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count outcomes by result."""
    return dict(sorted(Counter(o.result for o in outcomes).items()))


def written_on(day: date, domain_sid: str, receipts: Iterable[str]) -> Mapping[Action, int]:
    """Return how much the receipts whose plan is of `day` wrote to a domain, by action."""
    total: Counter[Action] = Counter()
    for text in receipts:
        receipt = json.loads(text)
        try:
            same_day = datetime.fromisoformat(receipt["as_of"]).date() == day
            if same_day and receipt["domain"]["sid"] == domain_sid:
                total.update({Action(action): int(count) for action, count in receipt["written"].items()})
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise StateError(
                "refs/notes/reconcile: a receipt there does not say what was written when, so the day's guards cannot be counted",
                "Find it with `git log -p refs/notes/reconcile`; whoever changed it should put it back and push.",
            ) from error
    return total


@dataclass(frozen=True, slots=True)
class Written:
    """One change that succeeded, as a receipt tells it."""

    ended: datetime
    serial: int
    action: str
    guest: str
    sid: str
    guid: str


def written_since(
    text: str, since: datetime, serial: int, directory: str, domain_sid: str, tenant: str
) -> list[Written]:
    """Return the successes of a receipt of this operations directory that ended since then, or whose plan was made from
    this import or a later one. A receipt that does not say so clearly tells nothing.
    """
    try:
        receipt = json.loads(text)
        ended, made_from = datetime.fromisoformat(receipt["ended"]), int(receipt["serial"])
        where = receipt.get("directory"), receipt["domain"]["sid"], receipt["tenant"]
        if where != (directory, domain_sid, tenant) or (ended < since and made_from < serial):
            return []
        return [
            Written(ended, made_from, *_change(o["change"]), str(o["sid"]), str(o["guid"]))
            for o in receipt["outcomes"]
            if o["result"] in SUCCESS and o.get("sid") and o.get("guid")
        ]
    except (LookupError, TypeError, ValueError, AttributeError):
        return []


def _change(key: str) -> tuple[str, str]:
    action, _, guest = key.partition(":")
    return action, guest


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
