from __future__ import annotations

import pytest

from reconciler.progress import Progress
from reconciler.render.progress import for_terminal

from .consoles import colour_console, log_console, printed

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_every_five_seconds_and_one_at_the_end() -> None:
    clock, console = Clock(), log_console()
    with for_terminal(console, clock).task("reading guests", 4000) as task:
        for second in range(1, 13):
            clock.now = 100.0 + second
            task.done(second * 100)

    assert printed(console).splitlines() == [
        "reading guests: 500 of 4,000, 100/s, about 35 s left",
        "reading guests: 1,000 of 4,000, 100/s, about 30 s left",
        "reading guests: 1,200 of 4,000 in 12.0 s",
    ]


def test_a_log_of_work_of_unknown_length() -> None:
    clock, console = Clock(), log_console()
    with for_terminal(console, clock).task("reading accounts") as task:
        clock.now += 6
        task.done(0)
        clock.now += 6
        task.done(1200)

    assert printed(console).splitlines() == [
        "reading accounts: 0",
        "reading accounts: 1,200, 100/s",
        "reading accounts: 1,200 in 12.0 s",
    ]


def test_more_than_was_expected_is_not_so_many_of_fewer() -> None:
    console = log_console()
    with for_terminal(console, Clock()).task("reading accounts", 0) as task:
        task.done(25)
    assert printed(console) == "reading accounts: 25 in 0.0 s\n"


def test_work_that_failed_is_not_said_to_have_ended() -> None:
    console = log_console()
    with pytest.raises(RuntimeError), for_terminal(console, Clock()).task("reading"):
        raise RuntimeError

    assert printed(console) == ""


def test_what_is_said_is_one_visible_line() -> None:
    console = log_console()
    for_terminal(console, Clock()).say("to [bold]dc1[/]\n::error::x")

    assert printed(console) == "to [bold]dc1[/]\\u{a}:\\u{3a}error:\\u{3a}x\n"


def _fails_half_way(progress: Progress) -> None:
    with progress.task("[red]outer[/]", 10) as outer, progress.task("inner") as inner:
        outer.done(5)
        inner.done(1)
        raise RuntimeError


def test_a_terminal_shows_bars_that_vanish_even_after_a_failure() -> None:
    console = colour_console()
    with pytest.raises(RuntimeError):
        _fails_half_way(for_terminal(console))

    page = printed(console)
    assert "[red]outer[/]" in page
    assert page.count(_HIDE_CURSOR) == page.count(_SHOW_CURSOR) == 1


def test_the_bars_come_back_for_the_next_task() -> None:
    console = colour_console()
    progress = for_terminal(console)
    for what in ("reading guests", "reading accounts"):
        with progress.task(what, 10) as task:
            task.done(10)

    assert all(what in printed(console) for what in ("reading guests", "reading accounts"))
    assert printed(console).count(_SHOW_CURSOR) == 2
