"""The parts of a shard's summary, by name: each is fetched when it is asked for."""

from __future__ import annotations

from typing import Final

CLEAN: Final = "clean"
"""A head, and what must be equal on the other side."""
OFFSETS: Final = "offsets"
"""Where entries begin in the text; none in a shard that is not canonical."""
KEYS: Final = "keys"
"""Join keys of guests, rule by rule."""
GUESTS: Final = "guests"
"""Whom accounts are joined to."""
NAMES: Final = "names"
"""What names accounts hold, three to each."""

Parts = dict[str, bytes]
"""One shard's summary."""
