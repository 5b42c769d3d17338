from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from reconciler.model.plan import Plan
from reconciler.render import html as sink
from reconciler.render.plan_html import html
from reconciler.render.visible import visible

from . import builder
from .golden import same_as_golden
from .hostile import everywhere
from .nasty import NASTY, anything, law

_VOID = {"meta", "br"}


class _Reader(HTMLParser):
    """Every tag with its attributes, and the text between; it notices what is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def shown(plan: Plan) -> str:
    return html(plan, builder.DIGEST)


@pytest.mark.parametrize("make", [builder.small, builder.guarded, builder.conflicted, builder.empty])
def test_golden(make: Callable[[], Plan]) -> None:
    same_as_golden(f"{make.__name__}.html", shown(make()))


@settings(deadline=None, max_examples=60)
@given(anything)
def test_data_wherever_it_stands_never_changes_the_structure_of_the_page(text: str) -> None:
    page = _Reader(shown(everywhere(text or "x")))

    assert page.tags == _Reader(shown(everywhere("Alice"))).tags
    assert page.open == []


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_the_nasty_list_never_changes_the_structure_of_the_page(text: str) -> None:
    assert _Reader(shown(everywhere(text))).tags == _Reader(shown(everywhere("Alice"))).tags


@law
@given(anything)
def test_data_can_be_read_back_from_text_and_from_an_attribute(text: str) -> None:
    escaped = sink.text(text)
    reader = _Reader(f'<p title="{escaped}">{escaped}</p>')

    assert "".join(reader.text) == visible(text)
    assert reader.tags == [("p", (("title", visible(text)),))]


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = shown(builder.small())

    tags = {tag for tag, _ in _Reader(page).tags}
    attributes = {name for _, attrs in _Reader(page).tags for name, _ in attrs}

    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "a", "base", "form"})
    assert attributes <= {"lang", "charset", "name", "content", "http-equiv", "class", "open"}
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_nothing_is_left_out_of_a_large_plan() -> None:
    page = shown(builder.large(200))

    assert all(c.guest in page for c in builder.large(200).changes)


def test_a_lone_surrogate_does_not_keep_the_page_from_being_encoded() -> None:
    assert b"\\u{d800}" in shown(builder.plan(builder.delete(1, "\ud800"))).encode("utf-8")
