"""Markdown taken apart as GitHub does: CommonMark with tables, strikethrough, bare links, task lists, footnotes, front matter."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

_PARSER = MarkdownIt("gfm-like", {"html": True}).use(footnote_plugin).use(tasklists_plugin)
_TEXT = frozenset({"inline", "text", "text_special", "code_inline"})


def structure(source: str) -> list[tuple[str, str]]:
    """Return every token but running text and code: its kind, and its tag; of HTML, its text."""
    return [(t.type, t.content if t.type.startswith("html") else t.tag) for t in _tokens(source) if t.type not in _TEXT]


def prose(source: str) -> str:
    """Return what stands outside of code and HTML: all that GitHub looks for names, numbers and addresses in."""
    return "\n".join(t.content for t in _tokens(source) if t.type in ("text", "text_special"))


@lru_cache(maxsize=4)
def _tokens(source: str) -> list[Token]:
    """Every token, inline ones after the block they stand in."""
    return [part for token in _PARSER.parse(source) for part in (token, *(token.children or ()))]
