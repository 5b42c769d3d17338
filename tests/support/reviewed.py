"""The whole loop in this process, reviewed on GitHub's stand-in: a tenant, a domain in memory, a real git remote."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
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
from reconciler.demo.pki import Authority, Files
from reconciler.demo.tenant import Tenant
from reconciler.errors import ReconcileError

from .github import REPOSITORY, TOKEN, StandIn, standing_in
from .hub.remote import Remote
from .operations import CLIENT, TENANT, environment, git, settings_text

BRANCH = "reconcile/plan"


@dataclass(frozen=True)
class Ended:
    """How one command ended."""

    code: int
    out: str
    err: str
    error: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Reviewed:
    """One installation. `now` is the time that its commands see."""

    root: Path
    tenant: Tenant
    github: StandIn
    env: dict[str, str]
    domain: MemoryDomain = field(default_factory=MemoryDomain)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def directory(self) -> Path:
        return self.root / "identity"

    @property
    def remote(self) -> Path:
        return self.root / "remote.git"

    def set_up(self, forge: str) -> None:
        git(self.root, "init", "-q", "--bare", "-b", "main", str(self.remote))
        git(self.root, "clone", "-q", str(self.remote), str(self.directory))
        scaffold(self.directory, Answers(tenant=TENANT, client_id=CLIENT, forge="git"))
        base = self.domain.base
        text = settings_text(
            self.tenant, self.root, controller=self.domain.controller, base=base, ou=f"OU=Guests,{base}", ca_file=None
        )
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("forge:"))
        (self.directory / "reconcile.yaml").write_text(f"{text}forge: {forge}\n")
        git(self.directory, "checkout", "-q", "-B", "main")
        self.commit("settings and policy")

    @property
    def usn(self) -> int:
        """The domain's: it rises with every write."""
        return self.domain._database.reader(self.domain.controller).domain().usn

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        out, err = Console(file=io.StringIO(), width=100), Console(file=io.StringIO(), width=100)
        asked = parser().parse_args([*arguments])
        context = Context(
            self.directory,
            {**self.env, **(env or {})},
            replace(self.domain.ports, clock=lambda: self.now),
            json=bool(getattr(asked, "json", False)),
            consoles=(out, err),
        )
        try:
            code, error = int(run_command(context, [*arguments])), ""
        except ReconcileError as raised:
            code, error = int(raised.exit_code), str(raised)
        assert isinstance(out.file, io.StringIO)
        assert isinstance(err.file, io.StringIO)
        return Ended(code, out.file.getvalue(), err.file.getvalue(), error)

    def ok(self, *arguments: str) -> Ended:
        ended = self.run(*arguments)
        assert ended.code == 0, ended
        return ended

    def propose(self, code: int = 0) -> Any:
        """Import and propose, as the scheduled job does; return what `--json` says."""
        self.ok("snapshot")
        self.github.asked.clear()
        ended = self.run("propose", "--json")
        assert ended.code == code, ended
        return ended.json

    def approve_and_check(self, number: int, who: str = "zoe") -> str:
        """Do what people and the check job do before a merge; return the head."""
        head: str = self.github.current(self.github.pull(number))["head"]["sha"]
        self.github.approve(number, who)
        self.github.run("reconcile/plan", head)
        return head

    def commit(self, message: str, who: str = "person") -> str:
        """Commit everything to main and push it, with no pull request."""
        git(self.directory, "add", "-A")
        git(self.directory, "-c", f"user.email={who}@contoso.test", "commit", "-q", "--allow-empty", "-m", message)
        git(self.directory, "push", "-q", "-u", "origin", "main")
        return git(self.directory, "rev-parse", "HEAD").strip()

    def pull(self) -> None:
        git(self.directory, "pull", "-q", "--ff-only", "origin", "main")

    def refs(self) -> str:
        """Everything on the remote."""
        return git(self.remote, "for-each-ref")

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)


@contextmanager
def reviewed(
    root: Path,
    guests: int = 3,
    require: str = "",
    serve: Callable[[Files], AbstractContextManager[StandIn]] = standing_in,
) -> Iterator[Reviewed]:
    """Make an installation below `root` with nothing imported yet; `require` is YAML for `forge.require`."""
    secret = "only for this test"
    tls = Authority.create("GitHub").write(root / "tls", ["127.0.0.1"])
    env = environment(root, RECONCILE_ENTRA_SECRET=secret, RECONCILE_FORGE_TOKEN=TOKEN, REQUESTS_CA_BUNDLE=str(tls.ca))
    with Tenant(TENANT, CLIENT, generate(guests, seed=11), secret=secret) as tenant, serve(tls) as github:
        made = Reviewed(root, tenant, github, env)
        github.heads = Remote(made.remote)
        asked = f", require: {require}" if require else ""
        made.set_up(f"{{kind: github, url: {github.url}, repository: {REPOSITORY}{asked}}}")
        yield made
