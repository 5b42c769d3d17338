"""A page on a terminal: lines that are indented, wrapped to the width and printed together."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from .terminal import plain, quoted, text

_ASCII = str.maketrans({"→": ">", "»": "%", "…": "...", "·": "-", "✓": "+", "✗": "x"})
_NARROWEST = 40
_ROOM = 20
"""Columns that a wrapped line keeps, however far it should be indented."""


class Page:
    """Collects lines and prints them at the end, or whenever asked to.

    Words of ours go in as `str`, with a style; data goes in as what `data` and `quoted` return, and only so.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.ascii_only = plain(console)
        self._lines: list[Text] = []
        self.width = max(console.width, _NARROWEST)

    def words(self, ours: str, style: str = "") -> Text:
        """Return words of ours."""
        return Text(ours.translate(_ASCII) if self.ascii_only else ours, style, end="")

    def data(self, value: str, style: str = "", limit: int | None = None) -> Text:
        """Return data as it stands alone."""
        return self._safe(text(value, style, limit=limit, ascii_only=self.ascii_only))

    def quoted(self, value: str, style: str = "", limit: int | None = None) -> Text:
        """Return data in quotes, for where words of ours stand beside it."""
        return self._safe(quoted(value, style, limit=limit, ascii_only=self.ascii_only))

    def line(self, *parts: Text | str, indent: int = 0, hanging: int = 0, wraps: bool = True) -> None:
        """Add a line, wrapped where it is too long; its later lines are indented by `hanging` more.

        Without `wraps` it is left to the terminal: what is to be copied whole has no line break in it.
        """
        whole = Text.assemble(*(self.words(p) if isinstance(p, str) else p for p in parts), end="")
        if not wraps or indent + whole.cell_len <= self.width:
            self._lines.append(Text(" " * indent, end="").append_text(whole))
            return
        indent = min(indent, self.width - _ROOM)
        hanging = min(hanging, self.width - _ROOM - indent)
        room = self.width - indent - hanging
        for i, wrapped in enumerate(whole.wrap(self._console, room, overflow="fold")):
            wrapped.rstrip()
            self._lines.append(Text(" " * (indent + (hanging if i else 0)), end="").append_text(wrapped))

    def blank(self) -> None:
        """Add an empty line, but no two together and none at the top."""
        if self._lines and self._lines[-1]:
            self._lines.append(Text(""))

    def print(self) -> None:
        """Print what there is."""
        self._console.print(Text("\n").join(self._lines), soft_wrap=True, highlight=False)
        self._lines = []

    def _safe(self, shown: Text) -> Text:
        """Take what the terminal cannot encode out of a cut's ellipsis; the data's own is written out already."""
        if self.ascii_only and not shown.plain.isascii():
            shown.plain = shown.plain.translate(_ASCII)
        return shown


def padded(shown: Text, width: int) -> Text:
    """Return a copy that takes up at least so many columns."""
    copy = shown.copy()
    copy.pad_right(max(width - shown.cell_len, 0))
    return copy


def widest(shown: Iterable[Text], most: int) -> int:
    """Return the columns of the widest, of those that have no more than `most`."""
    return max((w for s in shown if (w := s.cell_len) <= most), default=0)
