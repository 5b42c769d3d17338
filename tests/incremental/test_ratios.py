"""What a plan costs, as ratios of CPU time: so many times the guests, so many times the cost; and what is warm costs little.

`script/bench plan` measures seconds, and larger trees. The bounds here are wide: other work on the same cores slows all alike.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.init import Answers, scaffold
from tests.bench import trees

_USAGE = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


class Tree:
    """An operations directory of some size, and what planning it takes."""

    def __init__(self, folder: Path, guests: int) -> None:
        self.root, self.cache, self.guests = folder / str(guests), folder / f"cache-{guests}", guests
        subprocess.run(["git", "init", "-q", self.root], check=True)
        scaffold(self.root, Answers(tenant=trees.TENANT, forge="git"))
        trees.write(self.root, guests)

    def plan(self, *, cold: bool = False) -> float:
        """CPU seconds of one plan, everything included."""
        if cold:
            shutil.rmtree(self.cache, ignore_errors=True)
        env = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        command = [sys.executable, "-m", "reconciler", "-C", str(self.root), "plan", "--json"]
        done = subprocess.run([sys.executable, "-c", _USAGE, *command], env=env, check=True, stdout=subprocess.PIPE)
        seconds: float = json.loads(done.stdout)[0]
        return seconds

    def changes(self) -> int:
        return len(json.loads((self.root / "state/plan.json").read_text())["changes"])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("small"), 5_000)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("large"), 40_000)


def test_eight_times_the_guests_cost_at_most_nine_times_as_much(small: Tree, large: Tree) -> None:
    assert min(large.plan(cold=True) for _ in range(2)) < 9 * min(small.plan(cold=True) for _ in range(2))


def test_a_warm_plan_costs_a_fraction_of_a_cold_one(large: Tree) -> None:
    cold = large.plan(cold=True)
    assert large.changes() == 0
    unchanged = min(large.plan() for _ in range(2))
    trees.change(large.root, large.guests, 100, turn=1)
    changed = large.plan()
    assert large.changes() == 100
    assert unchanged < cold / 3
    assert changed < cold / 3


def test_a_plan_of_as_many_changes_costs_as_much_among_eight_times_the_guests(small: Tree, large: Tree) -> None:
    costs = []
    for tree in (small, large):
        tree.plan()
        found = []
        for turn in (2, 3):
            trees.change(tree.root, tree.guests, 100, turn)
            found.append(tree.plan())
        costs.append(min(found))
    assert large.changes() == 100
    assert costs[1] < 1.6 * costs[0]
