"""`reconcile`, killed by SIGKILL at the N-th point: before or after a write to the directory, or as a journal line is due.

Run as `python -m tests.support.killable N ARGUMENTS…`; with N = 0 it counts the points to standard error instead. N may name a
write, too: `modify:2:after` is just after the second modify.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from reconciler.cli.context import Ports
from reconciler.cli.main import main

_WRITES = ("add", "set_password", "modify", "move", "delete", "reanimate")


class Fuse:
    """Counts points; at the N-th the process is gone, with no chance to clean up."""

    def __init__(self, point: str) -> None:
        self._point = point
        self.passed = 0
        self._writes: Counter[str] = Counter()

    def __call__(self, name: str = "") -> None:
        self.passed += 1
        if self._point in (str(self.passed), name):
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, write: str) -> None:
        self._writes[write] += 1
        self(f"{write}:{self._writes[write]}:before")

    def after(self, write: str) -> None:
        self(f"{write}:{self._writes[write]}:after")


class Fused:
    """A writer with a point before and after each write."""

    def __init__(self, writer: Any, fuse: Fuse) -> None:
        self._writer = writer
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._writer, name)
        if name not in _WRITES:
            return found

        def fused(*arguments: Any) -> Any:
            self._fuse.before(name)
            result = found(*arguments)
            self._fuse.after(name)
            return result

        return fused


def fused_ports(fuse: Fuse) -> Ports:
    """The real ports with the fuse in them."""
    real = Ports()
    clock: Callable[[], datetime] = real.clock

    def ticking() -> datetime:
        fuse()
        return clock()

    return Ports(source=real.source, reader=real.reader, writer=lambda *a: Fused(real.writer(*a), fuse), clock=ticking)


if __name__ == "__main__":
    burning = Fuse(sys.argv[1])
    code = main(sys.argv[2:], ports=fused_ports(burning))
    sys.stderr.write(f"points: {burning.passed}\n")
    sys.exit(code)
