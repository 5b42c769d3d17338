"""What an import of both sides costs, as ratios of CPU time: as many changes cost as much, however many guests there are.

`script/bench snapshot` measures seconds, and larger tenants. The bounds are wide: other work on the same cores slows all alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.snapshot import Operations
from tests.bench.tenant import running
from tests.support.costs import cheapest, ratio

SMALL, LARGE = 3_000, 24_000


@contextmanager
def operating(folder: Path, users: int) -> Iterator[Operations]:
    """Yield an operations directory whose Entra side is imported, everybody having an account."""
    folder.mkdir()
    with running(users, folder) as tenant:
        operations = Operations(folder / "identity", tenant, users, folder / "cache")
        operations.snapshot("full")
        operations.fill()
        yield operations


def imported(operations: Operations) -> float:
    """CPU seconds of one import of both sides."""
    return operations.snapshot("both sides", both=True).cpu


def test_an_increment_of_both_sides_costs_what_changed(tmp_path: Path) -> None:
    with ExitStack() as both:
        small, large = (both.enter_context(operating(tmp_path / str(users), users)) for users in (SMALL, LARGE))
        imported(small)
        first = imported(large)  # nothing is remembered yet
        assert ratio(lambda: imported(large), lambda: imported(small), 1.6) < 1.6
        assert cheapest(lambda: imported(large), 0.75 * first) < 0.75 * first
