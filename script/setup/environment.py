"""The virtual environment, made from a lock file: whole, or made anew.

Its stamp is empty while it is being made and is filled in as the last act, so whatever interrupts that leaves an
environment that the next run does not trust. Nothing that this program did not make is ever cleared away.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pip_wheel

_STAMP = ".bootstrap"
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
"""What would send the packages elsewhere."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An environment by what goes into it. `packages` and `project` are digests of what the two installations depend on."""

    root: Path
    what: str
    packages: str
    project: str

    @classmethod
    def of(cls, root: Path, what: str) -> Self:
        """Return what the files of this checkout ask for."""
        recipe = [Path(__file__).read_bytes(), os.fsencode(root), _lock(root, "demo").read_bytes()]
        if what == "dev":
            recipe.append(_lock(root, "dev").read_bytes())
        return cls(root, what, _digest(*recipe), _digest((root / "pyproject.toml").read_bytes()))

    @property
    def directory(self) -> Path:
        """Where it is."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / "bin/python"

    @property
    def stamp(self) -> str:
        """What the environment says of itself once it is this one."""
        return f"{self.what} {self.packages} {self.project}\n"

    def ready(self) -> bool:
        """Tell whether it is there, whole, and its interpreter still is. A development environment will do for a demonstration."""
        said = self.said()
        other = Wanted.of(self.root, "dev") if self.what == "demo" else self
        return said in (self.stamp, other.stamp) and self.imports()

    def imports(self) -> bool:
        """Tell whether its interpreter runs and finds its packages, which an upgrade of the system's can end."""
        try:
            return not subprocess.run(
                [self.python, "-I", "-c", "import reconciler"], capture_output=True, check=False
            ).returncode
        except OSError:
            return False

    def said(self) -> str | None:
        """Return the stamp that is there: empty when the environment was never finished, None when it has none."""
        try:
            return (self.directory / _STAMP).read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None


def make(wanted: Wanted) -> None:
    """Make the environment; where its packages are right and only pyproject.toml changed, install the project again."""
    said = (wanted.said() or "").split()
    same = said[:2] == [wanted.what, wanted.packages] and wanted.imports()
    _unfinished(wanted)
    if not same:
        _clear(wanted)
        _say(f"Installing Python packages from requirements/{wanted.what}.lock into .venv; once, a minute or so …")
        venv.create(wanted.directory, symlinks=True)
    pip = _pip(wanted)
    if not same:
        _run(pip, "--no-deps", "--require-hashes", "-r", _lock(wanted.root, wanted.what))
    _run(pip, "--no-deps", "--no-build-isolation", "--editable", wanted.root)
    (wanted.directory / _STAMP).write_text(wanted.stamp, "utf-8")


def _unfinished(wanted: Wanted) -> None:
    directory = wanted.directory
    if wanted.said() is None and (directory.is_symlink() or (directory.exists() and any(directory.iterdir()))):
        sys.exit(
            f"{directory} is there and was not made by script/bootstrap, which would have to clear it."
            " Remove or rename it, then start again."
        )
    directory.mkdir(exist_ok=True)
    (directory / _STAMP).write_text("", "utf-8")


def _clear(wanted: Wanted) -> None:
    """Empty the directory, all but the stamp that says whose it is."""
    for path in wanted.directory.iterdir():
        if path.name == _STAMP:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _pip(wanted: Wanted) -> list[str | Path]:
    """Return a pip that installs into the environment: its own, the system's, or one from the distribution's package."""
    own: list[str | Path] = [wanted.python, "-m", "pip"]
    systems: list[str | Path] = [sys.executable, "-m", "pip", "--python", wanted.python]
    if _works(own):
        return own
    if _works(systems):
        return systems
    if _works([sys.executable, "-m", "ensurepip"]):
        subprocess.run([wanted.python, "-m", "ensurepip", "--default-pip"], env=_env(), check=True, capture_output=True)
        return own
    with pip_wheel.fetched() as wheel:
        _run([wanted.python, f"{wheel}/pip"], "--no-index", "--no-deps", wheel)
    return own


def _works(command: Sequence[str | Path]) -> bool:
    return not subprocess.run([*command, "--version"], env=_env(), capture_output=True, check=False).returncode


def _run(pip: Sequence[str | Path], *arguments: str | Path) -> None:
    done = subprocess.run([*pip, "install", "-qq", *arguments], env=_env(), check=False, stdout=sys.stderr)
    if done.returncode:
        sys.exit(
            "pip could not install what is needed; its own words are above. Set PIP_INDEX_URL, PIP_CERT and HTTPS_PROXY"
            " as this network wants them, and start again: nothing half-made is kept."
        )


def _env() -> dict[str, str]:
    ours = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1"}
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN} | ours


def _lock(root: Path, what: str) -> Path:
    return root / "requirements" / f"{what}.lock"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _say(text: str) -> None:
    print(text, file=sys.stderr)
