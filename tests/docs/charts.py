"""The chart of docs/performance-ends.md, drawn by rich from the figures that are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.terminal_theme import TerminalTheme

from tests.bench.results import Compared

_THEME = TerminalTheme(
    (15, 23, 42),
    (248, 250, 252),
    [(100, 116, 139), (248, 113, 113), (74, 222, 128), (250, 204, 21), *[(148, 163, 184)] * 4],
)


def chart(rows: Sequence[Compared]) -> str:
    """Return the rows as a bar chart, an SVG; within one question the longest bar is the slowest."""
    table = Table(
        box=None, title=f"{rows[0].count:,} guests, one controller: wall time (and the client's own CPU time)"
    )
    for heading in ("", "", ""):
        table.add_column(heading)
    for heading in ("seconds", "CPU"):
        table.add_column(heading, justify="right")
    for what in dict.fromkeys(r.what for r in rows):
        group = [r for r in rows if r.what == what]
        slowest = max(r.wall for r in group)
        for row in group:
            colour = "green" if row.who == "reconcile" else "bright_black"
            bar = Bar(slowest, 0, row.wall, width=40, color=colour)
            table.add_row(what if row is group[0] else "", row.who, bar, f"{row.wall:.2f}", f"{row.cpu:.2f}")
        table.add_section()
    console = Console(record=True, width=100, file=StringIO())
    console.print(table)
    drawn = console.export_svg(title="script/bench compare", theme=_THEME, clear=False, unique_id="compare")
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # a picture that loads nothing
    return re.sub(r"(<svg [^>]*>)", r"\1<title>What each takes for the same work</title>", drawn, count=1)
