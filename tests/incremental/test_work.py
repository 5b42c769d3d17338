"""Shards summed up by several processes are summed up as by one; whoever presses Ctrl-C ends all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.git.repository import Repository
from reconciler.incremental import work
from reconciler.incremental.hashes import Hasher
from reconciler.incremental.summing import summings
from reconciler.incremental.work import Recipe, summarize
from reconciler.model.dn import DN
from reconciler.policy.load import load_policy
from reconciler.state.paths import account_path, guest_path
from tests.bench import trees
from tests.planning.builder import DEFAULT

RECIPE = Recipe((("policies/guests.yaml", DEFAULT.encode()),), (trees.OU,), b"k" * 16)
HERE = summings(load_policy(RECIPE.policy, (DN(trees.OU),)), (DN(trees.OU),), Hasher(RECIPE.key))
GUESTS = 120


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    trees.write(tmp_path, GUESTS)
    return tmp_path


@pytest.fixture
def by_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_FEW", 0)


def paths() -> list[str]:
    found = {guest_path(trees.guest(n).id) for n in range(GUESTS)} | {
        account_path(trees.account(n).sid) for n in range(GUESTS)
    }
    return sorted(found)


@pytest.mark.parametrize("kind", ["disk", "commit"])
def test_several_processes_sum_up_what_one_does(root: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.open(root)
    tree = repository.disk_tree({})[0] if kind == "disk" else repository.work_tree()
    alone = {path: parts for some in summarize(RECIPE, HERE, tree, paths()) for path, parts in some.items()}
    monkeypatch.setattr(work, "_FEW", 0)
    monkeypatch.setattr(work, "_AHEAD", 3)
    together = {path: parts for some in summarize(RECIPE, HERE, tree, paths()) for path, parts in some.items()}
    assert together == alone
    assert set(alone) == set(paths())


@pytest.mark.usefixtures("by_processes")
def test_a_damaged_shard_in_another_process_is_the_same_error(root: Path) -> None:
    last = paths()[-1]
    (root / last).write_text("nonsense\n")
    tree = Repository.open(root).disk_tree({})[0]
    with pytest.raises(StateError, match=last):
        list(summarize(RECIPE, HERE, tree, paths()))


_LONG = """
import sys
import time
from pathlib import Path
from reconciler.git.repository import Repository
from reconciler.incremental import work
from tests.incremental.test_work import HERE, RECIPE, paths
if __name__ == "__main__":
    work._FEW = 0
    tree = Repository.open(Path(sys.argv[1])).disk_tree({})[0]
    try:
        if sys.argv[2] == "long":
            print("begun", flush=True)
        for turn in range(10_000):
            for number, some in enumerate(work.summarize(RECIPE, HERE, tree, paths())):
                if sys.argv[2] == "idle" and number == 1:  # from another process
                    print("begun", flush=True)
                    time.sleep(600)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def begun(root: Path, folder: Path, kind: str) -> subprocess.Popen[str]:
    """Return a process that sums up without end (long), or whose helpers wait for it (idle), in a group of theirs."""
    script = folder / "long.py"
    script.write_text(_LONG)
    process = subprocess.Popen(
        [sys.executable, script, root, kind],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    return process


def test_ctrl_c_ends_all_processes_without_a_word_from_them(root: Path, tmp_path: Path) -> None:
    process = begun(root, tmp_path, "long")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == "interrupted\n"
    assert not err


def test_whoever_is_killed_leaves_no_processes_behind(root: Path, tmp_path: Path) -> None:
    process = begun(root, tmp_path, "idle")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)  # returns once the last of them has let go of its output
