"""Every command in the documentation works, or, where it cannot run here, is at least one that exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from .blocks import Session, complaints, listed, sessions
from .commands import refusal
from .conftest import Place
from .pages import fences, is_record, other_code, pages, spans, text_of
from .shell import failures

_MARKS = {"domain": [pytest.mark.samba, pytest.mark.xdist_group("docs-domain")]}
_EXPLAINED = re.compile(r"reconcile [A-Z…]")
"""`reconcile COMMAND`, `reconcile …`: a form, not a command."""

_BARE = re.compile(r"`reconcile [a-z]+`: (?s:.*) the following arguments are required:")
"""The name of a command that wants arguments."""


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(s, id=f"{s.page}-{s.way}", marks=_MARKS.get(s.way, [pytest.mark.xdist_group("docs")]))
        for s in sessions()
    ],
)
def test_the_commands_of_a_page_do_what_it_says(session: Session, place: Callable[[str], Place]) -> None:
    there = place(session.way)

    found = failures(session.steps, there.where, there.env)

    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("page", pages())
def test_no_block_escapes_the_convention(page: str) -> None:
    problems = [(fence.where, why) for fence in fences(page) for why in complaints(fence)]
    problems += [(code.where, "fence this block: docs/contributing.md, Documentation") for code in other_code(page)]

    assert not problems, listed(problems)


@pytest.mark.parametrize("page", [p for p in pages() if not is_record(p)])
def test_every_command_named_in_prose_exists(page: str) -> None:
    named = [s for s in spans(page) if s.text.startswith("reconcile ") and not _EXPLAINED.match(s.text)]
    problems = [(s.where, f"`{s.text}`: {why}") for s in named if (why := refusal(shlex.split(s.text)[1:]))]
    problems = [(where, why) for where, why in problems if not _BARE.match(why)]

    assert not problems, listed(problems)


@pytest.mark.parametrize("page", pages())
def test_nobody_is_told_to_install_somebody_elses_package(page: str) -> None:
    told = re.findall(r"pip3? install (?:-\S+ )*['\"]?reconcile(?!-guests)\b", text_of(page))

    assert not told
