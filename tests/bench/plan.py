"""Plans of big trees: cold, warm after 100 changes and after 1 %, unchanged; and how long a command takes to start."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli.init import Answers, scaffold

from . import trees
from .results import store

ROOT = Path(__file__).parents[2]
TARGETS: Mapping[str, Mapping[int, float]] = {
    "help": {10_000: 0.15, 100_000: 0.15, 1_000_000: 0.15},
    "unchanged": {10_000: 0.25, 100_000: 0.25, 1_000_000: 0.5},
    "cold": {10_000: 1, 100_000: 4, 1_000_000: 30},
    "warm, 100 changed": {10_000: 0.4, 100_000: 0.5, 1_000_000: 1},
    "warm, 1 % changed": {10_000: 0.5, 100_000: 1.5, 1_000_000: 10},
}
"""Seconds of wall time, on a quiet machine of two cores."""
_USAGE = """
import json, resource, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(process.pid, flush=True)
code = process.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code]))
"""
_SAMPLE = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """One command: seconds of wall time and of CPU time, and megabytes: of its largest process, and of all together.

    `calibration` is how long a fixed loop took just before it.
    """

    what: str
    guests: int
    wall: float
    cpu: float
    largest: float
    together: float
    calibration: float


def calibrate() -> float:
    """Return the seconds of wall time that a fixed loop takes here and now: other figures are to be read beside it."""
    start = time.perf_counter()
    total = 0
    for n in range(2_000_000):
        total += n
    return time.perf_counter() - start


def measure(guests: int, times: int, folder: Path) -> list[Measured]:
    """Measure one size, each command so many times."""
    directory, cache = folder / "operations", folder / "cache"
    subprocess.run(["git", "init", "-q", str(directory)], check=True)
    scaffold(directory, Answers(tenant=trees.TENANT, forge="git"))
    trees.write(directory, guests)
    plan = ["-C", str(directory), "plan"]
    found: list[Measured] = []

    def run(what: str, *arguments: str, before: Callable[[int], object] = lambda _: None) -> None:
        for turn in range(times):
            before(turn)
            found.append(_run(what, guests, cache, arguments))

    run("help", "--help")
    run("cold", *plan, before=lambda _: shutil.rmtree(cache, ignore_errors=True))
    run("unchanged", *plan)
    run("warm, 100 changed", *plan, before=lambda turn: trees.change(directory, guests, 100, turn))
    run("warm, 1 % changed", *plan, before=lambda turn: trees.change(directory, guests, guests // 100, 100 + turn))
    return found


def best(found: Sequence[Measured]) -> list[Measured]:
    """Return the fastest of each command and size: what others did to the machine is in the rest."""
    groups: dict[tuple[str, int], list[Measured]] = {}
    for one in found:
        groups.setdefault((one.what, one.guests), []).append(one)
    return [min(some, key=lambda one: one.wall) for some in groups.values()]


def _run(what: str, guests: int, cache: Path, arguments: tuple[str, ...]) -> Measured:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RECONCILE_", "GIT_"))}
    command = [sys.executable, "-c", _USAGE, sys.executable, "-m", "reconciler", *arguments]
    calibration = calibrate()
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env={**kept, "XDG_CACHE_HOME": str(cache)}, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    watched = _Memory(int(process.stdout.readline()))
    cpu, largest, code = json.loads(process.stdout.readline())
    wall = time.perf_counter() - start
    process.communicate()
    if code:
        raise SystemExit(f"reconcile {' '.join(arguments)} exited with {code}")
    return Measured(what, guests, wall, cpu, largest, max(watched.most(), largest), calibration)


class _Memory:
    """How much a process and its descendants hold together, looked at now and then; shared pages count once."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def most(self) -> float:
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE):
            self._most = max(self._most, sum(map(_proportional, _family(self._pid))) / 1024)


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has ended
        children.setdefault(parent, []).append(int(file.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def table(found: list[Measured]) -> str:
    """Return everything about the fastest of each as a table."""
    lines = [
        "| plan | guests | wall | target | CPU | largest process | all together |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.what} | {one.guests:,} | {one.wall:.2f} s | {TARGETS[one.what].get(one.guests, 0):g} s | {one.cpu:.2f} s "
        f"| {one.largest:.0f} MB | {one.together:.0f} MB |"
        for one in best(found)
    ]
    loop = [one.calibration for one in found]
    lines.append(
        f"\nThe calibration loop took {min(loop):.3f} s at best, {statistics.median(loop):.3f} s in the middle."
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser(prog="script/bench plan", description=__doc__)
    parser.add_argument("guests", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=3, help="how often each command is run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to put all figures")
    asked = parser.parse_args()
    found: list[Measured] = []
    for guests in asked.guests:
        with tempfile.TemporaryDirectory(prefix="reconcile-bench-") as folder:
            found += measure(guests, asked.times, Path(folder))
        print(table([one for one in found if one.guests == guests]), flush=True)
        if asked.json:
            store(asked.json, "plans", [one for one in found if one.guests == guests], ("what", "guests"))


if __name__ == "__main__":
    main()
