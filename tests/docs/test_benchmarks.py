"""The figures on the pages are the ones that were measured last, and each measurement replaces its own rows alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.results import Applied, Compared, Read, load, store

from . import benchmarks
from .generated import regenerated
from .pages import text_of

SMALL, LARGE = (Read("full", accounts, accounts, 1.0, 0.5, 0.25) for accounts in (3000, 100_000))


def test_given_one_size_measured_anew_then_its_rows_are_replaced_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "deeper/controller.json"
    applied = Applied("updates", 400, 2.0, 0.3, 1.0)
    store(file, "reads", [SMALL, LARGE], ("what", "accounts"))
    store(file, "applied", [applied])

    faster = replace(SMALL, wall=0.5)
    store(file, "reads", [faster, faster], ("what", "accounts"))

    assert load(file, "reads", Read) == [LARGE, faster, faster]
    assert load(file, "applied", Applied) == [applied]
    assert json.loads(file.read_text())["machine"]["processors"] >= 1


def test_given_another_figure_then_the_page_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "compare.json"
    file.write_text(benchmarks.COMPARED.read_text())
    monkeypatch.setattr(benchmarks, "COMPARED", file)
    page = "docs/performance-ends.md"
    assert regenerated(page) == text_of(page)

    (one, *_) = load(file, "compared", Compared)
    store(file, "compared", [replace(one, wall=one.wall + 1)], ("what", "who"))

    assert regenerated(page) != text_of(page)


@pytest.mark.parametrize("seconds", [0.4, 0.41])
def test_what_is_above_its_target_is_bold(seconds: float) -> None:
    assert benchmarks._timed([seconds, 9], 0.4) == ("0.40 s" if seconds == 0.4 else "**0.41 s**")
