"""The pages a newcomer reads, taken apart by a Markdown parser: fences, code spans, links, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block. `line` is where its text begins."""

    page: str
    line: int
    info: str
    text: str

    @property
    def where(self) -> str:
        """`page:line` of the fence itself."""
        return f"{self.page}:{self.line - 1}"

    @property
    def words(self) -> tuple[str, ...]:
        """The info string, word by word."""
        return tuple(self.info.split())


@dataclass(frozen=True, slots=True)
class Span:
    """A code span or a link's target, and about where it stands."""

    page: str
    line: int
    text: str

    @property
    def where(self) -> str:
        """`page:line` of the block around it."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page, by its path from the repository's top."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(page.relative_to(ROOT).as_posix() for page in found)


def is_record(page: str) -> bool:
    """Whether a page tells of a day gone by, so that it may name what is not, or no longer, there."""
    return page.startswith("docs/adr/") or page == "CHANGELOG.md"


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def fences(page: str) -> list[Fence]:
    """Every fenced block of a page."""
    return [Fence(page, _line(t) + 1, t.info.strip(), t.content) for t in _tokens(page) if t.type == "fence"]


def other_code(page: str) -> list[Span]:
    """Code that is neither fenced nor a span: indented, or in HTML."""
    found = []
    for token in _tokens(page):
        is_html = token.type == "html_block" and re.search(r"<(pre|code|samp)\b", token.content, re.IGNORECASE)
        if token.type == "code_block" or is_html:
            found.append(Span(page, _line(token), token.content))
    return found


def spans(page: str) -> list[Span]:
    """Every code span of a page."""
    return [Span(page, line, t.content) for line, t in _inline(page) if t.type == "code_inline"]


def links(page: str) -> list[Span]:
    """Every link's and image's target."""
    found = []
    for line, token in _inline(page):
        target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
        if token.type in ("link_open", "image") and target:
            found.append(Span(page, line, str(target)))
    return found


def anchors(page: str) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    names: set[str] = set()
    tokens = _tokens(page)
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(c.content for c in content.children or ())
            name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            names.add(next(n for n in (name, *(f"{name}-{i}" for i in range(1, 99))) if n not in names))
    return names


def marked_tables(page: str) -> dict[str, list[list[str]]]:
    """Return the tables that a comment stands before, by its text: rows of cells' Markdown, without the head."""
    found: dict[str, list[list[str]]] = {}
    mark, rows, cell = "", list[list[str]](), False
    for token in _tokens(page):
        if token.type == "html_block":
            mark = token.content.strip().removeprefix("<!--").removesuffix("-->").strip()
        elif token.type == "table_open":
            rows = []
            if mark:
                found[mark] = rows
            mark = ""
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "td_open":
            cell = True
        elif token.type == "inline" and cell:
            rows[-1].append(token.content)
            cell = False
        elif token.type in ("paragraph_open", "heading_open", "fence"):
            mark = ""
    return {name: [row for row in rows if row] for name, rows in found.items()}


def code_in(markdown: str) -> list[str]:
    """Return the code spans of one cell."""
    return [c.content for t in _MARKDOWN.parseInline(markdown) for c in t.children or () if c.type == "code_inline"]


def _tokens(page: str) -> list[Token]:
    return _MARKDOWN.parse(text_of(page))


def _inline(page: str) -> Iterator[tuple[int, Token]]:
    line = 1
    for token in _tokens(page):
        line = _line(token) if token.map else line
        for child in token.children or ():
            yield line, child


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1
