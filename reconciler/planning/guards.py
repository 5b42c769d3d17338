"""Guards: how much one plan may do, absolutely and in percent. There is no way past one but a reviewed `acknowledge:`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from reconciler.model.plan import Action, Change, Guard
from reconciler.policy.model import Acknowledge, Limit, Policy


def guards(
    changes: tuple[Change, ...], managed: int, policy: Policy, today: date, earlier: Mapping[Action, int] | None = None
) -> tuple[Guard, ...]:
    """Return the verdict on every guarded action that occurs.

    `managed` is the number of accounts joined to a guest; percent is of that, rounded up, and not applied while it is 0.
    `today` is the day of the plan's as-of time. `earlier` counts what the same day's receipts have done already.
    """
    counts = Counter(c.action for c in changes)
    before = Counter(earlier or {})
    acknowledged = _acknowledged(counts, policy, today)
    in_all = _acknowledged(counts + before, policy, today)
    found = [
        _verdict(action, counts[action], before[action], managed, policy.guards[action], acknowledged, in_all)
        for action in Action
        if counts[action] and action in policy.guards
    ]
    remedy = _remedy([g for g in found if g.refused], counts, before)
    return tuple(replace(g, message=f"{g.message}. {remedy}") if g.refused else g for g in found)


def _remedy(refused: Sequence[Guard], counts: Mapping[Action, int], before: Mapping[Action, int]) -> str:
    """Return the one block that lets all of them past: the policy has `acknowledge` once, and all of a block's counts are exact.

    What came earlier is counted in once any of it is past its limit by itself.
    """
    past = any(before[g.action] > g.limit for g in refused)
    exact = ", ".join(f"{g.action}: {counts[g.action] + (before[g.action] if past else 0)}" for g in refused)
    return (
        "If that many are right, add to the policy, for review: "
        f"`acknowledge: [{{counts: {{{exact}}}, reason: …, until: <date>}}]`"
    )


def _verdict(
    action: Action,
    count: int,
    earlier: int,
    managed: int,
    limit: Limit,
    acknowledged: Mapping[Action, Acknowledge],
    in_all: Mapping[Action, Acknowledge],
) -> Guard:
    """Judge one action. `acknowledged` are those whose count in this plan the policy names, `in_all` whose count of the day."""
    allowed = _allowed(limit, managed)
    total = count + earlier
    if allowed is None or total <= allowed:
        return Guard(action, total, total if allowed is None else allowed, refused=False, message="")
    today = f", {earlier} already applied today" if earlier else ""
    found = (
        f"{count} planned{today}, at most {allowed} allowed "
        f"({_words(limit, managed)}; {limit.rule.file}:{limit.rule.line})"
    )
    # What came earlier on top of the limit was acknowledged itself: the same words do not let as many past once more.
    anew = earlier <= allowed
    if block := in_all.get(action) or (acknowledged.get(action) if anew else None):
        each = f"exactly that many, on each day up to {block.until} ({block.rule.file}:{block.rule.line})"
        return Guard(action, total, allowed, refused=False, message=f"{found}; the policy acknowledges {each}.")
    return Guard(action, total, allowed, refused=True, message=found)


def _allowed(limit: Limit, managed: int) -> int | None:
    limits = [] if limit.max is None else [limit.max]
    if limit.percent is not None and managed:
        limits.append(math.ceil(managed * limit.percent / 100))
    return min(limits, default=None)


def _words(limit: Limit, managed: int) -> str:
    words = [] if limit.max is None else [f"max {limit.max}"]
    if limit.percent is not None:
        words.append(f"{limit.percent:g} % of {managed} managed accounts")
    return ", ".join(words)


def _acknowledged(counts: Mapping[Action, int], policy: Policy, today: date) -> Mapping[Action, Acknowledge]:
    """The actions whose exact count an unexpired acknowledgement names, and of those the one that counts longest."""
    return {
        action: block
        for block in sorted(policy.acknowledge, key=lambda block: block.until)
        if today <= block.until and _names_exactly(block, counts)
        for action in block.counts
    }


def _names_exactly(block: Acknowledge, counts: Mapping[Action, int]) -> bool:
    return all(counts.get(action, 0) == count for action, count in block.counts.items())
