"""The threat model names for each control a file and a test: they must be there."""

from __future__ import annotations

import re

import pytest

from .pages import ROOT, Span, spans

PAGE = "docs/threat-model.md"
_PATH = re.compile(r"(tests/)?[a-z_]+/(?:[a-z_]+/)*(?:[a-z_]+\.(?:py|yml))?(?:::(?P<test>test_\w+))?")
NAMED = [s for s in spans(PAGE) if _PATH.fullmatch(s.text) and s.text.partition("/")[0] not in ("state", "policies")]


def test_enough_is_named_for_this_to_mean_something() -> None:
    assert sum(s.text.startswith("tests/") for s in NAMED) > 30


@pytest.mark.parametrize("named", NAMED, ids=lambda s: f"{s.line}:{s.text}")
def test_what_the_threat_model_names_exists(named: Span) -> None:
    path, _, test = named.text.partition("::")
    found = ROOT / path if path.startswith("tests/") else ROOT / "reconciler" / path
    assert found.exists(), named.where
    assert f"def {test}(" in found.read_text() if test else True, named.where
