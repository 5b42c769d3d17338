from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from rich.console import Console

from reconciler.model.plan import Plan
from reconciler.render.plan_terminal import terminal

from . import builder
from .consoles import colour_console, log_console, printed
from .golden import same_as_golden
from .hostile import everywhere
from .nasty import NASTY, anything

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def shown(plan: Plan, width: int = 80, *, full: bool = False) -> str:
    console = log_console(width)
    terminal(plan, builder.DIGEST, console, full=full)
    return printed(console)


@pytest.mark.parametrize("make", [builder.small, builder.guarded, builder.conflicted, builder.empty])
@pytest.mark.parametrize("width", [80, 140])
def test_golden(make: Callable[[], Plan], width: int) -> None:
    same_as_golden(f"{make.__name__}.{width}.txt", shown(make(), width))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    from rich.cells import cell_len

    lines = [line for line in shown(builder.small(), width).splitlines() if not line.startswith("digest")]

    assert max(map(cell_len, lines)) <= width


def test_the_digest_can_be_copied_whole_from_a_narrow_terminal() -> None:
    assert f"digest   {builder.DIGEST}\n" in shown(builder.small(), 60)


@cache
def _harmless_lines() -> int:
    return shown(everywhere("Alice"), 10**6, full=True).count("\n")


def _assert_harmless(plan: Plan) -> None:
    page = shown(plan, 10**6, full=True)

    assert page.count("\n") == _harmless_lines()
    assert all(c.isprintable() or c in "\n\u3000" for c in page)
    assert not re.search(r"^\s*::|##", page, re.MULTILINE)


@settings(deadline=None, max_examples=60)
@given(anything)
def test_data_wherever_it_stands_adds_no_line_no_control_and_no_log_command(text: str) -> None:
    _assert_harmless(everywhere(text or "x"))


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_the_nasty_list_adds_no_line_no_control_and_no_log_command(text: str) -> None:
    _assert_harmless(everywhere(text))


@settings(deadline=None, max_examples=30)
@given(anything)
def test_no_wrapped_line_begins_a_log_command(text: str) -> None:
    assert not re.search(r"^\s*::|##", shown(everywhere(text or "x"), 40, full=True), re.MULTILINE)


def test_markup_in_data_is_text() -> None:
    assert '"[bold red]x[/]"' in shown(builder.plan(builder.delete(1, "[bold red]x[/]")))


def test_colours_are_all_that_a_colour_terminal_gets_more() -> None:
    console = colour_console()
    terminal(builder.small(), builder.DIGEST, console)

    assert "\x1b[1;31m- delete 1 account" in printed(console)
    assert _ANSI.sub("", printed(console)) == shown(builder.small())


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    terminal(builder.small(), builder.DIGEST, console)

    assert "[31m" not in printed(console)


def test_a_terminal_without_utf8_gets_ascii_alone() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    terminal(builder.small(), builder.DIGEST, Console(file=file, width=80))
    file.seek(0)

    assert file.read().isascii()


@pytest.mark.parametrize(
    ("plan", "last"),
    [
        (builder.plan(), "No changes. Active Directory matches the policy."),
        (builder.plan(builder.create(1, "A"), builder.create(2, "B")), "Plan: 2 to create."),
        (builder.conflicted(), "Plan: 1 to update, 3 conflicts."),
        (builder.guarded(), "Plan: 1 to create, 14 to delete."),
        (builder.plan(conflicts=(builder.conflict(1, "A"),)), "Plan: 1 conflict."),
    ],
)
def test_the_last_line_is_the_summary(plan: Plan, last: str) -> None:
    assert shown(plan).splitlines()[-1] == last


def test_a_long_plan_is_summarised_and_says_where_the_rest_is() -> None:
    page = shown(builder.large(1000), 120)

    assert len(page.splitlines()) < 200
    left = 100 - 10 + 400 - 3 + 500 - 6 + 100 - 5
    assert f"{left:,} more are not shown here: state/plan.json has them all." in page


def test_a_long_plan_is_shown_whole_when_asked_for() -> None:
    page = shown(builder.large(200), 120, full=True)

    assert all(label in page for label in ('"Leaver 19"', '"Zoë Çelik 279"', '"山田 499"', '"Conflict 19"'))
    assert "not shown here" not in page


def test_before_and_after_stand_in_columns() -> None:
    deltas = builder.delta("mail", "a@x.test", "b@x.test"), builder.delta("displayName", "Alice", None)
    page = shown(builder.plan(builder.update(1, "Alice", *deltas)))

    assert '      mail         "a@x.test" → "b@x.test"\n      displayName  "Alice"    → none\n' in page
