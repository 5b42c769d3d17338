"""Writes the generated parts of the documentation: `script/docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.results import Compared, load

from .benchmarks import COMPARED
from .charts import chart
from .generated import regenerated
from .pages import ROOT, pages
from .pictures import svg

PICTURE = "docs/images/plan.svg"
CHART = "docs/images/compare.svg"


def main() -> None:
    """Write what changed, and name it."""
    made = {page: regenerated(page) for page in pages()} | {
        PICTURE: svg(),
        CHART: chart(load(COMPARED, "compared", Compared)),
    }
    for name, text in made.items():
        file = ROOT / name
        if _read(file) != text:
            file.write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"{name}\n")


def _read(file: Path) -> str | None:
    return file.read_text("utf-8") if file.exists() else None


if __name__ == "__main__":
    main()
