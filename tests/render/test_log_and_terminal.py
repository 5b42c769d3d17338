from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from reconciler.cli.context import Context, Ports
from reconciler.render import log
from reconciler.render.terminal import quoted, text

from .consoles import colour_console, log_console, printed
from .nasty import anything, law

_COMMAND = re.compile(r"::|##")


@law
@given(anything, anything)
def test_no_two_values_beside_our_words_form_a_log_command(one: str, other: str) -> None:
    for between in ("", ":", "#", ": ", "[", " "):
        line = f"{between}{log.value(one or 'x')}{between}{log.value(other or 'x')}{between}"
        assert not _COMMAND.search(line)
        assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("Alice", "Alice"),
        ("alice_x.com#EXT#@y.com", "alice_x.com#EXT#@y.com"),
        ("12:30", "12:30"),
        ("::error::x", r"\u{3a}\u{3a}error:\u{3a}x"),
        ("a\n##[error]x", r"a\u{a}#\u{23}[error]x"),
        ("\x1b[31m", r"\u{1b}[31m"),
    ],
)
def test_values_in_a_log(value: str, line: str) -> None:
    assert log.value(value) == line


@law
@given(anything)
def test_a_sentence_with_data_in_it_is_one_line_and_no_log_command(text: str) -> None:
    console = log_console(10**6)
    context = Context(Path(), {}, Ports(), consoles=(console, console))
    for ours in ("{}", "  {}: done", ":{}", "#{} and {}"):
        context.say(ours, text, text)
        context.result(ours, text, text)

    lines = printed(console).split("\n")
    assert len(lines) == 2 * 4 + 1
    assert not any(_COMMAND.search(line) or line.lstrip().startswith("::") for line in lines)


@law
@given(anything)
def test_a_terminal_shows_data_as_a_log_does_and_adds_nothing(value: str) -> None:
    console = colour_console(10**6)
    console.print(text(value))

    assert printed(console).rstrip("\n") == log.value(value)


@law
@given(anything)
def test_data_cannot_close_its_quotes(value: str) -> None:
    shown = quoted(value).plain

    assert shown[0] == shown[-1] == '"'
    assert '"' not in shown[1:-1]
