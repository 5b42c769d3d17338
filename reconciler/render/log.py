"""The sink for CI logs: plain lines that hold no command for the machine that reads them."""

from __future__ import annotations

import re

from .visible import Shown, visible

_IN_A_LINE = r"^[:#]|(?<=:):|(?<=#)#"
_COMMAND = re.compile(rf"{_IN_A_LINE}|[:#]\Z")
_LINE = re.compile(_IN_A_LINE)
"""What a log reader could take for the start of a command: `::error`, `##[group]`, `##vso[`, `##teamcity[`."""


def value(text: str, limit: int | None = None) -> Shown:
    """Return data for a log line: visible, and no part of a workflow command, whatever stands on either side of it."""
    return _escaped(_COMMAND, visible(text, limit))


def line(text: str) -> Shown:
    """Return a line of its own: like `value`, but its end may be a colon."""
    return whole(visible(text))


def whole(shown: str) -> Shown:
    """Return a line whose data is visible already, as one that holds no command."""
    return _escaped(_LINE, shown)


def _escaped(pattern: re.Pattern[str], shown: str) -> Shown:
    return Shown(pattern.sub(lambda m: f"\\u{{{ord(m[0]):x}}}", shown))
