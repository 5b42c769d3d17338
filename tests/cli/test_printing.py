"""A document of `--json` is printed as it is, at a fraction of what making its text costs."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from reconciler.cli.context import Context, Ports
from reconciler.model.json_text import json_text
from tests.support.costs import cpu, ratio

ROWS = {"outcomes": [{"change": f"update {n:036x}", "result": "done", "detail": "\x1b[31m ü\t"} for n in range(5000)]}


def printed(document: object) -> str:
    said = io.StringIO()
    Context(Path(), {}, Ports(), json=True, consoles=(Console(file=said), Console(file=io.StringIO()))).print_json(
        document
    )
    return said.getvalue()


def test_a_large_document_is_printed_whole_and_costs_little_more_than_its_text() -> None:
    said = printed(ROWS)
    assert json.loads(said) == ROWS
    assert said.isascii()
    assert not set(said) - {"\n", *map(chr, range(32, 127))}
    assert (
        ratio(lambda: cpu(lambda: printed(ROWS)), lambda: cpu(lambda: json_text(ROWS)), 3) < 3
    )  # by way of rich: fifteen
