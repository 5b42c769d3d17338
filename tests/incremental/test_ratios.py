"""What a plan costs, as ratios of CPU time: so many times the guests, so many times the cost; and what is warm costs little.

`script/bench plan` measures seconds, and larger trees. The bounds here are wide: other work on the same cores slows all alike.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from reconciler.cli.init import Answers, scaffold
from tests.bench import trees
from tests.support.costs import cheapest, ratio

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
    assert ratio(lambda: large.plan(cold=True), lambda: small.plan(cold=True), 9) < 9


def test_a_warm_plan_costs_a_fraction_of_a_cold_one(large: Tree) -> None:
    cold = large.plan(cold=True)
    assert large.changes() == 0
    assert cheapest(large.plan, cold / 3) < cold / 3
    turns = count(1)

    def changed() -> float:
        trees.change(large.root, large.guests, 100, next(turns))
        return large.plan()

    assert cheapest(changed, cold / 3) < cold / 3
    assert large.changes() == 100


def test_a_plan_of_as_many_changes_costs_as_much_among_eight_times_the_guests(small: Tree, large: Tree) -> None:
    turns = count(100)

    def changed(tree: Tree) -> float:
        trees.change(tree.root, tree.guests, 100, next(turns))
        return tree.plan()

    for tree in (small, large):
        tree.plan()
    assert ratio(lambda: changed(large), lambda: changed(small), 1.6) < 1.6
    assert large.changes() == 100
