"""The whole list of naughty strings wherever a plan can hold data, in every form in which people see it."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

from reconciler.errors import ReconcileError
from reconciler.model.plan import Plan
from reconciler.planning.encode import encode
from reconciler.render.failure import plain_error
from reconciler.render.log import value
from reconciler.render.plan_html import html
from reconciler.render.plan_markdown import markdown
from reconciler.render.plan_terminal import terminal
from tests.support.naughty import naughty

from . import builder
from .consoles import colour_console, log_console, printed
from .gfm import prose, structure
from .hostile import everywhere, speculating

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINKED = re.compile(r"@\w|#\d|\b[0-9a-f]{7,}\b|://|www\.|\w@\w|GH-\d", re.IGNORECASE)


def page(plan: Plan) -> str:
    return markdown(plan, builder.DIGEST, builder.CHANGES_DIGEST, 10**9)


def on_terminal(plan: Plan) -> str:
    console = colour_console(10**6)
    terminal(plan, builder.DIGEST, console, full=True)
    return _ANSI.sub("", printed(console))


@cache
def tags(source: str) -> list[tuple[str, tuple[str, ...]]]:
    class Reader(HTMLParser):
        found: list[tuple[str, tuple[str, ...]]] = []  # noqa: RUF012  one reader, one page

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.append((tag, tuple(name for name, _ in attrs)))

    Reader.found = []
    Reader().feed(source)
    return Reader.found


def test_markdown_has_the_structure_of_a_harmless_name_and_nothing_that_a_forge_links_outside_code() -> None:
    usual, speculative = structure(page(everywhere("Alice"))), structure(page(speculating("Alice")))
    for text in naughty():
        shown = page(everywhere(text))
        assert structure(shown) == usual, text
        assert not _LINKED.search(prose(shown)), text
        assert "##[" not in shown, text

    assert [s for s in naughty()[::8] if structure(page(speculating(s))) != speculative] == []


def test_a_terminal_gets_no_line_no_control_and_no_log_command_more() -> None:
    usual = on_terminal(everywhere("Alice")).count("\n")
    for text in naughty():
        shown = on_terminal(everywhere(text))
        assert shown.count("\n") == usual, text
        assert all(c.isprintable() or c in "\n\u3000" for c in shown), text
        assert not re.search(r"^\s*::|##", shown, re.MULTILINE), text


def test_html_has_the_elements_of_a_harmless_name() -> None:
    usual = tags(html(everywhere("Alice"), builder.DIGEST))

    for text in naughty()[::4]:
        shown = html(everywhere(text), builder.DIGEST)
        assert tags(shown) == usual, text
        assert "##" not in shown, text


def test_json_is_ascii_and_holds_the_value_whole() -> None:
    import json

    for text in naughty():
        stored = encode(everywhere(text)).text
        assert stored.isascii()
        assert b"##" not in stored
        assert json.loads(stored)["changes"][0]["label"] == text


def test_an_error_that_quotes_it_is_as_many_lines_and_no_log_command() -> None:
    for text in naughty():
        lines = plain_error(ReconcileError(f"the account of {value(text)} is in the way", f"Rename {value(text)}."))
        assert len(lines) == 2, text
        assert not any(re.match(r"\s*(::|##)", line) or len(line.splitlines()) > 1 for line in lines), text


def test_a_narrow_log_wraps_it_into_no_command() -> None:
    for text in naughty()[::8]:
        console = log_console(40)
        terminal(everywhere(text), builder.DIGEST, console, full=True)
        assert not re.search(r"^\s*::|##", printed(console), re.MULTILINE), text
