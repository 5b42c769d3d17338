"""What script/bootstrap does once it has found a Python: the standard library is all there is here."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environment
import node
import packages

_ROOT = Path(__file__).resolve().parents[2]


def main(what: str) -> None:
    """Make this checkout ready for `what`, demo or dev; SystemExit with the remedy where it cannot be."""
    if what not in ("demo", "dev"):
        sys.exit(f"script/bootstrap: {what} is neither demo nor dev")
    with _alone():
        wanted = environment.Wanted.of(_ROOT, what)
        ready = wanted.ready()
        if what == "dev":
            packages.ensure(packages.RUNNING if ready else (*packages.RUNNING, *packages.building()))
        if not ready:
            environment.make(wanted)
        if what == "dev":
            node.ensure(wanted)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold this checkout's lock: the directory's own, so that no file stays behind and a dead owner holds nothing."""
    directory = os.open(_ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another script/bootstrap is at work here; waiting for it …", file=sys.stderr)
            fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit("Interrupted. Starting again begins anew.")
