"""Pages lead where they say."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

import pytest

from .blocks import listed
from .pages import ROOT, anchors, links, pages


@pytest.mark.parametrize("page", pages())
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    problems = []
    for link in links(page):
        if link.text.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = unquote(link.text).partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        if not (ROOT / target).exists():
            problems.append((link.where, f"{link.text}: {target} does not exist"))
        elif anchor and anchor not in anchors(target):
            problems.append((link.where, f"{link.text}: {target} has no heading #{anchor}"))

    assert not problems, listed(problems)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, open_pages = set(), ["README.md"]
    while open_pages:
        page = open_pages.pop()
        reached.add(page)
        open_pages += [p for link in links(page) for p in _led_to(page, link.text) if p not in {*reached, *open_pages}]

    assert sorted(set(pages()) - reached) == []


def _led_to(page: str, target: str) -> list[str]:
    """The pages a link leads to: one, or, where it names a folder, all in it."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(target).partition("#")[0]))
    return [p for p in pages() if p == path or posixpath.dirname(p) == path]
