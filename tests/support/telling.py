"""`reconcile`, telling a file every password that it gives an account: what a test must find nowhere else.

Run as `python -m tests.support.telling FILE ARGUMENTS…`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from reconciler.cli.context import Ports
from reconciler.cli.main import main


class Telling:
    """A writer that notes the passwords it sets, one JSON-free line each: they hold no line ends."""

    def __init__(self, writer: Any, file: Path) -> None:
        self._writer = writer
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def set_password(self, guid: str, password: str) -> None:
        with self._file.open("a", encoding="utf-8") as told:
            told.write(f"{password}\n")
        self._writer.set_password(guid, password)


if __name__ == "__main__":
    real, listener = Ports(), Path(sys.argv[1])
    ports = Ports(real.source, real.reader, lambda *a: Telling(real.writer(*a), listener), real.clock)
    sys.exit(main(sys.argv[2:], ports=ports))
