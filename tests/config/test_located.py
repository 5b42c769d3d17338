"""YAML with positions: what is read, what is refused, and where things stand."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.located import parse
from reconciler.config.scalars import source_index
from reconciler.errors import PolicyError


def read(text: str) -> object:
    return parse(text.encode(), "a.yaml", PolicyError).value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("NULL", None),
        ("2026-12-31", "2026-12-31"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("017", 17),
        ("0o17", 15),
        ("0x40200", 262656),
        ("-5", -5),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("0e12", 0.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("12345678901234567890", "12345678901234567890"),
        ("'5'", "5"),
        ('"null"', "null"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_an_unquoted_scalar_means_what_the_yaml_1_2_core_schema_says(written: str, meant: object) -> None:
    value = read(f"key: {written}\n")

    assert value == {"key": meant}
    assert isinstance(value, dict)
    assert type(value["key"]) is type(meant)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: `a` stands here twice"),
        ("a: {b: 1, b: 2}\n", "a.yaml:1:11: `b` stands here twice"),
        ("a: &x 1\n", "a.yaml:1:4: an anchor (`&`): write the value out where it is needed"),
        ("a: *x\n", "a.yaml:1:4: an alias (`*`): write the value out"),
        ("a: !!str 1\n", "a.yaml:1:4: a tag (`!`): quote the text instead"),
        ("a: ! 1\n", "a.yaml:1:4: a tag (`!`): quote the text instead"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document: one file holds one"),
        ("? [a, b]\n: 1\n", "a.yaml:1:3: a key must be a text"),
        (
            "a: [1, 2\n",
            "a.yaml:2:1: not YAML: while parsing a flow sequence expected ',' or ']', but got '<stream end>'",
        ),
        (
            "a: b: c\n",
            (
                "a.yaml:1:5: not YAML: mapping values are not allowed here;"
                " a value that holds quotes, `: `, commas or brackets needs quotes around the whole"
            ),
        ),
        ("a: x\x07\n", "a.yaml:1:5: the character U+0007 is not allowed in YAML: escape it in a quoted text"),
        ('a: "\\ud800"\n', "a.yaml:1:4: half a surrogate pair: write the character itself"),
        ("a: " + "[" * 30 + "]" * 30, "a.yaml:1:23: nested more than 20 deep"),
    ],
)
def test_what_would_be_read_differently_elsewhere_is_refused_at_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read(text)

    assert refused.value.what == said
    assert refused.value.remedy


def test_bytes_that_are_not_utf8_are_refused_at_their_line() -> None:
    with pytest.raises(PolicyError, match=r"^a\.yaml:2:4: not UTF-8"):
        parse(b"a: 1\nb: \xff\n", "a.yaml", PolicyError)


def test_a_file_too_large_to_be_written_by_a_person_is_not_read() -> None:
    with pytest.raises(PolicyError, match="1,048,577 bytes"):
        parse(b"#" * 1_048_577, "a.yaml", PolicyError)


def test_every_mistake_is_reported_in_the_order_of_the_file() -> None:
    with pytest.raises(PolicyError) as refused:
        read("a: &x 1\nb: *x\na: 2\n")

    assert [line.split(":")[1] for line in refused.value.what.splitlines()] == ["1", "2", "3"]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", "a.yaml", PolicyError).value == {"a": 1}


def test_keys_values_and_items_are_found_again() -> None:
    document = parse(b"a: 1\nb:\n  - {c: x}\n  - d\n", "f", PolicyError)

    assert document.line(("b", 0)) == 3
    assert document.line(("b",)) == 2
    assert str(document.problem(("b", 0, "c"), "!")) == "f:3:9: !"
    assert str(document.problem(("b", 0, "c"), "!", at_key=True)) == "f:3:6: !"
    assert str(document.problem(("b", 1), "!")) == "f:4:5: !"
    assert str(document.problem(("b", 1, "gone"), "!")) == "f:4:5: !"


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("k: ab cd", 3, "1:7"),
        ("k: 'it''s x'", 5, "1:11"),
        ('k: "\\"User_\\" + q"', 10, "1:17"),
        ('k: "\\u00e9 q"', 2, "1:12"),
        ("k: |\n  ab\n  cd\n", 3, "3:3"),
        ("k: |\n\n    ab\n      cd\n", 6, "4:7"),
        ("k: >-\n  ab\n  cd\n", 3, "3:3"),
        ("k: ab\n  cd\n", 3, "2:3"),
        ("k: ab", 2, "1:6"),
    ],
)
def test_a_character_of_a_value_is_found_in_the_file(text: str, offset: int, place: str) -> None:
    document = parse(text.encode(), "f", PolicyError)

    assert str(document.problem(("k",), "!", offset=offset)) == f"f:{place}: !"


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff")
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_whatever_json_holds_is_read_as_json_means_it(value: object) -> None:
    written = json.dumps(value, ensure_ascii=False)

    assert read("k: " + written) == {"k": value}


@given(printable.filter(lambda t: t.strip() != ""), st.sampled_from(["'", '"', "|", ">", None]), st.data())
def test_every_visible_character_is_found_where_it_was_written(
    text: str, style: str | None, data: st.DataObject
) -> None:
    written = yaml.dump({"k": text}, default_style=style, allow_unicode=True, width=20)
    scalar = [e for e in yaml.parse(written) if isinstance(e, yaml.ScalarEvent)][1]
    assert scalar.start_mark is not None
    assert scalar.end_mark is not None
    offset = data.draw(st.integers(0, len(text) - 1).filter(lambda i: not text[i].isspace()))

    index = source_index(written, scalar.start_mark.index, scalar.end_mark.index, text, offset)

    assert written[index] in (text[offset], "\\", "'")


@given(st.binary(max_size=60) | st.text("ab:-[]{}&*!|>'\"#?%@ \n\t\\", max_size=40).map(str.encode))
def test_whatever_is_in_a_file_it_is_read_or_refused_with_its_place(data: bytes) -> None:
    said = refusal(data)

    assert all(line.startswith("f:") for line in said.splitlines())


def refusal(data: bytes) -> str:
    try:
        parse(data, "f", PolicyError)
    except PolicyError as e:
        return e.what
    return ""
