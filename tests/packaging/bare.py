"""An environment that has a wheel's runtime dependencies and nothing else, made without a package index."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Self

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "reconcile-guests"


@dataclass(frozen=True, slots=True)
class Bare:
    """A virtual environment with `reconcile` installed from a wheel."""

    directory: Path

    @classmethod
    def install(cls, wheel: Path, directory: Path) -> Self:
        """Link what the runtime dependencies consist of from this environment, then install the wheel."""
        venv.create(directory, symlinks=True)
        (site,) = directory.glob("lib/python3*/site-packages")
        for name in sorted(_runtime()):
            for part in _parts(distribution(name)):
                if not (site / part.name).exists():
                    (site / part.name).symlink_to(part)
        options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
        python = directory / "bin/python"
        subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], check=True)
        return cls(directory)

    def reconcile(self, *arguments: str | Path, at: Path) -> subprocess.CompletedProcess[str]:
        """Run the installed command."""
        return self.run(self.directory / "bin/reconcile", *arguments, at=at)

    def python(self, code: str, at: Path) -> subprocess.CompletedProcess[str]:
        """Run code in it."""
        return self.run(self.directory / "bin/python", "-c", code, at=at)

    @staticmethod
    def run(*command: str | Path, at: Path) -> subprocess.CompletedProcess[str]:
        """Run a program where nothing of this checkout is in its way."""
        env = {"PATH": os.environ["PATH"], "HOME": str(at), "XDG_STATE_HOME": str(at / ".state"), "TMPDIR": str(at)}
        return subprocess.run(command, cwd=at, env=env, capture_output=True, text=True, check=False)


def _runtime() -> set[str]:
    """Return the names of everything that the project needs without any extra."""
    found: set[str] = set()
    waiting = [(PROJECT, "")]
    while waiting:
        name, extra = waiting.pop()
        for line in distribution(name).requires or []:
            needed = Requirement(line)
            if needed.marker is not None and not needed.marker.evaluate({"extra": extra}):
                continue
            dependency = canonicalize_name(needed.name)
            if dependency not in found:
                found.add(dependency)
                waiting += [(dependency, wanted) for wanted in (*needed.extras, "")]
    return found


def _parts(installed: Distribution) -> Iterator[Path]:
    """Yield what a distribution has in site-packages, by its outermost names."""
    names = {file.parts[0] for file in installed.files or [] if file.parts[0] not in ("..", "__pycache__")}
    for name in sorted(names):
        yield Path(str(installed.locate_file(name)))
