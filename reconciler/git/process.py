"""Which process this is, so that another one on the same machine can tell whether it still runs."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_STATE, _STARTED = 0, 19
"""Fields 3 and 22 of /proc/PID/stat (proc(5)), counted behind the command name, which can hold spaces and `)`."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one machine. What a system does not tell is "".

    `machine` is a hash of the machine id, `boot` the id of this start of the kernel, `namespace` the pid namespace
    (a container's pids mean nothing in another), `started` in clock ticks since that start.
    """

    host: str
    machine: str
    boot: str
    namespace: str
    pid: int
    started: str

    @staticmethod
    def current() -> Process:
        """Return the process that runs this."""
        return Process(
            host=platform.node(),
            machine=_machine(),
            boot=_line("/proc/sys/kernel/random/boot_id"),
            namespace=_namespace(),
            pid=os.getpid(),
            started=_stat(os.getpid())[1],
        )

    def ended(self) -> bool:
        """Whether this process is known to be over. False too where it cannot be told: elsewhere, another container."""
        here = Process.current()
        if (self.host, self.machine) != (here.host, here.machine):
            return False
        if self.boot != here.boot:
            return bool(self.machine and self.boot and here.boot)  # the same machine, started again since
        if self.namespace != here.namespace:
            return False
        if here.started:
            state, started = _stat(self.pid)
            return not state or state in "ZX" or started != self.started
        return _unknown_to_kill(self.pid)


def _stat(pid: int) -> tuple[str, str]:
    """Return (state, start time) of a process on Linux; ("", "") where there is none, or no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[_STATE], fields[_STARTED]


def _unknown_to_kill(pid: int) -> bool:
    if sys.platform == "win32" or pid <= 0:
        return False  # Windows takes signal 0 for Ctrl-C
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _machine() -> str:
    """Return a hash of the machine id, which machine-id(5) asks not to be shown as it is."""
    known = _line("/etc/machine-id")
    return hashlib.sha256(f"reconcile {known}".encode()).hexdigest()[:12] if known else ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""
