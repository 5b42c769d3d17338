"""Reading what people and accidents make of a state file."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.state.canonical import dump, load
from reconciler.state.outline import Loaded
from reconciler.state.reader import locate, read

from .records import LAW

GOOD = dump(
    {
        "7c9e6679-7425-40de-944b-e07fc1f90ae7": {
            "attributes": {"displayName": "Zoë \x1b\u202e 😀", "accountEnabled": True, "userAccountControl": 262656}
        },
        "list": ["a", "b"],
    }
)
BOTH = pytest.mark.parametrize("fast", [True, False], ids=["libyaml", "python"])


@BOTH
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a: Alice Example # known to us\n", "Alice Example"),
        ("a: 'it''s'\n", "it's"),
        ("a: 2026-05-01\n", "2026-05-01"),
        ("a: 2026-05-01T12:00:00Z\n", "2026-05-01T12:00:00Z"),
        ("a: 0e12\n", "0e12"),
        ("a: 007\n", "007"),
        ("a: 0x1F\n", "0x1F"),
        ("a: 1:30\n", "1:30"),
        ("a: 1_000\n", "1_000"),
        ("a: .inf\n", ".inf"),
        ("a: 12\n", 12),
        ("a: -12\n", -12),
        ('a: "12"\n', "12"),
        ("a: true\n", True),
        ("a: 'true'\n", "true"),
        ("a: {b: c}\n", {"b": "c"}),
        ("a: [x, z]\n", ["x", "z"]),
        ("a: |\n  x\n  y\n", "x\ny\n"),
        ("---\na: x\n", "x"),
        ("\ufeffa: x\r\n", "x"),
    ],
)
def test_a_value_edited_by_hand_is_what_the_person_meant(text: str, meant: Loaded, fast: bool) -> None:
    value = read(text.encode(), "f", fast=fast)["a"]
    assert value == meant
    assert type(value) is type(meant)


@BOTH
@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('a: "x"\nb: "y"\na: "z"\n', 3, "occurs twice"),
        ("a:\n  b: x\n  'b': y\n", 3, "occurs twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: x\nb: *x\n", 2, "aliases"),
        ("a: !!int x\n", 1, "tags"),
        ("a: !!python/object:os.system x\n", 1, "tags"),
        ("--- !!map\na: x\n", 1, "tags"),
        ("<<: {a: x}\n", 1, "quoted"),
        ("a: x\n---\nb: y\n", 2, "second document"),
        ("%YAML 1.1\n---\na: x\n", 1, "directives"),
        ("a: no\n", 1, "boolean to some"),
        ("a: Yes\n", 1, "boolean to some"),
        ("a: TRUE\n", 1, "boolean to some"),
        ("a:\nb: x\n", 1, "no value"),
        ("a: ~\n", 1, "no value"),
        ("a: null\n", 1, "no value"),
        ("~: x\n", 1, "quoted"),
        ("a: []\n", 1, "empty"),
        ("a: [x, 1]\n", 1, "strings only"),
        ("a:\n  - x\n  - [y]\n", 3, "strings only"),
        ("? [a]\n: x\n", 1, "not a string"),
        ("a: 9223372036854775808\n", 1, "64 bits"),
        ("a: " + "9" * 5000 + "\n", 1, "64 bits"),
        ("a: x\nb: y: z\n", 2, ""),
        ("- a\n", 1, "not a mapping"),
        ("text\n", 1, "not a mapping"),
        ("# only this\n", 2, "holds nothing"),
        ("", 1, "empty"),
        ("a: x\nb: y", 2, "cut short"),
        ('a: "x\nb: y\n', 2, ""),
        ("a: x\nb: \x1b[31m\n", 2, "U+001B"),
        ("a: x\x00\n", 1, "U+0000"),
        ("a: \ufffe\n", 1, "U+FFFE"),
        ('a: "\\ud83d\\ude00"\n', 1, ""),
        ('a: "\\UFFFFFFFF"\n', 1, ""),
        ("a: " + "{a: " * 100 + "x" + "}" * 100 + "\n", 1, "deep"),
        ("a: " + "[" * 5000 + "\n", 1, ""),
    ],
)
def test_what_could_mean_two_things_is_refused_with_its_line(text: str, line: int, problem: str, fast: bool) -> None:
    with pytest.raises(StateError) as raised:
        read(text.encode(), "state/f.yaml", fast=fast)
    assert raised.value.what.startswith(f"state/f.yaml:{line}: ")
    assert problem in raised.value.what
    assert raised.value.remedy


def test_bytes_that_are_not_utf_8_are_refused_with_their_line() -> None:
    with pytest.raises(StateError, match=r"^f:2: not UTF-8"):
        load(b'a: "x"\nb: "\xff"\n', "f")
    with pytest.raises(StateError, match=r"^f:1: not UTF-8"):
        load("a: x\n".encode("utf-16"), "f")


def test_a_file_cut_inside_a_line_is_always_refused() -> None:
    for end in range(len(GOOD)):
        if GOOD[end - 1 : end] != b"\n":
            with pytest.raises(StateError):
                load(GOOD[:end], "f")


@BOTH
def test_whatever_the_bytes_nothing_but_a_state_error_comes_out(fast: bool) -> None:
    @LAW
    @given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace") + b"\n") | yamlish() | damaged())
    def law(data: bytes) -> None:
        with suppress(StateError):
            read(data, "f", fast=fast)

    law()


def yamlish() -> st.SearchStrategy[bytes]:
    """Text made of what YAML gives a meaning to."""
    token = st.sampled_from(
        [*"\n\t \"'\\:-?#&*!|>%@`{}[],<~=", "\n  ", ": ", "- ", "a", "\\u", "\\U", "---\n", "...\n", "1", "<<"]
    )
    return st.lists(token, max_size=30).map(lambda tokens: "".join(tokens).encode() + b"\n")


def damaged() -> st.SearchStrategy[bytes]:
    """A good file with a few bytes replaced by others."""

    def damage(places: list[tuple[int, int]]) -> bytes:
        data = bytearray(GOOD)
        for place, byte in places:
            data[place] = byte
        return bytes(data)

    return st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4).map(damage)


def test_a_key_is_located_by_the_keys_above_it() -> None:
    data = b'a: "x"\nb:\n  c:\n    d: "y"\n'
    assert locate(data, "f", ("b", "c", "d")) == "f:4"
    assert locate(data, "f", ("b", "c", "gone")) == "f:3"
    assert locate(data, "f", ("gone",)) == "f:1"
