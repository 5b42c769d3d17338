"""A checkout in small, for script/bootstrap to prepare without a package index: one locked package, one project."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .conftest import ROOT

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "toy"
version = "1"
"""
_BACKEND = '''\
"""Builds an editable wheel of one path file, with no library."""

import zipfile
from pathlib import Path


def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, name), "w") as wheel:
        wheel.writestr("toy.pth", str(Path.cwd()))
        wheel.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: toy\\nVersion: 1\\n")
        wheel.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("toy-1.dist-info/RECORD", "toy.pth,,\\ntoy-1.dist-info/METADATA,,\\ntoy-1.dist-info/WHEEL,,\\n")
    return name
'''


@dataclass(frozen=True, slots=True)
class Toy:
    """The checkout at `root`, and `index`, where the locked package's wheels are."""

    root: Path
    index: Path

    @classmethod
    def make(cls, directory: Path) -> Toy:
        """Make one, in a directory whose name has spaces."""
        toy = cls(directory / "a checkout of it", directory / "index")
        for path in (toy.root / "requirements", toy.root / "reconciler", toy.index):
            path.mkdir(parents=True)
        shutil.copytree(ROOT / "script", toy.root / "script", ignore=shutil.ignore_patterns("__pycache__"))
        (toy.root / "pyproject.toml").write_text(_PYPROJECT)
        (toy.root / "backend.py").write_text(_BACKEND)
        (toy.root / "reconciler/__init__.py").write_text("")
        toy.lock("1.0")
        return toy

    def lock(self, version: str, digest: str | None = None) -> None:
        """Publish a version of the one package and lock it, with a hash that may be another's."""
        name = f"locked-{version}"
        path = self.index / f"{name}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("locked.py", f"version = {version!r}\n")
            wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: locked\nVersion: {version}\n")
            wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(
                f"{name}.dist-info/RECORD", f"locked.py,,\n{name}.dist-info/METADATA,,\n{name}.dist-info/WHEEL,,\n"
            )
        digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
        for lock in ("demo", "dev"):
            (self.root / f"requirements/{lock}.lock").write_text(f"locked=={version} \\\n    --hash=sha256:{digest}\n")

    @property
    def stamp(self) -> Path:
        """What tells a whole environment from half of one."""
        return self.root / ".venv/.bootstrap"

    def start(self, what: str = "demo", **env: str) -> subprocess.Popen[str]:
        """Start script/bootstrap, in a process group of its own."""
        return subprocess.Popen(
            [self.root / "script/bootstrap", what],
            env={**self.env(), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def bootstrap(self, what: str = "demo", **env: str) -> subprocess.CompletedProcess[str]:
        """Run script/bootstrap to its end."""
        process = self.start(what, **env)
        out, err = process.communicate()
        return subprocess.CompletedProcess([], process.returncode, out, err)

    def python(self, code: str) -> str:
        """Return what code prints in the environment."""
        python = self.root / ".venv/bin/python"
        return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout

    def env(self) -> Mapping[str, str]:
        """Return an environment in which this interpreter is python3, and pip knows the toy's index and no other."""
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.index.as_uri()}
        return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(self.index), **pip}
