"""One installation, and everything in it that a refused command must leave as it was."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.demo.samba import Controller
from reconciler.demo.tenant import Tenant
from tests.support.operations import Done, Operations, git

from .expected import held

_OURS = ("refs/reconcile/", "refs/notes/reconcile")
"""What looking at the remote leaves in the clone, and nobody minds."""


@dataclass(frozen=True)
class Case:
    """A copy of an installation to break. The tenant and the domain are the original's."""

    ops: Operations
    samba: Controller
    ou: str

    @property
    def tenant(self) -> Tenant:
        return self.ops.tenant

    @property
    def directory(self) -> Path:
        return self.ops.directory

    @property
    def entra_ca(self) -> Path:
        """The root that the settings trust for Entra and Graph; the original's file."""
        return Path(self.ops.settings.partition('ca_file: "')[2].partition('"')[0])

    def copy(self, root: Path) -> Case:
        """Copy the operations directory, its remote and the journals."""
        shutil.copytree(self.ops.root, root, symlinks=True)
        env = {**self.ops.env, "HOME": str(root), "XDG_STATE_HOME": str(root / "journal")}
        made = Operations(root, self.tenant, env, self.ops.settings, self.ops.secrets)
        git(made.directory, "remote", "set-url", "origin", str(made.remote))
        return Case(made, self.samba, self.ou)

    def write(self, path: str, data: bytes | str) -> None:
        """Put a file into the operations directory."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())

    def read(self, path: str) -> bytes:
        return (self.directory / path).read_bytes()

    def replace(self, path: str, old: str, new: str, *, every: bool = False) -> None:
        """Edit a file of the operations directory, at one place or every one."""
        text = self.read(path).decode()
        assert old in text, f"{path} has no {old}"
        self.write(path, text.replace(old, new) if every else text.replace(old, new, 1))

    def shard(self, side: str) -> str:
        """Return the path of the first shard of guests or accounts."""
        found = min((self.directory / "state" / side).rglob("*.yaml"))
        return found.relative_to(self.directory).as_posix()

    def footprint(self) -> Mapping[str, object]:
        """Return everything that a refused command must leave as it is: files, index, refs, the remote, the domain.

        A journal counts once it tells of something tried.
        """
        found: dict[str, object] = {"directory": held(self.samba, self.ou)}
        for folder in (self.directory, self.ops.root / "journal"):
            files = [p for p in folder.rglob("*") if p.is_file() and ".git" not in p.relative_to(self.ops.root).parts]
            contents = {str(p): p.read_bytes() for p in files}
            found |= {p: b for p, b in contents.items() if not p.endswith(".jsonl") or b'"intent"' in b}
        if (self.directory / ".git").is_dir():
            found["status"] = git(self.directory, "status", "--porcelain")
            refs = git(self.directory, "for-each-ref", "--format=%(objectname) %(refname)").splitlines()
            found["refs"] = [ref for ref in refs if not ref.split(" ")[1].startswith(_OURS)]
            found["head"] = (self.directory / ".git/HEAD").read_text()
        if self.ops.remote.is_dir():
            found["remote"] = git(self.ops.remote, "for-each-ref")
        return found

    def refused(self, *arguments: str, says: Sequence[str], code: int = 1, env: Mapping[str, str] | None = None) -> str:
        """Run a command that must fail, with one message that `says` these words, and leave no trace; return it."""
        before = self.footprint()
        done = self.ops.reconcile(*arguments, expect=code, env=env)
        after = self.footprint()
        assert after == before, [k for k in {*before, *after} if before.get(k) != after.get(k)]
        return self.message(done, says)

    def message(self, done: Done, says: Sequence[str]) -> str:
        """Return the one message of a failed command: what happened, then, below it, what to do."""
        lines = done.err.splitlines()
        starts = [n for n, line in enumerate(lines) if line.startswith("error: ")]
        assert len(starts) == 1, done.err
        first, *more = lines[starts[0] :]
        assert more, f"no remedy: {first}"
        assert all(line.startswith("       ") for line in more), done.err
        message = "\n".join([first, *more])
        for words in says:
            assert words in message, f"{words!r} is not in:\n{message}"
        assert "\\u{" not in message, f"the program's own words are escaped:\n{message}"
        assert not any(secret in done.out + done.err for secret in self.ops.secrets)
        return message
