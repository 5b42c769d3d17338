"""The sinks for commands that a person copies: an argument cannot end where its author likes."""

from __future__ import annotations

import re
import shlex

_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
"""PowerShell takes these for single quotes, too; doubled, each stands for itself."""


def powershell(value: str) -> str:
    """Return a value as one verbatim PowerShell string."""
    return "'" + _QUOTES.sub(lambda m: m[0] * 2, value) + "'"


def shell(value: str) -> str:
    """Return a value as one word of a POSIX shell, and no option: what follows it is none either."""
    return f"-- {shlex.quote(value)}" if value.startswith("-") else shlex.quote(value)
