"""The locks are what pyproject.toml asks for: complete, in range, hashed, and from no index in particular."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .conftest import ROOT

PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = ("demo", "dev")
_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]+?))? \\\n(?P<hashes>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One locked package."""

    name: str
    version: Version
    marker: Marker | None

    def applies(self, python: str) -> bool:
        """Tell whether it is installed for that Python on this kind of machine."""
        asked = {"python_version": python, "python_full_version": f"{python}.0"}
        return self.marker is None or self.marker.evaluate(asked)


def text(lock: str) -> str:
    return (ROOT / f"requirements/{lock}.lock").read_text()


def entries(lock: str) -> list[Entry]:
    return [
        Entry(found["name"], Version(found["version"]), Marker(found["marker"]) if found["marker"] else None)
        for found in _ENTRY.finditer(text(lock))
    ]


def asked(lock: str) -> list[Requirement]:
    """Return the direct dependencies that a lock must satisfy; an extra of the project itself stands for its contents."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    lines = [*project["dependencies"], *pyproject["build-system"]["requires"]]
    waiting = [lock]
    while waiting:
        for line in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(line)
            if requirement.name == project["name"]:
                waiting += requirement.extras
            else:
                lines.append(line)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
class TestLock:
    @pytest.mark.parametrize("python", PYTHONS)
    def test_every_direct_dependency_is_there_once_and_within_its_range(self, lock: str, python: str) -> None:
        for requirement in asked(lock):
            locked = [e for e in entries(lock) if e.name == canonicalize_name(requirement.name) and e.applies(python)]
            assert len(locked) == 1, requirement
            assert locked[0].version in requirement.specifier, requirement

    def test_every_line_belongs_to_a_package_with_its_hashes(self, lock: str) -> None:
        assert _ENTRY.sub("", text(lock)) == ""

    def test_no_index_and_no_address_is_named(self, lock: str) -> None:
        assert not re.search(r"https?:|index-url|find-links|file:", text(lock))


def test_a_development_environment_has_the_demonstrations_versions() -> None:
    """So that one made for development serves the demonstration too, as script/bootstrap takes for granted."""
    dev = {(entry.name, entry.version) for entry in entries("dev")}
    assert {(entry.name, entry.version) for entry in entries("demo")} <= dev
