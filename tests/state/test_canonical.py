"""The canonical form: what it looks like, and the laws that make it one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.errors import StateError
from reconciler.state.canonical import Node, dump, load, quote
from reconciler.state.outline import Loaded
from reconciler.state.reader import read

from .records import LAW

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
LISTS = st.lists(TEXT, min_size=1, max_size=4)
NESTED = st.dictionaries(KEYS, TEXT | INTEGERS | st.booleans() | LISTS, max_size=4)
DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    KEYS, TEXT | INTEGERS | st.booleans() | LISTS | NESTED, max_size=5
)

HOSTILE = [
    "no", "0e12", "2026-01-01", "1:30", "0x1F", "~", "", " ", "null", "<<", "=", "!!str x", "&a", "*a", "- x", "a: b",
    "# c", 'x"\n  userType: "Member', "---\nother: 1", "\\", "\\u0041", "a\tb\rc\x00\x1b[31m", "\x7f\x85\x9f\xa0",
    "\u2028\u2029", "\u202e\u2066\u061c\u200e", "\u200b\u2060\ufeff", "\ufffe\uffff\ufdd0", "😀", "Müller", "山田",
    "\U000e0041\U000e007f", "\U0001fffe\U0010ffff", "\u0645\u200c\u0646",
]  # fmt: skip

READERS: dict[str, Callable[[str], Any]] = {
    "PyYAML in Python (1.1)": lambda text: yaml.load(text, yaml.SafeLoader),
    "PyYAML over libyaml (1.1)": lambda text: yaml.load(text, yaml.CSafeLoader),
    "ruamel.yaml (1.2)": lambda text: YAML(typ="safe", pure=True).load(text),
}


def test_a_document_in_the_canonical_form() -> None:
    document: dict[str, Node] = {
        "7c9e6679-7425-40de-944b-e07fc1f90ae7": {
            "removed": "changed",
            "suspended": True,
            "attributes": {
                "displayName": 'Zoë "Zo" \u202eO\'Neil',
                "userAccountControl": 262656,
                "msDS-ObjectSoa": "no",
                "proxyAddresses": ["a", "b"],
                "no": False,
            },
        },
        "empty": {},
    }
    assert dump(document).decode() == (
        '"7c9e6679-7425-40de-944b-e07fc1f90ae7":\n'
        '  removed: "changed"\n'
        "  suspended: true\n"
        "  attributes:\n"
        '    displayName: "Zoë \\"Zo\\" \\u202eO\'Neil"\n'
        "    userAccountControl: 262656\n"
        '    "msDS-ObjectSoa": "no"\n'
        "    proxyAddresses:\n"
        '      - "a"\n'
        '      - "b"\n'
        '    "no": false\n'
        "empty: {}\n"
    )


def test_absent_values_are_not_written() -> None:
    assert dump({"a": None, "b": [], "c": "x"}) == b'c: "x"\n'
    assert dump({"a": None}) == b"{}\n"


@pytest.mark.parametrize(
    "word", ["y", "N", "yes", "No", "on", "OFF", "true", "False", "NULL", "", "1", "1.0", "a b", "~"]
)
def test_a_key_that_a_reader_would_retype_is_quoted(word: str) -> None:
    assert dump({word: "x"}) == f'"{word}": "x"\n'.encode()


@pytest.mark.parametrize(
    ("character", "escaped"),
    [
        *((chr(code), f"\\u{code:04x}") for code in (0x00, 0x1B, 0x7F, 0x85, 0x9F, 0x61C, *range(0x200B, 0x2010))),
        *((chr(code), f"\\u{code:04x}") for code in (*range(0x2028, 0x202F), 0x2060, *range(0x2066, 0x206A))),
        *((chr(code), f"\\u{code:04x}") for code in (0xFEFF, 0xFFFE, 0xFFFF)),
        *((chr(code), f"\\U{code:08x}") for code in (0x1FFFE, 0xE0041, 0x10FFFF)),
        *(("\n", "\\n"), ('"', '\\"'), ("\\", "\\\\")),
        *((literal, literal) for literal in ("é", "山", "😀", "\xa0", "\ufffd", "/")),
    ],
)
def test_what_would_be_hidden_or_reordered_is_escaped_and_nothing_else(character: str, escaped: str) -> None:
    assert quote(f"a{character}b") == f'"a{escaped}b"'


@LAW
@given(TEXT)
def test_a_string_is_one_json_string_unless_it_needs_the_long_escape(text: str) -> None:
    quoted = quote(text)
    if "\\U" in quoted.replace("\\\\", ""):
        assert any(ord(c) > 0xFFFF for c in text)
    else:
        assert json.loads(quoted) == text


@LAW
@given(DOCUMENTS)
def test_what_is_dumped_loads_as_the_same_by_both_parsers(document: dict[str, Loaded]) -> None:
    data = dump(document)
    assert load(data, "f") == document
    assert read(data, "f", fast=False) == document


@LAW
@given(DOCUMENTS)
def test_dumping_what_was_loaded_gives_the_same_bytes(document: dict[str, Loaded]) -> None:
    data = dump(document)
    assert dump(load(data, "f")) == data


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_every_reader_sees_the_same_hostile_value(reader: Callable[[str], Any], text: str) -> None:
    document = {"a": text, text or "k": "v", "list": [text, "z"]}
    assert reader(dump(document).decode()) == document


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_every_reader_sees_the_same_values(reader: Callable[[str], Any]) -> None:
    @LAW
    @given(DOCUMENTS)
    def law(document: dict[str, Any]) -> None:
        seen = reader(dump(document).decode())
        assert seen == document
        assert json.dumps(seen) == json.dumps(document)  # True is not 1

    law()


@LAW
@given(TEXT)
@example('x"\n  accountEnabled: true\n  y: "')
@example('x"\r    userType: "Member')
def test_a_crafted_value_never_passes_for_another_key(text: str) -> None:
    data = dump({"a": {"displayName": text, "userType": "Guest"}, "b": "x"}).decode()
    keys = [line.partition(":")[0] for line in re.split("\r\n|[\r\n\x85\u2028\u2029]", data)]
    assert keys == ["a", "  displayName", "  userType", "b", ""]


@pytest.mark.parametrize(
    "document",
    [{"a": "\ud83d"}, {"\udc00": "x"}, {"a": ["\udfff"]}, {"k" * 1001: "x"}, {"a": 2**63}, {"a": -(2**63) - 1}],
    ids=["surrogate value", "surrogate key", "surrogate item", "long key", "large", "small"],
)
def test_what_no_reader_could_give_back_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(StateError):
        dump(document)
