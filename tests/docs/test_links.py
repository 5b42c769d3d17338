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


def test_every_page_can_be_reached_from_the_readme_or_from_a_folder_it_names() -> None:
    open_pages = ["README.md", *(p for p in pages() if posixpath.dirname(p) in ("docs/how-to", "docs/adr"))]
    reached: set[str] = set()
    while open_pages:
        page = open_pages.pop()
        reached.add(page)
        targets = [unquote(link.text).partition("#")[0] for link in links(page)]
        near = {posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) for target in targets}
        open_pages += sorted(near & set(pages()) - reached - set(open_pages))

    assert sorted(set(pages()) - reached) == []
