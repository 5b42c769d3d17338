"""What README.md says about installing holds for the distribution that is built."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from reconciler.cli.main import main

from .pages import ROOT, text_of

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_distribution_and_its_extras_are_named_as_they_are() -> None:
    readme = text_of("README.md")
    extras = re.findall(
        r"^\| `([a-z]+)` \| (?:[^|]*)\|(?:[^|]*)\|$", readme.partition("## The daily loop")[0], re.MULTILINE
    )

    assert f"`{_PROJECT['name']}`" in readme
    assert set(extras) == set(_PROJECT["optional-dependencies"]) - {"dev"}


@pytest.mark.parametrize("missing", ["faker", "cryptography"])
def test_given_no_extra_demo_when_the_demo_is_started_then_it_names_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.startswith("reconciler.demo")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)

    assert main(["demo"]) == 1
    assert "extra `demo`" in capsys.readouterr().err
