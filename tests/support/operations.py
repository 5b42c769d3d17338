"""A whole installation to test with: a tenant over TLS, a domain, an operations repository with a bare remote."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.init import Answers, scaffold
from reconciler.demo.people import Person, generate
from reconciler.demo.samba import Controller
from reconciler.demo.tenant import Tenant
from reconciler.model.dn import DN

TENANT = "7b3f0000-0000-4000-8000-00000000000a"
CLIENT = "5d1c0000-0000-4000-8000-00000000000b"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Operations:
    """One operations directory, and the commands a person would run in it, each as a process of its own."""

    root: Path
    tenant: Tenant
    env: dict[str, str]
    settings: str
    secrets: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.root / "identity"

    @property
    def remote(self) -> Path:
        return self.root / "remote.git"

    def set_up(self, ou: str) -> None:
        git(self.root, "init", "-q", "--bare", "-b", "main", str(self.remote))
        git(self.root, "clone", "-q", str(self.remote), str(self.directory))
        scaffold(self.directory, Answers(tenant=TENANT, client_id=CLIENT, forge="git"))
        (self.directory / "reconcile.yaml").write_text(self.settings)
        policy = self.directory / "policies/guests.yaml"
        policy.write_text(policy.read_text().replace("OU=Guests,DC=contoso,DC=test", ou))
        git(self.directory, "checkout", "-q", "-B", "main")
        self.commit("settings and policy")

    def commit(self, message: str) -> str:
        git(self.directory, "add", "-A")
        git(self.directory, "commit", "-q", "-m", message)
        git(self.directory, "push", "-q", "-u", "origin", "main")
        return git(self.directory, "rev-parse", "HEAD").strip()

    def reconcile(self, *arguments: str, expect: int | None = 0, env: Mapping[str, str] | None = None) -> Done:
        """Run the program; `expect` is the exit code, None for any."""
        return self.start(*arguments, env=env).finish(expect)

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, program: Sequence[str] = ("-m", "reconciler")
    ) -> Running:
        command = [sys.executable, *program, "-C", str(self.directory), *arguments]
        process = subprocess.Popen(
            command,
            env={**self.env, **(env or {})},
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return Running(process, arguments, self.transcript)

    def merge(self) -> None:
        """Review, merge and push, as a person would."""
        git(self.directory, "fetch", "-q", "origin")
        git(self.directory, "merge", "-q", "--ff-only", "origin/reconcile/plan")
        git(self.directory, "push", "-q", "origin", "main")

    def loop(self) -> dict[str, Any]:
        """Import, propose, merge, apply; return the receipt's counts."""
        self.reconcile("snapshot")
        self.reconcile("propose")
        self.merge()
        counts: dict[str, Any] = self.reconcile("apply", "--yes", "--json").json["counts"]
        return counts

    def plan(self) -> dict[str, Any]:
        """Import and plan; return the plan."""
        self.reconcile("snapshot")
        plan: dict[str, Any] = self.reconcile("plan", "--json", expect=None).json
        return plan

    def journals(self) -> list[Path]:
        return sorted((self.root / "journal").rglob("*.jsonl"))

    def receipts_exist(self) -> bool:
        return "refs/notes/reconcile" in git(self.directory, "ls-remote", "origin")

    def receipts(self) -> list[dict[str, Any]]:
        """Every receipt on the remote, oldest first."""
        git(self.directory, "fetch", "-q", "origin", "+refs/notes/reconcile:refs/notes/reconcile")
        listed = git(self.directory, "notes", "--ref", "reconcile", "list").split()
        notes = [json.loads(git(self.directory, "cat-file", "-p", blob)) for blob in listed[::2]]
        return sorted((r for note in notes for r in note.values()), key=lambda r: str(r["ended"]))


@dataclass
class Running:
    """A command that is running."""

    process: subprocess.Popen[str]
    arguments: Sequence[str]
    transcript: list[str]

    def finish(self, expect: int | None = 0) -> Done:
        out, err = self.process.communicate(timeout=300)
        self.transcript += [out, err]
        code = self.process.returncode
        assert expect is None or code == expect, f"reconcile {' '.join(self.arguments)}: exit {code}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return Done(code, out, err)


def git(where: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Person", "-c", "user.email=person@contoso.test", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def settings_text(tenant: Tenant, root: Path, *, controller: str, base: str, ou: str, ca_file: Path | None) -> str:
    return f"""\
apiVersion: reconcile/v1
kind: Settings
entra:
  tenant: {TENANT}
  client_id: {CLIENT}
  credential: secret
  authority: {tenant.authority}
  graph: {tenant.graph}
  ca_file: "{tenant.ca_file(root)}"
directory:
  controllers: ["{controller}"]
  base: {base}
  ous: ["{ou}"]
  bind: simple
  ca_file: {json.dumps(str(ca_file)) if ca_file else "null"}
forge: {{kind: git, remote: origin, branch: main}}
plan: {{lifetime: 24h, batch: 5000}}
"""


def environment(root: Path, **extra: str) -> dict[str, str]:
    """What a person's shell would have, and nothing of ours but `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RECONCILE_", "GIT_", "ACTIONS_", "AZURE_"))}
    return {**kept, "HOME": str(root), "XDG_STATE_HOME": str(root / "journal"), **extra}


Make = Callable[..., Operations]


@pytest.fixture
def operations(tmp_path: Path, samba: Controller, samba_ou: DN) -> Iterator[Make]:
    """Make an installation on the real domain controller: `operations(people or a number)`."""
    with ExitStack() as ends:
        yield lambda people=6: ends.enter_context(installation(tmp_path, samba, samba_ou, people))


def _strangers(count: int, ou: DN) -> list[Person]:
    """Return people whose UPNs nobody else's can be: a controller serves many tests, and a UPN is unique in a forest."""
    tenant_domain = f"{uuid.uuid5(uuid.NAMESPACE_X500, ou.text).hex[:12]}.onmicrosoft.com"
    return generate(count, seed=random.Random(ou.text).randrange(10**6), tenant_domain=tenant_domain)


@contextmanager
def installation(
    root: Path,
    samba: Controller,
    ou: DN,
    people: Sequence[Person] | int = 6,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Operations]:
    """Make an installation below `root` whose accounts go below `ou`; its tenant runs as long as the block, by `clock`."""
    chosen = _strangers(people, ou) if isinstance(people, int) else people
    secret = secrets.token_urlsafe(24)
    with Tenant(TENANT, CLIENT, chosen, secret=secret, clock=clock) as tenant:
        with samba.administrator() as administrator:
            administrator.ou(f"OU=Fabrikam,{ou}")
        login = samba.writer(f"rec-{secrets.token_hex(6)}", ou.text)
        text = settings_text(tenant, root, controller=samba.url, base=samba.base, ou=ou.text, ca_file=samba.ca_file)
        env = environment(
            root,
            RECONCILE_ENTRA_SECRET=secret,
            RECONCILE_LDAP_USER=login.user,
            RECONCILE_LDAP_PASSWORD=login.password,
        )
        made = Operations(root, tenant, env, text, [secret, login.password])
        made.set_up(ou.text)
        yield made
