"""Short keyed hashes: equal texts are found without keeping the texts.

Guests choose their own names, so an unkeyed hash of 64 bits could be made to collide. The key is random, known to one cache
alone, and never leaves it: nobody who does not hold it can tell which two texts share a hash.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Iterable
from typing import Final

SIZE: Final = 8
KEY_SIZE: Final = 16
NONE: Final = b"\0" * SIZE
"""Stands for nothing to compare: what bears it needs a look."""


class Hasher:
    """Hashes texts under one key. A hash is eight bytes, and never NONE."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._base = hashlib.blake2b(digest_size=SIZE, key=key)

    def __call__(self, text: str) -> bytes:
        """Return the hash of a text."""
        state = self._base.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        digest = state.digest()
        return digest if digest != NONE else b"\1" * SIZE

    def of(self, data: bytes) -> bytes:
        """Return the hash of bytes."""
        state = self._base.copy()
        state.update(data)
        digest = state.digest()
        return digest if digest != NONE else b"\1" * SIZE

    def number(self, text: str) -> int:
        """Return the hash as it stands in `numbers`."""
        return int.from_bytes(self(text), "little")


def numbers(packed: bytes) -> array[int]:
    """Return packed hashes as unsigned numbers, on any machine the same."""
    found = array("Q", packed)
    if sys.byteorder != "little":
        found.byteswap()
    return found


def packed(some: Iterable[int]) -> bytes:
    """Return numbers as the hashes that they are."""
    found = array("Q", some)
    if sys.byteorder != "little":
        found.byteswap()
    return found.tobytes()
