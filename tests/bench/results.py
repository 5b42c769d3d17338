"""Where results are kept: `docs/benchmarks/`, from which `script/docs` makes the tables of the pages on performance.

A file has what it was measured on (`machine`) and lists of rows by kind. Measuring some sizes anew replaces their rows alone.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/benchmarks"
Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: seconds of wall time for the command and for the commit; of CPU, and peak memory in MB, for the command.

    `calibration` is how long a fixed loop took beside it, in seconds.
    """

    what: str
    guests: int
    wall: float
    commit: float
    cpu: float
    memory: float
    calibration: float

    @property
    def total(self) -> float:
        """Seconds until it is committed."""
        return self.wall + self.commit


@dataclass(frozen=True, slots=True)
class Page:
    """Microseconds of the client's CPU for an entry of one page of 1,000 with 14 attributes, over a socket."""

    what: str
    received: float
    made: float
    """An account: values by their kinds, GUID, SID, protections."""
    stock: float
    """Received and decoded by ldap3's own strategy."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a controller that has so many accounts: seconds of wall time, of the client's and of the server's CPU."""

    what: str
    accounts: int
    count: int
    wall: float
    client: float
    server: float


@dataclass(frozen=True, slots=True)
class Applied:
    """One `reconcile apply`, as a whole process: seconds of wall time, of the client's CPU (git's too) and of the server's."""

    what: str
    count: int
    wall: float
    client: float
    server: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One measurement side by side: seconds of wall time and of the client's own CPU time, for `count` accounts."""

    what: str
    who: str
    count: int
    wall: float
    cpu: float


def store(file: Path, kind: str, rows: Sequence[Row], same: Sequence[str] = ("what",)) -> None:
    """Put rows into a file in place of those of the same kind that agree in the fields `same`; others stay."""
    kept: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    fresh = [asdict(row) for row in rows]
    replaced = {tuple(row[name] for name in same) for row in fresh}
    others = [row for row in kept.get(kind, []) if tuple(row.get(name) for name in same) not in replaced]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**kept, "machine": _machine(), kind: [*others, *fresh]}, indent=1) + "\n", "utf-8")


def load(file: Path, kind: str, row: type[Row]) -> list[Row]:
    """Return the rows of one kind."""
    return [row(**fields) for fields in json.loads(file.read_text("utf-8")).get(kind, [])]


def _machine() -> dict[str, str | int | float]:
    return {
        "on": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 2),
    }
