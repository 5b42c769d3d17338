"""The sink for CI logs: plain lines that hold no command for the machine that reads them."""

from __future__ import annotations

import re

from .visible import Shown, visible

_COMMAND = re.compile(r"^[:#]|(?<=:):|(?<=#)#|[:#]\Z")
"""What a log reader could take for the start of a command: `::error`, `##[group]`, `##vso[`, `##teamcity[`."""


def value(text: str, limit: int | None = None) -> Shown:
    """Return data for a log line: visible, and no part of a workflow command, whatever stands on either side of it."""
    return Shown(_COMMAND.sub(lambda m: f"\\u{{{ord(m[0]):x}}}", visible(text, limit)))
