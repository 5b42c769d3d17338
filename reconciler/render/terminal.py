"""The sink for terminals: rich `Text` alone, so that data is never markup and holds no control sequence."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from . import log
from .visible import visible


def plain(console: Console) -> bool:
    """Whether the terminal's encoding has ASCII alone for certain."""
    return not console.encoding.lower().startswith("utf")


def text(value: str, style: str = "", *, limit: int | None = None, ascii_only: bool = False) -> Text:
    """Return data as text. A terminal's output may be a CI log, so the log's rules hold too."""
    return Text(log.value(visible(value, limit, ascii_only=ascii_only)), style, end="")


def quoted(value: str, style: str = "", *, limit: int | None = None, ascii_only: bool = False) -> Text:
    """Return data in quotes that it cannot close, for where it stands between words of ours."""
    shown = log.value(visible(value, limit, ascii_only=ascii_only)).replace('"', "\\u{22}")
    return Text.assemble(('"', "dim"), (shown, style), ('"', "dim"), end="")
