"""Where the commands of the pages run: an empty directory, the demo's repository, or one with both ends alive."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.operations import Make, git

from .shell import environment, run


@dataclass(frozen=True, slots=True)
class Place:
    """A working directory and the environment of the shell in it."""

    where: Path
    env: dict[str, str]


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `reconcile demo` leaves behind: `identity`, `remote.git`, `journal`."""
    home = tmp_path_factory.mktemp("demo")
    printed = run(["reconcile demo"], home, environment(home))
    assert [p.code for p in printed] == [0], printed
    (root,) = (home / "tmp").glob("reconcile-demo-*")
    return root


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Place]:
    """Make the place for a way to run."""

    def make(way: str) -> Place:
        if way == "scratch":
            where = tmp_path / "scratch"
            where.mkdir()
            return Place(where, environment(tmp_path))
        if way == "domain":
            operations: Make = request.getfixturevalue("operations")
            made = operations(6)
            secrets = {k: v for k, v in made.env.items() if k.startswith("RECONCILE_")}
            return Place(made.directory, environment(tmp_path, **secrets))
        root = shutil.copytree(request.getfixturevalue("demo_root"), tmp_path / "demo", symlinks=True)
        git(root / "identity", "remote", "set-url", "origin", str(root / "remote.git"))
        return Place(root / "identity", environment(tmp_path))

    return make
