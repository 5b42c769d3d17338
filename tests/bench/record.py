"""Measures everything that docs/performance*.md tells (or what is named), keeps the figures, and makes tables and chart anew."""

from __future__ import annotations

import argparse
import subprocess
import sys

from tests.docs.write import main as write

from .results import FOLDER, ROOT

COMMANDS = {
    "plan": ("10000", "100000", "1000000"),
    "snapshot": ("10000", "100000", "1000000"),
    "controller": ("--accounts", "30000", "--guests", "1000"),
    "compare": ("--guests", "1000"),
}


def main() -> None:
    """Measure one after the other."""
    parser = argparse.ArgumentParser(prog="script/bench record", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*COMMANDS, "all"], default="all", help="what to measure")
    asked = parser.parse_args().names
    for name in COMMANDS if "all" in asked else asked:
        kept = ("--json", str(FOLDER / f"{name}.json"))
        subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *COMMANDS[name], *kept], cwd=ROOT, check=True)
    write()


if __name__ == "__main__":
    main()
