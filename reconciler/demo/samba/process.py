"""One Samba server on a loopback address of its own: it ends when asked, and when whoever started it is gone."""

from __future__ import annotations

import errno
import os
import random
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from reconciler.errors import DirectoryUnavailableError

from .template import environment

_PORTS = (636, 389, 88, 464, 3268, 3269)
_CLAIM = 635
"""A port nobody serves: whoever has bound it at an address has that address."""
_ATTEMPTS = 200
_STOP_SECONDS = 5.0
_REMEDY = (
    "Run as root; or allow low ports with `sysctl net.ipv4.ip_unprivileged_port_start=88`;"
    " or use a namespace of its own: unshare -Urn sh -c 'ip link set lo up && exec reconcile demo --directory samba'"
)


class Address:
    """A loopback address, 127.0.x.y, that no other controller on this machine uses until it is released."""

    def __init__(self) -> None:
        self._claim, self.text = _claim_any()

    def release(self) -> None:
        """Give it back."""
        self._claim.close()


def _claim_any() -> tuple[socket.socket, str]:
    pick = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        address = f"127.0.{pick.randint(1, 254)}.{pick.randint(1, 254)}"
        claim = _listening(address, _CLAIM)
        if claim is None:
            continue
        with ExitStack() as probes:
            sockets = [_listening(address, port) for port in _PORTS]
            for bound in filter(None, sockets):
                probes.callback(bound.close)
            if all(sockets):
                return claim, address
        claim.close()
    raise DirectoryUnavailableError("No free loopback address for a domain controller was found.", _REMEDY)


def _listening(address: str, port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        bound.listen()
        # A namespace whose loopback is down lets one bind, and nobody come.
        socket.create_connection((address, port), timeout=_STOP_SECONDS).close()
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise DirectoryUnavailableError(
            f"A domain controller needs the ports {', '.join(map(str, _PORTS))} of a loopback address;"
            f" {address}:{port} cannot be used: {error.strerror}",
            _REMEDY,
        ) from error
    return bound


class Server:
    """The running process. It reads its standard input only to notice, by the end of it, that its parent has died."""

    def __init__(self, binary: str, conf: Path) -> None:
        self._log = conf.with_name("output")
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [binary, "--interactive", "--no-process-group", "--model=single", f"--configfile={conf}"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        return self._process.pid

    def check(self) -> None:
        """Raise DirectoryUnavailableError, with the end of its output, when it has ended by itself."""
        status = self._process.poll()
        if status is not None:
            output = self._log.read_text(errors="replace").strip()[-2000:]
            raise DirectoryUnavailableError(f"Samba ended with status {status}:\n{output}", "See its output above.")

    def stop(self) -> None:
        """End the process and its group; return once it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for stopping in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, stopping)
            except ProcessLookupError:
                break
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        self._process.wait(_STOP_SECONDS)
