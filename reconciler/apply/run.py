"""Runs a checked plan: guests re-read in batches, each change checked at both ends, every step journaled.

One bad object never stops the others; a lost connection does, and running again takes up where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.directory.port import DirectoryWriter, Entry
from reconciler.errors import (
    DirectoryError,
    DirectoryUnavailableError,
    NameTakenError,
    StalePlanError,
    ValueMismatchError,
)
from reconciler.graph.port import GuestSource
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Change, Plan
from reconciler.policy.model import Policy
from reconciler.progress import Progress
from reconciler.state.model import State

from .checks import Expectations, StaleError, check_guest
from .journal import SUCCESS, Journal, Outcome, Result
from .steps import Hands, carry_out, step_aside, taken, via_places

BATCH = 100
"""Changes between two looks at the lock and two reads of guests."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Both live ends, and what the tree says of them."""

    source: GuestSource
    writer: DirectoryWriter
    state: State
    policy: Policy


def run(
    plan: Plan, ends: Ends, ous: Sequence[DN], journal: Journal, keep_lock: Callable[[], None], progress: Progress
) -> list[Outcome]:
    """Carry out the plan's changes in order; return one outcome for each.

    `keep_lock` is called before each batch and raises when the lock is no longer ours. Raises StalePlanError for a plan
    that is speculative; DirectoryUnavailableError or GraphError when an end is lost: the journal then holds what was done so far.
    """
    if plan.speculation is not None:
        raise StalePlanError(
            "the plan is speculative: it shows what a change of the policy would do, and is never applied",
            "Merge the change, run `reconcile snapshot` and `reconcile propose`, and apply the plan that is proposed.",
        )
    runner = _Runner(plan, ends, ous, journal)
    aside = [c for c in plan.changes if any(d.via is not None for d in c.deltas) and journal.succeeded(c) is None]
    for batch in _batches(aside):
        keep_lock()
        live = runner.guests(batch)
        for change in batch:
            runner.step_aside(change, live[change.guest])
    with progress.task("Applying changes", len(plan.changes)) as task:
        for number, batch in enumerate(_batches(plan.changes)):
            keep_lock()
            live = runner.guests([c for c in batch if journal.succeeded(c) is None])
            for place, change in enumerate(batch, 1):
                runner.carry_out(change, live.get(change.guest))
                task.done(number * BATCH + place)
    return [runner.outcomes[c.key] for c in plan.changes]


class _Runner:
    def __init__(self, plan: Plan, ends: Ends, ous: Sequence[DN], journal: Journal) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._aside: set[str] = set()
        self._accounts: dict[str, Entry] = {}
        self._ends = ends
        self._journal = journal
        self._imported = ends.state.manifest.graph.attributes if ends.state.manifest.graph else ()
        places: dict[str, frozenset[DN]] = {}
        for change in plan.changes:
            if change.guid:
                places[change.guid] = places.get(change.guid, frozenset()) | via_places(change)
        expect = Expectations(ends.policy, tuple(ous), places)
        attributes = sorted({*ends.policy.account_attributes, "userAccountControl"})
        self._hands = Hands(ends.writer, attributes, expect, journal.intent, journal.tried, self._accounts.__setitem__)

    def guests(self, changes: Sequence[Change]) -> dict[str, Guest]:
        """Re-read the guests of these changes from Entra."""
        ids = sorted({c.guest for c in changes})
        return self._ends.source.lookup(ids, self._imported) if ids else {}

    def step_aside(self, change: Change, live: Guest) -> None:
        """Take the first half of a swap; a failure is the change's outcome."""
        outcome = self._guarded(change, live, step_aside)
        if outcome.result in SUCCESS:
            self._aside.add(change.key)
        else:
            self._end(outcome)

    def carry_out(self, change: Change, live: Guest | None) -> None:
        """Carry out one change, unless an earlier run or the first half of a swap has settled it."""
        if change.key in self.outcomes:
            return
        if earlier := self._journal.succeeded(change):
            self.outcomes[change.key] = earlier
        elif unmet := [need for need in change.after if not self._met(need)]:
            self._end(self._outcome(change, "skipped", f"waits for {', '.join(unmet)}, which did not succeed"))
        elif live is not None:
            self._end(self._guarded(change, live, carry_out))

    def _met(self, need: str) -> bool:
        key = need.removeprefix("via:")
        ended = self.outcomes.get(key) or self._journal.settled(key)
        return (ended is not None and ended.result in SUCCESS) or (need != key and key in self._aside)

    def _guarded(self, change: Change, live: Guest, act: Callable[[Change, Guest, Hands], bool]) -> Outcome:
        recorded = self._ends.state.guests[change.guest]
        try:
            check_guest(change, recorded, live, self._imported)
            return self._outcome(change, "done" if act(change, recorded, self._hands) else "already")
        except StaleError as error:
            return self._outcome(change, "stale", str(error))
        except DirectoryUnavailableError:
            raise
        except ValueMismatchError as error:
            return self._outcome(change, "stale", error.what)
        except NameTakenError as error:
            return self._outcome(change, "failed", taken(error))
        except DirectoryError as error:
            return self._outcome(change, "failed", str(error))

    def _end(self, outcome: Outcome) -> None:
        self.outcomes[outcome.key] = outcome
        self._journal.outcome(outcome)

    def _outcome(self, change: Change, result: Result, detail: str = "") -> Outcome:
        met = self._accounts.get(change.key)
        subject = (met.sid, met.guid) if met else (change.sid, change.guid)
        return Outcome(change.key, change.action, change.guest, result, detail, *subject)


def _batches(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    for start in range(0, len(changes), BATCH):
        yield changes[start : start + BATCH]
