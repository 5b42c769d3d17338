"""Fits a long document into a limit: every group keeps its heading, and as many of its items as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.model.values import utf16_length

_FLOOR = 3
"""Items that a group shows before any group shows more."""
OPEN = 10
"""Items of a group that a reader need not open."""
_FEW = 2
"""A group of hardly more than ten is not worth folding."""
_GROUPS = (64, 32, 16, 8, 4, 2, 1, 0)
_SHARE = 0.6
"""Of the room, what one section may take before the later ones had their turn."""


@dataclass(slots=True)
class Block:
    """A group: a heading, and items written only when there is room for them. `size` counts them all."""

    head: str
    size: int
    item: Callable[[int], str]
    rest: Callable[[int], str]
    """The line that stands for so many items left out."""
    fold: tuple[str, str] = ("", "")
    """What stands before and after the items that a reader has to open: those beyond the first ten."""
    _texts: list[str] = field(default_factory=list)
    _lengths: list[int] = field(default_factory=lambda: [0])

    def text(self, most: int) -> str:
        """Return the group with at most so many items."""
        shown = min(most, self.size)
        self._write(shown)
        left_out = self.rest(self.size - shown) if shown < self.size else ""
        if not self._folds(shown):
            return "".join([self.head, *self._texts[:shown], left_out])
        before, after = self.fold
        opened, folded = self._texts[:OPEN], self._texts[OPEN:shown]
        return "".join([self.head, *opened, before, *folded, left_out, after])

    def length(self, most: int) -> int:
        """Return the length of that text in UTF-16 code units."""
        shown = min(most, self.size)
        self._write(shown)
        left_out = self.rest(self.size - shown) if shown < self.size else ""
        fold = sum(map(utf16_length, self.fold)) if self._folds(shown) else 0
        return utf16_length(self.head) + self._lengths[shown] + utf16_length(left_out) + fold

    def _folds(self, shown: int) -> bool:
        return shown > OPEN + _FEW

    def _write(self, shown: int) -> None:
        for i in range(len(self._texts), shown):
            text = self.item(i)
            self._texts.append(text)
            self._lengths.append(self._lengths[-1] + utf16_length(text))


@dataclass(slots=True)
class Section:
    """Groups under one title. `rest` is what stands for groups (and the items in them) left out."""

    head: str
    blocks: Sequence[Block]
    rest: Callable[[int, int], str]
    foot: str = ""
    most: int = _FLOOR

    def kept(self, groups: int) -> Section:
        """Return the section with only its first groups."""
        left = self.blocks[groups:]
        foot = (self.rest(len(left), sum(b.size for b in left)) if left else "") + self.foot
        return Section(self.head, self.blocks[:groups], self.rest, foot)

    @property
    def largest(self) -> int:
        """The size of the largest group."""
        return max((b.size for b in self.blocks), default=0)

    def length(self, most: int) -> int:
        """Return the length with at most so many items a group, in UTF-16 code units."""
        return utf16_length(self.head) + utf16_length(self.foot) + sum(b.length(most) for b in self.blocks)

    def text(self) -> str:
        """Return the section."""
        return "".join([self.head, *(b.text(self.most) for b in self.blocks), self.foot])


def fit(sections: Iterable[Section], room: int) -> str:
    """Return the sections in at most `room` UTF-16 code units; earlier sections are filled first.

    Should not even the titles fit, the result is longer than `room`.
    """
    whole = [s for s in sections if s.blocks]
    kept: list[Section] = []
    for groups in _GROUPS:
        kept = [s.kept(groups) for s in whole]
        if sum(s.length(s.most) for s in kept) <= room:
            break
    for share in (_SHARE, 1.0):
        for section in kept:
            others = sum(s.length(s.most) for s in kept if s is not section)
            _grow(section, min(room - others, int(room * share)))
    return "".join(s.text() for s in kept)


def _grow(section: Section, room: int) -> None:
    """Show as many items a group as fit; the text is only ever written for about twice as many."""
    low, high = section.most, section.most
    while high < section.largest and section.length(high) <= room:
        low, high = high, high * 2
    if section.length(high) <= room:
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if section.length(middle) <= room else (low, middle)
    section.most = low
