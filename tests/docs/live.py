"""The program's documents as it really writes them: the whole loop in this process, with `--json`."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from reconciler.cli.arguments import parser
from reconciler.cli.context import Context
from reconciler.cli.init import Answers, scaffold
from reconciler.cli.main import run_command
from reconciler.demo.domains import MemoryDomain
from reconciler.demo.people import generate
from reconciler.demo.tenant import Tenant
from reconciler.git import lock
from reconciler.git.holder import Holder
from reconciler.git.repository import Repository
from tests.support.operations import CLIENT, TENANT, environment, git, settings_text

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """One of each. `printed` is what a command prints with --json, by its name."""

    printed: dict[str, Json]
    plan: Json
    journal: list[Json]
    receipt: Json
    lock: Json


def documents(root: Path) -> Documents:
    """Run a loop and a drift below `root`; return what was written."""
    domain, secret = MemoryDomain(), "only for this test"
    with Tenant(TENANT, CLIENT, generate(3, seed=11), secret=secret) as tenant:
        loop = _Loop(root, domain, environment(root, RECONCILE_ENTRA_SECRET=secret))
        settings = settings_text(
            tenant, root, controller=domain.controller, base=domain.base, ou=f"OU=Guests,{domain.base}", ca_file=None
        )
        loop.set_up(settings)
        first = {name: loop.printed(name) for name in ("init", "validate", "snapshot", "adopt", "propose")}
        loop.merge()
        first["apply"] = loop.printed("apply", "--yes")
        plan: Json = json.loads((loop.directory / "state/plan.json").read_text())
        guest = tenant.guests()[0].id
        first["explain"] = loop.printed("explain", guest)
        first["check"] = loop.printed("check")
        loop.printed("snapshot", "--only", "ad")
        first["drift"] = loop.printed("drift")
        first["plan"] = loop.printed("plan")
        first["targets"] = loop.printed("targets")
        first["comment"] = loop.commented()
        held = loop.abandoned_lock()
        first["unlock"] = loop.printed("unlock")
    journal = [json.loads(line) for f in (root / "journal").rglob("*.jsonl") for line in f.read_text().splitlines()]
    (receipt,) = json.loads(git(loop.directory, "notes", "--ref", "reconcile", "show", "origin/main")).values()
    return Documents(first, plan, journal, receipt, held)


class _Loop:
    def __init__(self, root: Path, domain: MemoryDomain, env: dict[str, str]) -> None:
        self.directory = root / "identity"
        self._root, self._domain, self._env = root, domain, env

    def set_up(self, settings: str) -> None:
        git(self._root, "init", "-q", "--bare", "-b", "main", "remote.git")
        git(self._root, "clone", "-q", "remote.git", "identity")
        scaffold(self.directory, Answers(forge="git"))
        (self.directory / "reconcile.yaml").write_text(settings)
        git(self.directory, "checkout", "-q", "-B", "main")
        git(self.directory, "add", "-A")
        git(self.directory, "commit", "-q", "-m", "settings and policy")
        git(self.directory, "push", "-q", "-u", "origin", "main")

    def printed(self, *arguments: str) -> Json:
        """Run a command with --json; return the one object it prints."""
        out = Console(file=io.StringIO(), width=100)
        asked = parser().parse_args([*arguments, "--json"])
        context = Context(
            self.directory,
            self._env,
            self._domain.ports,
            json=bool(getattr(asked, "json", False)),
            consoles=(out, Console(file=io.StringIO())),
        )
        run_command(context, [*arguments, "--json"])
        assert isinstance(out.file, io.StringIO)
        printed: Json = json.loads(out.file.getvalue())
        return printed

    def commented(self) -> Json:
        """Comment in the job of a pull request that nothing was to be said of."""
        job = {
            "GITHUB_REPOSITORY": "contoso/identity",
            "GITHUB_API_URL": "https://api.github.test",
            "GITHUB_TOKEN": "x",
        }
        self._env |= job
        return self.printed("comment", "--pull-request", "1", "--commit", "0" * 40, str(self._root))

    def merge(self) -> None:
        git(self.directory, "fetch", "-q", "origin")
        git(self.directory, "merge", "-q", "--ff-only", "origin/reconcile/plan")
        git(self.directory, "push", "-q", "origin", "main")

    def abandoned_lock(self) -> Json:
        """Leave a lock behind that expired yesterday; return its record."""
        then = datetime.now(UTC) - timedelta(days=1)
        repository = Repository.open(self.directory)
        lock.acquire(repository, "origin", Holder.here(digest="0" * 64, run="", version="0", now=then), then)
        record: Json = json.loads(git(self._root / "remote.git", "show", "-s", "--format=%B", "refs/reconcile/lock"))
        return record
