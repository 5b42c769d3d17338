r"""The sink for GitHub-flavoured Markdown: data in code spans, and nowhere else.

A code span is the one form that GitHub leaves entirely alone. Backslashes and character references do not keep
`@name`, `#123` or an address from becoming links, because those are looked for in the text *after* they are resolved;
`<code>` stops the mentions but not the addresses. In a table, however, a row is split at its pipes before code spans
are seen, and readers disagree about `\\|`: `cell` writes one backslash, and lets none of the data's stand before it.
A value written from right to left is put between `&lrm;`, or it would turn around the order of before and after.
"""

from __future__ import annotations

import re
import unicodedata

from .visible import Shown, visible

_LONG_RUN = re.compile("`{3,}")
"""Never in a span: CommonMark readers give up on fences of more than 80, and three at a line's start open a block."""
_RUN = re.compile("`+")
_WORDS = re.compile(r"(?:`[^`]*`|[^ ])+")
"""As text that is split at its spaces, but for those between two backticks."""
_COMMAND = re.compile("(?<=#)#")
"""A page may be printed in a CI job, whose log's reader obeys `##[…]` anywhere in a line."""
_PIPE = re.compile(r"(\\*)\|")
_WORD = re.compile(r"""[("]?(?:(?![0-9A-Fa-f]{7})[A-Za-z]+(?:'[a-z]+)?|[a-z]+-[a-z]+|[0-9]{1,6}%?|[—→·%])[)"]?""")
"""A word that means nothing to GitHub: no mention, number, commit, address, ticket, emphasis or list marker."""


def code(value: str, limit: int | None = None) -> str:
    """Return data as a code span, for anywhere but a table."""
    return _span(_unfenced(visible(value, limit)))


def cell(value: str, limit: int | None = None) -> str:
    """Return data as a code span for a table's cell."""
    shown = _unfenced(visible(value, limit))
    return _span(_PIPE.sub(lambda m: "\\u{5c}" * len(m[1]) + "\\|", shown))


def prose(text: str, limit: int | None = None) -> str:
    """Return a sentence that may have data in it: plain words stay, all else goes into code spans.

    What stands between two backticks is one span. For anywhere but a table or the start of a line.
    """
    parts: list[str] = []
    pending: list[str] = []
    for word in _WORDS.findall(visible(text, limit)) or [""]:
        core = word.rstrip(".,;:" if "(" in word else ".,;:)")
        tail = word[len(core) :]
        if _WORD.fullmatch(core) and not (tail[:1] == "." and core[-1:].isdigit()):
            parts += [*_joined(pending), word]
            pending = []
        else:
            pending.append(core or word)
            if core and tail:
                parts.append(_joined(pending)[0] + tail)
                pending = []
    return " ".join([*parts, *_joined(pending)])


def _joined(words: list[str]) -> list[str]:
    text = " ".join(words)
    quoted = len(text) > len("``") and text[0] == text[-1] == "`" and text.count("`") == len("``")
    return [_span(_unfenced(Shown(text[1:-1] if quoted else text)))] if words else []


def _unfenced(shown: Shown) -> str:
    return _COMMAND.sub(r"\\u{23}", _LONG_RUN.sub(lambda run: "\\u{60}" * len(run[0]), shown))


def _span(content: str) -> str:
    fence = "`" * (1 + max(map(len, _RUN.findall(content)), default=0))
    pad = " " if content[:1] == "`" or content[-1:] == "`" or not content else ""
    span = f"{fence}{pad}{content}{pad if content else ''}{fence}"
    return f"&lrm;{span}&lrm;" if _right_to_left(content) else span


def _right_to_left(content: str) -> bool:
    """Whether it would turn around the order of what stands beside it on the line."""
    return not content.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in content)
