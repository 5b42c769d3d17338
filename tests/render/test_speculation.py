"""A speculative plan in every sink: marked, its radius before everything else, its data as harmless as anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from reconciler.model.plan import Action, Plan
from reconciler.model.speculation import Effect, Example, Kind, Radius, Speculation, Unknown
from reconciler.model.values import utf16_length
from reconciler.render.plan_html import html
from reconciler.render.plan_markdown import markdown
from reconciler.render.plan_terminal import terminal
from reconciler.render.speculation import MARK
from reconciler.render.speculation_html import unplannable_html
from reconciler.render.speculation_markdown import unplannable_markdown
from reconciler.render.speculation_terminal import unplannable

from . import builder
from .consoles import log_console, printed
from .golden import same_as_golden
from .hostile import speculating
from .nasty import NASTY, anything
from .test_plan_markdown import structure


def as_markdown(plan: Plan) -> str:
    return markdown(plan, builder.DIGEST, builder.CHANGES_DIGEST)


def as_text(plan: Plan, width: int = 100) -> str:
    console = log_console(width)
    terminal(plan, builder.DIGEST, console)
    return printed(console)


def as_html(plan: Plan) -> str:
    return html(plan, builder.DIGEST)


SINKS = [as_markdown, as_text, as_html]


@pytest.mark.parametrize(("sink", "name"), [(as_markdown, "md"), (as_text, "100.txt"), (as_html, "html")])
def test_golden(sink: Callable[[Plan], str], name: str) -> None:
    same_as_golden(f"speculative.{name}", sink(builder.speculative()))


@pytest.mark.parametrize("sink", SINKS)
def test_it_is_marked_as_never_applied_and_no_other_plan_is(sink: Callable[[Plan], str]) -> None:
    assert MARK in sink(builder.speculative())
    assert "peculative" not in sink(builder.small())


def test_what_is_pending_without_the_change_is_folded_behind_what_comes_of_it() -> None:
    page = as_markdown(builder.speculative())

    assert page.index("Blast radius") < page.index("Eve Fabrikam") < page.index("Pending without this change too")
    assert page.index("Pending without this change too") < page.index("Judy New")
    assert page.index("Trent") < page.index("Pending without this change too") < page.index("Victor Stuck Before")


def test_what_is_left_out_is_where_a_reader_can_get_it() -> None:
    plan = replace(builder.large(2000), speculation=Speculation("c0ffee", None))

    assert "in `reconcile plan --speculative --json`" in as_markdown(plan)
    assert "state/plan.json" not in as_markdown(plan)
    assert "reconcile plan --speculative --json has them all" in as_text(plan)


def _told(*kinds: Kind, unknown: tuple[Unknown, ...] = (), accounts: int = 3) -> str:
    speculation = Speculation("c0ffee", Radius(accounts, kinds, (), ()), unknown)
    return as_markdown(replace(builder.plan(), speculation=speculation)).splitlines()[1]


def test_the_verdict_is_on_the_change_and_comes_first() -> None:
    update = Kind(Effect.NEW, Action.UPDATE, "", ("mail",), (builder.rule("flows.mail"),), 3)
    spared = replace(update, effect=Effect.GONE, action=Action.DISABLE)

    assert _told(update).startswith("> **Safe to merge: 3 accounts affected, in a routine way.**")
    assert _told(spared).startswith("> **3 effects on 3 accounts are dangerous: read before merging.**")
    assert _told(accounts=0).startswith("> **No account is affected.**")
    assert _told(accounts=0, unknown=(Unknown("x"),)).startswith("> **No account is affected, as far as is known.**")
    renamed = replace(update, attributes=("userPrincipalName",))
    assert "dangerous" in _told(renamed)


@cache
def _harmless_structure() -> list[tuple[str, str]]:
    return structure(markdown(speculating("Alice"), builder.DIGEST, builder.CHANGES_DIGEST, 10**9))


@settings(deadline=None, max_examples=40)
@given(anything)
def test_data_wherever_it_stands_never_changes_the_structure_of_the_page(text: str) -> None:
    page = markdown(speculating(text or "x"), builder.DIGEST, builder.CHANGES_DIGEST, 10**9)

    assert structure(page) == _harmless_structure()


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_the_nasty_list_never_changes_the_structure_of_any_page(text: str) -> None:
    page = markdown(speculating(text), builder.DIGEST, builder.CHANGES_DIGEST, 10**9)
    lines = as_text(speculating(text), 10**6)

    assert structure(page) == _harmless_structure()
    assert lines.count("\n") == as_text(speculating("Alice"), 10**6).count("\n")
    assert all(c.isprintable() or c in "\n\u3000" for c in lines)
    assert not re.search(r"^\s*::|##", lines, re.MULTILINE)
    assert _tags(as_html(speculating(text))) == _tags(as_html(speculating("Alice")))


@pytest.mark.parametrize("text", ["\U0001f600" * 2000, "אב" * 2000, "\u202e" * 2000, "`|" * 2000])
def test_the_page_fits_whatever_its_radius_holds(text: str) -> None:
    plan = speculating(text)
    assert plan.speculation is not None
    many = replace(plan.speculation, unknown=tuple(Unknown(f"{text} {i}") for i in range(200)))

    assert utf16_length(as_markdown(replace(plan, speculation=many))) <= 65536


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_a_page_that_says_why_there_is_no_plan_is_as_harmless(text: str) -> None:
    def pages(data: str) -> tuple[object, ...]:
        console = log_console(10**6)
        unplannable(data, (Unknown(data),), console)
        unknown = (Unknown(data),)
        return (
            structure(unplannable_markdown(data, unknown)),
            _tags(unplannable_html(data, unknown)),
            printed(console).count("\n"),
        )

    assert pages(text) == pages("Alice")


def test_an_example_of_a_new_account_has_no_before() -> None:
    kind = Kind(Effect.NEW, Action.CREATE, "", (), (builder.rule("placement[0]"),), 1)
    radius = Radius(1, (kind,), (), (Example(Effect.NEW, builder.create(1, "Alice")),))
    page = as_markdown(replace(builder.plan(), speculation=Speculation("c0ffee", radius)))

    assert "_none_" not in page
    assert f": create → `CN={builder.guest_id(1)},{builder.GUESTS}`: `adminDescription` " in page


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def _tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.found
