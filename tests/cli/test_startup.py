"""What a command loads: nothing heavy that it does not use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.incremental.test_histories import Place
from tests.planning.builder import DEFAULT, account, guest
from tests.planning.builder import state as state_of

HEAVY = (
    "msal",
    "ldap3",
    "git",
    "jsonschema",
    "cel_expr_python",
    "google.protobuf",
    "requests",
    "multiprocessing",
    "faker",
)
_MODULES = """
import json, sys
from reconciler.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("loaded:" + json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(place: Path, *arguments: str, home: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, *arguments],
        cwd=place,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stderr.rpartition("loaded:")[2]
    return {name for name in json.loads(modules) if name.startswith((*HEAVY, "yaml", "rich", "sqlite3", "reconciler"))}


def heavy(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if any(m == name or m.startswith(f"{name}.") for m in modules)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    people = [guest(n) for n in range(3)]
    made.write(state_of(people, [account(g, 1100 + i) for i, g in enumerate(people)]), DEFAULT)
    return made


def test_help_loads_nothing_but_the_command_line(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "--help", home=tmp_path)
    assert not heavy(modules)
    assert not {"yaml", "rich", "sqlite3"} & modules
    assert not {
        m for m in modules if m.startswith(("reconciler.planning", "reconciler.incremental", "reconciler.render"))
    }


def test_the_plan_of_an_unchanged_tree_loads_neither_planner_nor_engine_nor_schema_library(place: Place) -> None:
    home = place.root.parent
    first = loaded(place.root, "plan", home=home)
    assert heavy(first) <= {"cel_expr_python", "google.protobuf", "multiprocessing"}
    again = loaded(place.root, "plan", home=home)
    assert not heavy(again)
    assert not {"reconciler.planning.plan", "reconciler.policy.load", "reconciler.incremental.summary"} & again


def test_a_plan_loads_neither_end(place: Place) -> None:
    modules = loaded(place.root, "plan", home=place.root.parent)
    assert not {
        m
        for m in modules
        if m.startswith(("reconciler.directory.ldap", "reconciler.graph.transport", "reconciler.forge"))
    }
