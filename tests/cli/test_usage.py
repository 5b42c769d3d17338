"""A command line that means nothing."""

from __future__ import annotations

import json

import pytest

from reconciler.cli.main import main

WRONG = ("snapshot --only both", "explain", "nothing", "plan --format=json extra", "comment --commit 1 remarks")


@pytest.mark.parametrize("line", WRONG)
def test_with_json_it_is_one_object_too(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = line.split() if "json" in line else [*line.split(), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(argv)
    said = capsys.readouterr()
    shown = json.loads(said.out)
    assert ended.value.code == 64 == shown["exit_code"]
    assert shown["error"] == said.err.splitlines()[-1]
    assert shown["remedy"].startswith("See `reconcile ")
    assert said.err.startswith("usage: reconcile ")


@pytest.mark.parametrize("line", WRONG[:3])
def test_without_json_nothing_is_on_standard_output(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 64
    assert capsys.readouterr().out == ""
