"""What people see, kept as files: a change of it shows in a diff. RECONCILE_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def same_as_golden(name: str, shown: str) -> None:
    """Compare with the golden file of this name."""
    file = _FOLDER / name
    if os.environ.get("RECONCILE_UPDATE_GOLDEN") == "1":
        file.write_bytes(shown.encode())
    assert shown.encode() == file.read_bytes()
