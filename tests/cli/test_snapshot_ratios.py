"""What an import of both sides costs, as ratios of CPU time: as many changes cost as much, however many guests there are.

`script/bench snapshot` measures seconds, and larger tenants. The bounds are wide: other work on the same cores slows all alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.bench.snapshot import Operations
from tests.bench.tenant import running

SMALL, LARGE = 3_000, 24_000


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds of an import of both sides: the first, when nothing is remembered, and the cheapest of two after it."""

    first: float
    later: float


def imported(folder: Path, users: int) -> Costs:
    folder.mkdir()
    with running(users, folder) as tenant:
        operations = Operations(folder / "identity", tenant, users, folder / "cache")
        operations.snapshot("full")
        operations.fill()
        first = operations.snapshot("both sides, nothing remembered", both=True)
        return Costs(first.cpu, min(operations.snapshot("both sides", both=True).cpu for _ in range(2)))


def test_an_increment_of_both_sides_costs_what_changed(tmp_path: Path) -> None:
    small, large = (imported(tmp_path / str(users), users) for users in (SMALL, LARGE))
    assert large.later < 1.6 * small.later, (small, large)
    assert large.later < large.first / 2, (small, large)
