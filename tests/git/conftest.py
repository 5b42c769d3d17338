"""Real repositories with a real bare remote, away from this machine's own git configuration."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.git.repository import Repository

FILES = {
    "reconcile.yaml": "kind: Settings\n",
    "policies/guests.yaml": "kind: GuestPolicy\n",
    "state/manifest.yaml": "serial: 1\n",
    "state/guests/7c/7c9.yaml": "guests: 1\n",
}


@dataclass(frozen=True)
class Clone:
    """A work tree of somebody's, and the operations directory in it."""

    root: Path
    prefix: str = ""

    @property
    def directory(self) -> Path:
        return self.root / self.prefix

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.root, capture_output=True, check=False)
        assert done.returncode == 0, os.fsdecode(done.stderr)
        return os.fsdecode(done.stdout).removesuffix("\n")

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def commit(self, files: dict[str, str], message: str = "edit") -> str:
        self.write(files)
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def open(self) -> Repository:
        return Repository.open(self.directory)


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Identity\n\temail = ada@contoso.test\n[init]\n\tdefaultBranch = main\n"
    )
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    return path


def cloned(remote: Path, to: Path, prefix: str = "") -> Clone:
    subprocess.run(["git", "clone", "-q", str(remote), str(to)], check=True, capture_output=True)
    return Clone(to, prefix)


@pytest.fixture
def clone(remote: Path, tmp_path: Path) -> Clone:
    """An operations directory at the root of a clone, its first commit pushed."""
    made = cloned(remote, tmp_path / "clone")
    made.commit(FILES)
    made.git("push", "-q", "origin", "main")
    return made


@pytest.fixture
def nested(remote: Path, tmp_path: Path) -> Clone:
    """An operations directory below the root, in a path with a space and other scripts."""
    made = cloned(remote, tmp_path / "clone", "identity/prod ü名")
    made.commit(FILES)
    (made.root / "README.md").write_text("about everything\n")
    made.commit({"notes.txt": "beside\n"})
    made.git("push", "-q", "origin", "main")
    return made
