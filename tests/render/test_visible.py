from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.model.invisible import invisible
from reconciler.render.visible import Shown, pair, visible

from .nasty import NASTY, ORDINARY, anything, law

_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def unescaped(shown: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), shown)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_of_any_script_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user\u202egnp.exe", r"user\u{202e}gnp.exe"),
        ("a\nb\r\t\x00\x1b[0m", r"a\u{a}b\u{d}\u{9}\u{0}\u{1b}[0m"),
        ("zero\u200bwidth", r"zero\u{200b}width"),
        ("क्\u200dष", r"क्\u{200d}ष"),
        ("hangul\u3164filler", r"hangul\u{3164}filler"),
        ("\ud800\ue000\uffff", r"\u{d800}\u{e000}\u{ffff}"),
        (" a  b ", r"\u{20}a \u{20}b\u{20}"),
        ("nbsp\xa0space", r"nbsp\u{a0}space"),
        (r"\u{202e}", r"\u{5c}u{202e}"),
        (r"C:\users", r"C:\users"),
        ("Za\u0301\u0302\u0303", "Za\u0301\u0302\u0303"),
        ("Za\u0301\u0302\u0303\u0304", r"Za\u{301}\u{302}\u{303}\u{304}"),
        ("\u0301a", r"\u{301}a"),
        ("a \u0301", r"a \u{301}"),
        ("\u200b\u0301", r"\u{200b}\u{301}"),
        ("ends…(+12)", r"ends\u{2026}(+12)"),
        ("and so on…", "and so on…"),
    ],
)
def test_what_is_unseen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@law
@given(anything)
def test_the_value_can_be_had_back_exactly(text: str) -> None:
    assert unescaped(visible(text)) == text


@law
@given(anything, st.booleans())
def test_nothing_shown_is_invisible_or_breaks_the_line(text: str, ascii_only: bool) -> None:
    shown = visible(text, ascii_only=ascii_only)

    assert all(not invisible(c) or c == "\u3000" for c in shown)
    assert len(shown.splitlines()) <= 1
    assert shown == shown.strip()
    assert "  " not in shown
    assert shown.isascii() or not ascii_only


@law
@given(anything)
def test_no_more_than_three_marks_stand_on_one_base(text: str) -> None:
    run = 0
    for char in visible(text):
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        assert run <= 3


@law
@given(anything, st.integers(0, 40))
def test_a_limit_cuts_between_characters_and_says_how_many_are_missing(text: str, limit: int) -> None:
    whole, shown = visible(text), visible(text, limit)

    if len(whole) <= limit:
        assert shown == whole
    else:
        body, _, missing = shown.rpartition("…")
        assert len(body) <= limit
        assert whole.startswith(body)
        assert missing == f"(+{len(text) - len(unescaped(body))})"


@law
@given(anything)
def test_what_is_visible_already_is_left_alone(text: str) -> None:
    shown = visible(text)

    assert isinstance(shown, Shown)
    assert visible(shown, 3, ascii_only=True) is shown


@law
@given(anything, anything, st.just("") | st.text(min_size=50, max_size=300), st.sampled_from([60, 120]))
@example("b", "c", "\u202e" * 300, 60)
@example("", "c", "a" * 119, 120)
@example(" ", "", "a" * 300, 120)
def test_two_values_that_differ_never_look_the_same(one: str, other: str, common: str, limit: int) -> None:
    before, after = pair(common + one, common + other, limit)

    assert (before.rpartition("…(+")[0] or before) != (after.rpartition("…(+")[0] or after) or one == other
    assert max(len(before), len(after)) <= limit + len("…(+10000)")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Alice", "Bob", ("Alice", "Bob")),
        ("Muller", "Müller", ("Muller", "Müller")),
        ("Иван", "Иванов", ("Иван", "Иванов")),
        ("é", "e\u0301", (r"\u{e9}", r"e\u{301}")),
        ("Alice", "\u0410lice", ("Alice", r"\u{410}lice")),
        ("Alice", "Alice ", ("Alice", r"Alice\u{20}")),
        ("a" * 200 + "b", "a" * 200 + "c", ("(+193)…" + "a" * 7 + "b", "(+193)…" + "a" * 7 + "c")),
    ],
)
def test_a_pair_shows_where_two_values_differ(before: str, after: str, shown: tuple[str, str]) -> None:
    assert pair(before, after, 120) == shown


def test_whatever_this_python_cannot_print_is_invisible() -> None:
    assert [c for c in map(chr, range(sys.maxunicode + 1)) if not c.isprintable() and not invisible(c)] == []


def test_letters_and_digits_are_visible() -> None:
    fillers = "\u115f\u1160\u3164\uffa0"
    since = tuple(c for c in map(chr, range(0x3000)) if c.isalnum() and invisible(c) and c not in fillers)

    assert unicodedata.unidata_version < "15" or all(unicodedata.name(c) for c in since)
    assert unicodedata.unidata_version >= "15" or since == ()


def test_the_nasty_list_is_shown_within_a_limit() -> None:
    assert all(len(visible(text, 40)) <= 40 + len("…(+5000)") for text in NASTY)
