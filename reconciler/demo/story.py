"""`reconcile demo`: the whole loop, told step by step, with the commands a person would type."""

from __future__ import annotations

import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from reconciler.cli.context import Context
from reconciler.cli.init import Answers, scaffold
from reconciler.cli.main import run_command
from reconciler.demo.domains import DemoDomain
from reconciler.demo.people import generate
from reconciler.demo.tenant import Tenant
from reconciler.errors import Exit, ReconcileError

_TENANT = "7b3f0000-0000-4000-8000-000000000001"
_CLIENT = "5d1c0000-0000-4000-8000-000000000002"
_SEED = 20260101


def tell(console: Console, domain: DemoDomain, guests: int) -> Path:
    """Run the demonstration; return the operations directory, which stays. Raises ReconcileError when a step fails."""
    root = Path(tempfile.mkdtemp(prefix="reconcile-demo-"))
    secret = secrets.token_urlsafe(24)
    with Tenant(_TENANT, _CLIENT, generate(guests, seed=_SEED), secret=secret) as tenant:
        story = _Story(console, domain, tenant, root, secret)
        story.set_up()
        story.first_loop()
        story.things_change()
        story.second_loop()
        story.end()
    return story.directory


def _program() -> str:
    """Return what a person types for this program: its name where the shell finds it by that, else where it is."""
    beside = Path(sys.executable).with_name("reconcile")
    return "reconcile" if shutil.which("reconcile") or not beside.exists() else shlex.quote(str(beside))


class _Story:
    def __init__(self, console: Console, domain: DemoDomain, tenant: Tenant, root: Path, secret: str) -> None:
        self._console = console
        self._domain = domain
        self._tenant = tenant
        self._root = root
        self.directory = root / "identity"
        env = {
            **domain.env,
            "RECONCILE_ENTRA_SECRET": secret,
            "XDG_STATE_HOME": str(root / "journal"),
            "HOME": str(root),
        }
        self._context = Context(self.directory, env, domain.ports, consoles=(console, console))
        self._step = 0

    def set_up(self) -> None:
        guests = len(self._tenant.guests())
        self._title("A tenant, a domain, a repository")
        self._say(
            f"Entra ID: a test tenant at {self._tenant.authority} with {guests} guests, spoken to over verified HTTPS."
        )
        self._say(f"Active Directory: {self._domain.words}. It has OU=Guests, and no accounts for them yet.")
        self._say("git: an operations repository with a bare remote, as your team would have it.")
        self._git(
            "init", "--quiet", "--bare", "--initial-branch=main", str(self._root / "remote.git"), where=self._root
        )
        self._git("clone", "--quiet", str(self._root / "remote.git"), str(self.directory), where=self._root)
        scaffold(self.directory, Answers(tenant=_TENANT, client_id=_CLIENT, base=self._domain.base, forge="git"))
        (self.directory / "reconcile.yaml").write_text(self._settings(), encoding="utf-8")
        self._git("checkout", "--quiet", "-B", "main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", "Operations directory: settings and the default policy")
        self._git("push", "--quiet", "-u", "origin", "main")

    def first_loop(self) -> None:
        self._title("Import both sides as YAML, and see what the policy wants")
        self._reconcile("snapshot")
        self._show_file()
        self._reconcile("plan")
        self._title("Propose it; a colleague reviews and merges")
        self._reconcile("propose")
        self._merge()
        self._title("Apply exactly what was merged")
        self._reconcile("apply", "--yes")
        self._title("Import again: the plan is empty")
        self._reconcile("snapshot")
        self._reconcile("plan", "--detailed-exitcode")

    def things_change(self) -> None:
        renamed, leaver, edited = self._tenant.guests()[:3]
        self._title("Three things happen")
        self._say("In Entra, a guest marries and changes her name.")
        self._tenant.update(renamed.id, surname="Lindqvist-Okafor", displayName="Ngozi Lindqvist-Okafor")
        self._say("In Entra, another guest is removed.")
        self._tenant.soft_delete(leaver.id)
        self._say("In Active Directory, somebody edits a third guest's account by hand.")
        ou = (
            "OU=Fabrikam,OU=Guests"
            if str(edited.properties.get("mail") or "").endswith("@fabrikam.com")
            else "OU=Guests"
        )
        self._domain.edit(f"CN={edited.id},{ou},{self._domain.base}", "displayName", "Totally Legit Admin")

    def second_loop(self) -> None:
        self._title("The next import shows all three, each with its cause")
        self._reconcile("snapshot")
        self._reconcile("plan")
        self._reconcile("propose")
        self._merge()
        self._reconcile("apply", "--yes")
        self._title("And again there is nothing left to do")
        self._reconcile("snapshot")
        self._reconcile("plan", "--detailed-exitcode")

    def end(self) -> None:
        where = shlex.quote(str(self.directory))
        self._console.print(Rule("Done", style="green"))
        self._say(f"The repository stays at {self.directory}. Three commands to try (none needs a network):")
        self._console.print()
        for command in (
            f"git -C {where} log --stat --oneline",
            f"{_program()} -C {where} plan --format markdown",
            f"git -C {where} notes --ref reconcile show origin/main",
        ):
            self._console.print(Text(f"  {command}", style="bold"), soft_wrap=True)

    # --- how the story is told

    def _title(self, text: str) -> None:
        self._step += 1
        self._console.print()
        self._console.print(Rule(Text(f"{self._step}. {text}", style="bold"), align="left", style="cyan"))

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=False)

    def _shown(self, command: str) -> None:
        self._console.print(Text(f"\n$ {command}", style="bold cyan"), soft_wrap=True)

    def _reconcile(self, *arguments: str) -> None:
        self._shown(f"reconcile {shlex.join(arguments)}")
        code = run_command(replace(self._context), arguments)
        if code is not Exit.OK:
            raise ReconcileError(
                f"the demonstration's step `reconcile {shlex.join(arguments)}` ended with exit code {int(code)}",
                f"Its files are in {self._root}; please report this.",
            )

    def _show_file(self) -> None:
        file = min((self.directory / "state/guests").rglob("*.yaml"))
        self._shown(f"cat {file.relative_to(self.directory)}")
        self._console.print(Text(file.read_text("utf-8").rstrip("\n"), style="dim"), soft_wrap=True)

    def _merge(self) -> None:
        self._shown("git fetch && git merge --ff-only origin/reconcile/plan && git push")
        self._git("fetch", "--quiet", "origin")
        self._git("merge", "--quiet", "--ff-only", "origin/reconcile/plan")
        self._git("push", "--quiet", "origin", "main")
        self._say("Merged: merging is the approval.")

    def _git(self, *arguments: str, where: Path | None = None) -> None:
        identity = [
            "-c",
            "user.name=A colleague",
            "-c",
            "user.email=colleague@contoso.test",
            "-c",
            "commit.gpgsign=false",
        ]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=where or self.directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ReconcileError(
                f"git {arguments[0]} failed: {done.stderr.strip()}", f"The demonstration's files are in {self._root}."
            )

    def _settings(self) -> str:
        ca = self._tenant.ca_file(self._root)
        lines: Sequence[str] = (
            "apiVersion: reconcile/v1",
            "kind: Settings",
            "entra:",
            f"  tenant: {_TENANT}",
            f"  client_id: {_CLIENT}",
            "  credential: secret",
            f"  authority: {self._tenant.authority}",
            f"  graph: {self._tenant.graph}",
            f'  ca_file: "{ca}"',
            "directory:",
            f'  controllers: ["{self._domain.controller}"]',
            f"  base: {self._domain.base}",
            f'  ous: ["OU=Guests,{self._domain.base}"]',
            "  bind: simple",
            *([f'  ca_file: "{self._domain.ca_file}"'] if self._domain.ca_file else []),
            "forge: {kind: git, remote: origin, branch: main}",
            "plan: {lifetime: 24h, batch: 5000}",
        )
        return "\n".join(lines) + "\n"
