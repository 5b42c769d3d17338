"""Security descriptors as a directory hands them out: owner and access list ([MS-DTYP] 2.4.4 to 2.4.6).

Only what decides about access is read: audit entries and the primary group decide nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from .decode import guid, sid

_DACL_PRESENT: Final = 0x4
_DACL_PROTECTED: Final = 0x1000
_HEAD: Final = struct.Struct("<BBHIIII")
_LIST: Final = struct.Struct("<BBHHH")
_ENTRY: Final = struct.Struct("<BBHI")
_GUID: Final = 16
_OBJECT: Final = frozenset({0x5, 0x6, 0xB, 0xC})
_ALLOW: Final = frozenset({0x0, 0x5, 0x9, 0xB})
_DENY: Final = frozenset({0x1, 0x6, 0xA, 0xC})
_CONDITIONAL: Final = frozenset({0x9, 0xA, 0xB, 0xC})
_LETTERS: Final = (
    *(("RP", 0x10), ("WP", 0x20), ("CR", 0x100), ("CC", 0x1), ("DC", 0x2), ("LC", 0x4), ("LO", 0x80)),
    *(("RC", 0x20000), ("WO", 0x80000), ("WD", 0x40000), ("SD", 0x10000), ("DT", 0x40), ("SW", 0x8)),
    *(("GA", 0x10000000), ("GR", 0x80000000), ("GW", 0x40000000), ("GX", 0x20000000)),
)
"""Rights in SDDL ([MS-DTYP] 2.5.1.1), in the order in which samba-tool prints them."""
_FLAGS: Final = (("OI", 0x1), ("CI", 0x2), ("NP", 0x4), ("IO", 0x8), ("ID", 0x10))
GENERIC: Final = {0x10000000: 0xF01FF, 0x80000000: 0x20094, 0x40000000: 0x20028, 0x20000000: 0x20004}
"""What a generic right stands for on an object of the directory ([MS-ADTS] 5.1.3.2)."""
FULL: Final = 0xF01FF
"""Every right there is on an object of the directory."""


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry of an access list. `mask` is as it is stored; `rights` has generic ones spelled out.

    `object_type` is what the rights are limited to: an attribute, a property set, a class of children, a control access right.
    `inherited_type` is the class of the objects below that inherit it. Both are GUIDs, None where there is no limit.
    """

    allow: bool
    mask: int
    sid: str
    flags: int = 0
    object_type: str | None = None
    inherited_type: str | None = None
    conditional: bool = False
    """It applies only where an expression holds, which is not read here."""

    @property
    def rights(self) -> int:
        """The rights on an object of the directory."""
        rights = self.mask & FULL
        for generic, meant in GENERIC.items():
            rights |= meant if self.mask & generic else 0
        return rights

    @property
    def here(self) -> bool:
        """Whether it counts on the object itself."""
        return not self.flags & 0x8

    @property
    def below(self) -> bool:
        """Whether objects below inherit it."""
        return bool(self.flags & 0x2)

    @property
    def inherited(self) -> bool:
        """Whether it came from above."""
        return bool(self.flags & 0x10)

    @property
    def sddl(self) -> str:
        """The entry in SDDL, its SID in full."""
        kind = ("O" if self.object_type or self.inherited_type else "") + ("A" if self.allow else "D")
        flags = "".join(letters for letters, bit in _FLAGS if self.flags & bit)
        rights = "".join(letters for letters, bit in _LETTERS if self.mask & bit)
        return f"({kind};{flags};{rights};{self.object_type or ''};{self.inherited_type or ''};{self.sid})"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Owner and access list. `entries` is None where there is no list, which lets everybody do everything."""

    owner: str | None
    entries: tuple[Ace, ...] | None
    protected: bool = False
    """Whether nothing is inherited from above."""


def parse(raw: bytes) -> Descriptor:
    """Return what a self-relative security descriptor says; raise ValueError for bytes that are none."""
    try:
        _, _, control, owner, _, _, dacl = _HEAD.unpack_from(raw)
        entries = _entries(raw, dacl) if control & _DACL_PRESENT and dacl else None
        return Descriptor(_sid(raw, owner) if owner else None, entries, bool(control & _DACL_PROTECTED))
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a security descriptor: {error}") from error


def _entries(raw: bytes, at: int) -> tuple[Ace, ...]:
    _, _, size, count, _ = _LIST.unpack_from(raw, at)
    end, at = at + size, at + _LIST.size
    found = []
    for _ in range(count):
        kind, flags, length, mask = _ENTRY.unpack_from(raw, at)
        if length < _ENTRY.size or at + length > min(end, len(raw)):
            raise ValueError("not a security descriptor: an entry leads past the end of its list")
        if kind in _ALLOW | _DENY:
            found.append(_entry(kind, flags, mask, raw[at + _ENTRY.size : at + length]))
        at += length
    return tuple(found)


def _entry(kind: int, flags: int, mask: int, rest: bytes) -> Ace:
    types: list[str | None] = [None, None]
    if kind in _OBJECT:
        present = int.from_bytes(rest[:4], "little")
        rest = rest[4:]
        for i in range(2):
            if present & (1 << i):
                types[i], rest = guid(rest[:_GUID]), rest[_GUID:]
    return Ace(kind in _ALLOW, mask, _sid(rest, 0), flags, types[0], types[1], kind in _CONDITIONAL)


def _sid(raw: bytes, at: int) -> str:
    return sid(raw[at : at + 8 + 4 * raw[at + 1]])
