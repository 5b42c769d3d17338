"""Read back with a CommonMark parser: data has the structure of a harmless name, and comes back whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.render.markdown import cell, code, prose
from reconciler.render.visible import visible

from .nasty import NASTY, anything, law

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_PLACES = {
    "list item": "- {}\n  - {}: {} → {}\n- {}\n",
    "after a task": "- [x] {}\n",
    "paragraph": "before\n{}\nafter\n",
    "heading": "## {}\n",
    "details": "<details>\n<summary>x</summary>\n\n- {} {}\n\n</details>\n",
    "quote": "> {}\n",
    "bold": "**{}** _{}_\n",
}
_TABLE = "| a | b |\n|---|---|\n| {} | {} |\n| {} | x |\n"
_LRM = "\u200e"

Node = tuple[str, str, str | None]


def nodes(source: str) -> list[Node]:
    """The structure: every token but code's content, text with its content, marks of direction left out."""
    return [(t.type, t.markup, t.content) for t in _flat(_PARSER.parse(source)) if t.content or t.type != "text"]


def _flat(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    for token in tokens:
        if token.type == "inline":
            found += _texts_joined(token.children or [])
        else:
            found.append(token)
    return found


def _texts_joined(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    for token in tokens:
        if token.type == "code_inline":
            found.append(Token("code_inline", "code", 0, markup=""))
        elif token.type in ("text", "text_special") and found and found[-1].type == "text":
            found[-1].content += token.content.replace(_LRM, "")
        elif token.type in ("text", "text_special"):
            found.append(Token("text", "", 0, content=token.content.replace(_LRM, "")))
        else:
            found.append(token)
    return found


def codes(source: str) -> list[str]:
    return [t.content for token in _PARSER.parse(source) for t in token.children or [] if t.type == "code_inline"]


def unescaped(shown: str) -> str:
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), shown)


def filled(template: str, span: str) -> str:
    return template.replace("{}", span)


@law
@given(anything)
def test_data_outside_a_table_has_the_structure_of_a_harmless_name(text: str) -> None:
    for place in _PLACES.values():
        assert nodes(filled(place, code(text))) == nodes(filled(place, code("Alice")))


@law
@given(anything)
def test_data_in_a_table_has_the_structure_of_a_harmless_name(text: str) -> None:
    assert nodes(filled(_TABLE, cell(text))) == nodes(filled(_TABLE, cell("Alice")))


@pytest.mark.parametrize("text", NASTY)
def test_the_nasty_list_has_the_structure_of_a_harmless_name(text: str) -> None:
    for place in _PLACES.values():
        assert nodes(filled(place, code(text))) == nodes(filled(place, code("Alice")))
    assert nodes(filled(_TABLE, cell(text))) == nodes(filled(_TABLE, cell("Alice")))


@law
@given(anything)
def test_data_can_be_read_back_from_a_list_and_from_a_table(text: str) -> None:
    assert [unescaped(c) for c in codes(f"- {code(text)}\n")] == [text or " "]
    assert [unescaped(c) for c in codes(filled("| a |\n|---|\n| {} |\n", cell(text)))] == [text or " "]


@law
@given(anything)
def test_a_span_is_one_line_and_its_fence_is_short(text: str) -> None:
    for span in (code(text), cell(text)):
        assert len(span.splitlines()) == 1
        assert max(map(len, re.findall("`+", span))) <= 3


@law
@given(anything)
def test_no_pipe_of_a_cell_can_be_taken_for_a_border(text: str) -> None:
    assert re.search(r"(?<!\\)\|", cell(text)) is None
    assert r"\\|" not in cell(text)


@law
@given(anything)
def test_a_sentence_with_data_in_it_has_no_structure_but_code_spans(text: str) -> None:
    sentence = f"the name {text} is taken, says {text}."

    kinds = {kind for kind, _, _ in nodes(f"x {prose(sentence)}\n")}

    assert kinds <= {"paragraph_open", "text", "code_inline", "paragraph_close"}


@law
@given(anything)
def test_a_sentence_leaves_nothing_that_github_links_outside_code(text: str) -> None:
    plain = " ".join(t or "" for kind, _, t in nodes(f"x {prose(f'so {text}')}\n") if kind == "text")

    assert re.search(r"[@#/<>\[\]*_~`$\\!]|www\.\w|:\w|[0-9a-fA-F]{7}", plain) is None


def test_a_sentence_keeps_its_words_and_puts_the_rest_in_code() -> None:
    said = (
        'userPrincipalName "a@b.c" is taken by S-1-5-21, an account outside the OUs (5 of 12): re-run `reconcile plan`.'
    )

    assert prose(said) == (
        'userPrincipalName `"a@b.c"` is taken by `S-1-5-21`, an account outside the OUs (5 of 12): '
        "re-run `reconcile plan`."
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("Alice", "`Alice`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("```", r"`\u{60}\u{60}\u{60}`"),
        ("", "` `"),
        ("a|b", "`a|b`"),
        ("שלום", "&lrm;`שלום`&lrm;"),
    ],
)
def test_spans(text: str, span: str) -> None:
    assert code(text) == span


def test_a_pipe_in_a_cell() -> None:
    assert cell("a|b") == r"`a\|b`"
    assert cell("a\\|b") == r"`a\u{5c}\|b`"
    assert code(visible("a\nb")) == r"`a\u{a}b`"
