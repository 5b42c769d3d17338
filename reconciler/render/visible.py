"""Hostile text made visible: one line, nothing hidden, nothing that acts on the text around it.

Every sink passes data through here first and then adds its own syntax.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from reconciler.model.invisible import invisible

_MARKS = 3
"""Combining marks one base may carry: Vietnamese takes two, pointed Hebrew and Tibetan three."""
_CONTEXT = 16
"""The part of the limit that is shown before a difference: few enough that it fits when all of it is escaped."""
_WIDE_SPACE = "\u3000"
_CUT = re.compile(r"…(?=\(\+[0-9]+\)\Z)|(?<=\))…")
"""The ellipses that, left alone, could pass for a cut of ours."""


class Shown(str):
    """Text that is visible already: making it visible again changes nothing."""

    __slots__ = ()


def visible(value: str, limit: int | None = None, *, ascii_only: bool = False) -> Shown:
    r"""Return the value with everything unseen written as `\u{202e}`; uncut, the value can be had back exactly.

    Written so: controls, line breaks, bidirectional controls, zero-width and other invisible characters, spaces at
    either end or after another, combining marks that have no base or are more than three, and the backslash of a
    literal `\u{`. With `ascii_only`, everything outside ASCII too.

    A value of more than `limit` characters (as shown) is cut there, never within an escape, and ends in `…(+N)`: N
    characters were left out.
    """
    if isinstance(value, Shown):
        return value
    if value.isascii() and _harmless(value):
        return Shown(value if limit is None or len(value) <= limit else f"{value[:limit]}…(+{len(value) - limit})")
    pieces = _pieces(value, ascii_only=ascii_only)
    if limit is None:
        return Shown("".join(pieces))
    shown: list[str] = []
    room = limit
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            return Shown(f"{''.join(shown)}…(+{len(value) - len(shown)})")
        shown.append(piece)
    return Shown("".join(shown))


def pair(before: str, after: str, limit: int, *, ascii_only: bool = False) -> tuple[Shown, Shown]:
    """Return both values made visible so that a reader can see how they differ.

    Where a cut would hide the difference, both start with `(+N)…`: the N characters they have in common. Values that
    look alike (composed and decomposed accents, full width, a Cyrillic letter for a Latin one) are shown in ASCII.
    """
    ascii_only = ascii_only or (before != after and _look_alike(before, after))
    cut = any(len(s) > limit or len(visible(s, ascii_only=ascii_only)) > limit for s in (before, after))
    one, other = (visible(side, limit, ascii_only=ascii_only) for side in (before, after))
    if not cut or _common(one, other) <= limit // 2:
        return one, other
    same = max(_common(before, after) - limit // _CONTEXT, 0)
    head = f"(+{same})…" if same else ""
    one, other = (visible(side[same:], limit - len(head), ascii_only=ascii_only) for side in (before, after))
    return Shown(head + one), Shown(head + other)


def _harmless(ascii_text: str) -> bool:
    spaced = "  " in ascii_text or ascii_text[:1] == " " or ascii_text[-1:] == " "
    return ascii_text.isprintable() and not spaced and "\\u{" not in ascii_text


def _pieces(value: str, *, ascii_only: bool) -> Iterator[str]:
    """Yield what stands for each character, in order."""
    cuts = {m.start() for m in _CUT.finditer(value)} if "…" in value else set()
    based, marks_end, marks_hidden = False, 0, False
    for i, char in enumerate(value):
        if char in (" ", _WIDE_SPACE):
            hidden = i == 0 or i + 1 == len(value) or value[i - 1] in (" ", _WIDE_SPACE)
            based = False
        elif _mark(char):
            if i >= marks_end:
                marks_end = _end_of_marks(value, i)
                marks_hidden = not based or marks_end - i > _MARKS
            hidden = marks_hidden
        else:
            hidden = invisible(char) or i in cuts or (char == "\\" and value.startswith("\\u{", i))
            based = not hidden
        hidden = hidden or (ascii_only and char > "~")
        yield f"\\u{{{ord(char):x}}}" if hidden else char


def _mark(char: str) -> bool:
    return char > "\x7f" and unicodedata.category(char) in ("Mn", "Me") and not invisible(char)


def _end_of_marks(value: str, start: int) -> int:
    return next((i for i in range(start, len(value)) if not _mark(value[i])), len(value))


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _look_alike(one: str, other: str) -> bool:
    folded = [unicodedata.normalize("NFKC", side) for side in (one, other)]
    if folded[0] == folded[1]:
        return True
    differ = [(a, b) for a, b in zip(*folded, strict=False) if a != b]
    return len(folded[0]) == len(folded[1]) and all(_disguise(a, b) or _disguise(b, a) for a, b in differ)


def _disguise(char: str, latin: str) -> bool:
    """Whether a letter of another script stands where a Latin one is."""
    return (
        latin.isascii()
        and latin.isalpha()
        and char.isalpha()
        and not unicodedata.name(char, "LATIN").startswith("LATIN")
    )
