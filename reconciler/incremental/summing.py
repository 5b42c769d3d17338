"""From a shard's bytes to its summary; of entries whose text was summed up before, what was found then is taken over.

A shard is cut at the beginnings of its entries: a quotation mark at the beginning of a line, where no value can put one. An
entry whose text is, to the byte, one that was read at the same path before is what it was then. What is left is read as
strictly as ever, and that no two entries have one key is checked over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from reconciler.model.dn import DN
from reconciler.policy.model import Policy
from reconciler.state.entries import AccountText, GuestText, NotCanonicalError, account_entries, guest_entries
from reconciler.state.records import slow_accounts, slow_guests
from reconciler.state.strict import decode

from .account_rows import AccountRows
from .guest_rows import GuestRows
from .hashes import SIZE, Hasher
from .summary import COUNTED, LACKS, Row, Summary, packed_offsets, packed_specials


class _Text(Protocol):
    @property
    def entry(self) -> str: ...


Text = TypeVar("Text", bound=_Text)
_BETWEEN: Final = b'\n"'
"""Where an entry ends and the next one begins."""
_AROUND: Final = len('"\n')
"""What cutting takes away from an entry."""


@dataclass(frozen=True, slots=True)
class Summing(Generic[Text]):
    """How one side is summed up. `slow` gives the flags of a shard that is not canonical, and raises StateError."""

    entries: Callable[[str, str], list[Text] | None]
    row: Callable[[Text], Row]
    slow: Callable[[bytes, str], bytes]
    width: int
    hasher: Hasher

    def summary(self, data: bytes, path: str, old: Summary | None = None) -> Summary:
        """Sum up a shard; `old` is what it was, at the same path. Raises StateError where it is damaged."""
        found = self.again(data, path, old) if old is not None else None
        return found or self._afresh(data, path)

    def _afresh(self, data: bytes, path: str) -> Summary:
        text = decode(data)
        entries = None if text is None else self.entries(text, path)
        rows = None if entries is None else self._rows(entries)
        if entries is None or rows is None:
            return Summary.unread(self.width, self.slow(data, path))
        blocks = data[1:-1].split(_BETWEEN)
        flags, clean, own, lookups, special = zip(*rows, strict=True)
        return Summary(
            self.width,
            bytes(flags),
            b"".join(map(self.hasher.of, blocks)),
            packed_offsets(map(len, blocks), _AROUND),
            b"".join(clean),
            b"".join(own),
            b"".join(lookups),
            packed_specials((place, one) for place, one in enumerate(special) if one),
        )

    def again(self, data: bytes, path: str, old: Summary) -> Summary | None:
        """Return the summary with the help of the old one; None where something is out of the ordinary."""
        if not (old.canonical and data.startswith(b'"') and data.endswith(b"\n")):
            return None
        blocks = data[1:-1].split(_BETWEEN)
        hashes = [*map(self.hasher.of, blocks)]
        known = {old.blocks[i : i + SIZE]: i // SIZE for i in range(0, len(old.blocks), SIZE)}
        places = [known.get(h, -1) for h in hashes]
        if len({block.partition(b'"')[0] for block in blocks}) != len(blocks):
            return None
        fresh = [block for block, place in zip(blocks, places, strict=True) if place < 0]
        rows = self._read(fresh, path)
        if rows is None:
            return None
        specials = old.specials()
        kept = [(i, specials[place]) for i, place in enumerate(places) if place in specials]
        taken = iter(rows)
        kept += [(i, row.special) for i, place in enumerate(places) if place < 0 and (row := next(taken)).special]
        spliced = _Spliced(places, rows)
        return Summary(
            self.width,
            spliced.column(old.flags, 1, lambda row: bytes([row.flags])),
            b"".join(hashes),
            packed_offsets(map(len, blocks), _AROUND),
            spliced.column(old.clean, SIZE, lambda row: row.clean),
            spliced.column(old.own, SIZE, lambda row: row.own),
            spliced.column(old.lookups, SIZE * self.width, lambda row: row.lookups),
            packed_specials(sorted(kept, key=lambda one: one[0])),
        )

    def _read(self, blocks: Sequence[bytes], path: str) -> list[Row] | None:
        if not blocks:
            return []
        text = decode(b"".join(b'"%b\n' % block for block in blocks))
        entries = None if text is None else self.entries(text, path)
        return None if entries is None or len(entries) != len(blocks) else self._rows(entries)

    def _rows(self, entries: Sequence[Text]) -> list[Row] | None:
        try:
            return [self.row(entry) for entry in entries]
        except NotCanonicalError:
            return None


class _Spliced:
    """New columns out of old ones: runs of entries that were there before, and new rows between them."""

    def __init__(self, places: Sequence[int], rows: Sequence[Row]) -> None:
        self._rows = rows
        self._runs = list(_runs(places))

    def column(self, old: bytes, size: int, new: Callable[[Row], bytes]) -> bytes:
        rows = iter(self._rows)
        return b"".join(
            old[first * size : (first + length) * size] if first >= 0 else new(next(rows))
            for first, length in self._runs
        )


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where each run of old entries began and how long it is; (-1, 1) for each new entry."""
    first = length = 0
    for place in places:
        if length and place == first + length:
            length += 1
            continue
        if length:
            yield first, length
        first, length = place, 1
        if place < 0:
            yield -1, 1
            length = 0
    if length:
        yield first, length


Summings = tuple[Summing[GuestText], Summing[AccountText]]
"""How each side is summed up."""


def summings(policy: Policy, ous: tuple[DN, ...], hasher: Hasher) -> Summings:
    """Return how both sides are summed up by a policy and the OUs of the settings. Not for several threads at once."""
    guests, accounts = GuestRows(policy, hasher), AccountRows(policy, ous, hasher)
    return (
        Summing(guest_entries, guests.row, _slow_guests, guests.width, hasher),
        Summing(account_entries, accounts.row, _slow_accounts, accounts.width, hasher),
    )


def _slow_guests(data: bytes, path: str) -> bytes:
    flags = bytearray()
    for guest in slow_guests(data, path).values():
        live = guest.removed is None
        lacks = sum((name not in guest.attributes) << bit for bit, name in enumerate(LACKS, 1)) if live else 0
        flags.append(live * COUNTED | lacks)
    return bytes(flags)


def _slow_accounts(data: bytes, path: str) -> bytes:
    return bytes((a.guest is not None and a.missing is None) * COUNTED for a in slow_accounts(data, path).values())
