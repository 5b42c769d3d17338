"""A year of guests on a real domain controller: 365 days, 2,000 guests, everything checked after each."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from reconciler.demo.samba import Controller
from tests.year.simulation import year


def run(guests: int, days: int, seed: int) -> None:
    """Live so many days; say after each what was done."""
    with tempfile.TemporaryDirectory() as root, Controller() as samba, year(Path(root), samba, guests, seed) as lived:
        started = time.monotonic()
        lived.begin()
        print(f"{guests} accounts there in {time.monotonic() - started:.0f} s")
        for number in range(1, days + 1):
            began, worked, before = time.monotonic(), time.process_time(), lived.done.copy()
            lived.day()
            made = ", ".join(f"{count} {action}" for action, count in sorted((lived.done - before).items()))
            spent = f"{time.monotonic() - began:.1f} s, {time.process_time() - worked:.1f} s of this process's"
            print(f"day {number}, {lived.clock.now:%Y-%m-%d}: {made} ({spent})", flush=True)
        lived.whole_domain_is_as_copied()
        samba.dbcheck()
        print(f"{days} days in {time.monotonic() - started:.0f} s: {dict(lived.done)}")
        print(f"conflicts seen: {dict(lived.conflicts)}; guards refused {lived.refusals} times; {lived.stale} stale")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="script/bench year", description=__doc__)
    parser.add_argument("--guests", type=int, default=2000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    run(arguments.guests, arguments.days, arguments.seed)
