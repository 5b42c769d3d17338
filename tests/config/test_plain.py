"""The quick look at a document never accepts what the schema's own library refuses."""

from __future__ import annotations

import copy
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.config.check import load_schema
from reconciler.config.plain import surely_valid

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    "policy": (load_schema("reconciler.policy", "schema.json"), (files("reconciler.policy") / "default.yaml").read_text("utf-8")),
    "settings": (load_schema("reconciler.config", "settings.schema.json"), (ROOT / "reconcile.yaml").read_text("utf-8")),
}  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, one in inner for p in places(one, (*path, key)))]


def changed(document: Any, path: tuple[Any, ...], new: Any, *, remove: bool) -> Any:
    if not path:
        return new
    document = copy.deepcopy(document)
    above = document
    for step in path[:-1]:
        above = above[step]
    if remove:
        del above[path[-1]]
    else:
        above[path[-1]] = new
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_passes_the_quick_look_satisfies_the_schema(name: str) -> None:
    schema, text = SCHEMAS[name]
    good = yaml.safe_load(text)
    assert surely_valid(good, schema)
    validator = Draft202012Validator(schema)
    known = [*places(good)]

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(known), VALUES, st.booleans()), min_size=1, max_size=2))
    def law(edits: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
        document = good
        for path, new, remove in edits:
            if path in places(document):
                document = changed(document, path, new, remove=remove)
        if surely_valid(document, schema):
            assert validator.is_valid(document)

    law()


@given(
    VALUES, st.sampled_from(["string", "integer", "number", "array", "object", "boolean", "null"]), st.integers(0, 3)
)
def test_each_keyword_means_what_the_library_takes_it_for(value: Any, kind: str, limit: int) -> None:
    for schema in (
        {"type": kind},
        {"enum": [1, True, "a", limit]},
        {"const": limit},
        {"minimum": limit, "maximum": 9},
        {"exclusiveMinimum": limit},
        {"minLength": limit, "maxLength": 5, "pattern": "a|^$|0"},
        {"minItems": limit, "uniqueItems": True, "items": {"type": kind}},
        {
            "minProperties": limit,
            "propertyNames": {"maxLength": 3},
            "required": ["a"],
            "properties": {"a": {"type": kind}},
        },
        {"additionalProperties": False, "properties": {"a": True}},
        {"unheard": limit},
    ):
        if surely_valid(value, schema):
            assert Draft202012Validator(schema).is_valid(value)


def test_a_keyword_it_does_not_know_is_left_to_the_library() -> None:
    assert not surely_valid("x", {"type": "string", "format": "date"})
    assert not surely_valid({}, {"patternProperties": {}})
