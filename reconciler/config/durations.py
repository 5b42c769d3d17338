"""Durations as people write them: 30m, 24h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Return the duration; raises ValueError for anything but 1 to 99999 of m(inutes), h(ours) or d(ays)."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"not a duration such as 30m, 24h or 7d: {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
