"""What something costs, measured until it is as cheap as it should be: other work on the machine makes it dearer, never cheaper."""

from __future__ import annotations

import time
from collections.abc import Callable


def cheapest(measure: Callable[[], float], limit: float, turns: int = 10) -> float:
    """Return the least of what was measured, as soon as it is below the limit."""
    best = float("inf")
    for _ in range(turns):
        best = min(best, measure())
        if best < limit:
            break
    return best


def ratio(one: Callable[[], float], other: Callable[[], float], limit: float, turns: int = 6) -> float:
    """Return how the least of two costs relate, measured in turn: twice each, and then until the limit is met."""
    ones, others = [], []
    for turn in range(turns):
        ones.append(one())
        others.append(other())
        if turn and min(ones) < limit * min(others):
            break
    return min(ones) / min(others)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that a piece of work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start
