"""A repository on GitHub with its environments, over a real tenant, domain and git remote."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.init import Answers, scaffold
from reconciler.demo.pki import Authority
from reconciler.demo.samba import Controller, Login
from tests.doctor import rules
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in
from tests.support.hub.remote import Remote
from tests.support.operations import Operations, git, installation
from tests.support.samba import fresh_ou

from .runner import PACKAGE, Environment, Event, Job, Repository, Run, machine

IMPORTER = "contoso-reconcile[bot]"
MAIN = "refs/heads/main"
_API = (
    (r"(GET) /pulls.*|(GET) /commits/[^/]+/pulls|(GET) /issues/.*", "pull-requests", "read"),
    (r"(POST|PATCH) /pulls.*|(POST|PATCH|DELETE) /issues/.*", "pull-requests", "write"),
    (r"GET /commits/[^/]+/check-runs", "checks", "read"),
    (r"GET /commits/[^/]+/status(es)?", "statuses", "read"),
    (r"POST /statuses/.*", "statuses", "write"),
    (r"GET /activity", "contents", "read"),
    (r"GET (/collaborators/.*|/rules/.*|/rulesets/.*)?", "metadata", "read"),
    (r"GET /branches/[^/]+", "contents", "read"),
)
"""What GitHub asks of a token."""


@dataclass
class World:
    """The repository, who works in it, and the events that start workflows."""

    ops: Operations
    hub: StandIn
    repository: Repository
    ou: str
    log: list[str] = field(default_factory=list)
    _asked: int = 0

    def start(self, workflow: str, event: Event) -> Run:
        done = self.repository.run(f"reconcile-{workflow}.yml", event)
        self.log.append(done.log)
        return done

    def scheduled(self, workflow: str) -> Run:
        return self.start(workflow, Event("schedule", MAIN, actor="github-actions"))

    def checked(self, number: int, actor: str = IMPORTER, *, fork: bool = False) -> Run:
        """Run the check on a pull request's merge with main, and put its verdict on the head commit."""
        pull = self.hub.current(self.hub.pull(number))
        head = pull["head"]["sha"]
        person = self.ops.directory
        git(person, "fetch", "-q", "origin")
        git(person, "checkout", "-q", "--detach", "origin/main")
        git(person, "merge", "-q", "--no-ff", "-m", "merge ref", head)
        git(person, "push", "-q", "-f", "origin", f"HEAD:refs/pull/{number}/merge")
        git(person, "checkout", "-q", "main")
        whose = "mallory/identity" if fork else REPOSITORY
        payload = {"pull_request": {**pull, "head": {**pull["head"], "repo": {"full_name": whose}}}}
        done = self.start("check", Event("pull_request", f"refs/pull/{number}/merge", actor, payload, fork))
        self.hub.run("reconcile/plan", head, done["reconcile/plan"].result)
        return done

    def merge(self, number: int) -> None:
        """Merge a pull request as GitHub does by default: with a merge commit."""
        self.hub.merge(number)
        git(self.ops.directory, "pull", "-q", "--ff-only", "origin", "main")

    def pushed(self) -> Run:
        """What the push of a merge to main starts."""
        return self.start("apply", Event("push", MAIN, actor="zoe"))

    def propose(self, branch: str, title: str = "a change", author: str = "ada") -> int:
        """Push what is in the working tree to a branch, and open a pull request of it; return its number."""
        person = self.ops.directory
        git(person, "checkout", "-q", "-B", "work")
        git(person, "add", "-A")
        git(person, "commit", "-q", "-m", title)
        git(person, "push", "-q", "-f", "origin", f"HEAD:refs/heads/{branch}")
        git(person, "checkout", "-q", "main")
        me, self.hub.me = self.hub.me, {**self.hub.me, "login": author, "type": "User"}
        try:
            self.hub.open_pull(_Body({"title": title, "body": "", "head": branch, "base": "main"}))
        finally:
            self.hub.me = me
        return len(self.hub.pulls)

    def allowed(self, job: Job) -> None:
        """Fail when a job asked the API for something that its tokens may not do."""
        asked, self._asked = self.hub.asked[self._asked :], len(self.hub.asked)
        for method, path in asked:
            line = f"{method} {path.removeprefix(f'/repos/{REPOSITORY}')}"
            what, least = next((w, level) for pattern, w, level in _API if re.fullmatch(pattern, line))
            given = "read" if what == "metadata" else job.permissions.get(what, "none")
            assert given in (least, "write"), f"{job.name}: {line} needs {what}: {least}, and has {given}"


@dataclass
class _Body:
    body: dict[str, Any]
    query: dict[str, str] = field(default_factory=dict)


@contextmanager
def on_github(samba: Controller, root: Path, guests: int) -> Iterator[World]:
    """Make an installation whose repository is on GitHub, with the workflows that `init` writes."""
    ou = fresh_ou(samba)
    tls = Authority.create("GitHub").write(root / "github", ["127.0.0.1"])
    with standing_in(tls) as hub, installation(root, samba, ou, guests) as ops:
        settings = ops.directory / "reconcile.yaml"
        settings.write_text(reviewed_there(settings.read_text(), hub))
        scaffold(ops.directory, Answers())
        ops.commit("on GitHub")
        hub.heads = Remote(ops.remote)
        assert rules.of(hub).rules, "doctor asks what holds for the branch"
        hub.me["login"] = IMPORTER
        repository = Repository(
            root / "runners",
            ops.remote,
            hub.url,
            TOKEN,
            {"RECONCILE_PACKAGE": PACKAGE, "RECONCILE_APP_ID": "123456", "RECONCILE_IMPORTER": IMPORTER},
            environments(samba, ops, Login(ops.env["RECONCILE_LDAP_USER"], ops.env["RECONCILE_LDAP_PASSWORD"])),
            ops.tenant.actions,
            machine(REQUESTS_CA_BUNDLE=str(tls.ca)),
        )
        here = World(ops, hub, repository, ou.text)
        repository.watch = here.allowed
        yield here
    assert not any(secret in text for text in here.log for secret in here.ops.secrets), "a secret is in a log"


def reviewed_there(settings: str, hub: StandIn) -> str:
    """Return the settings with plans reviewed on GitHub, whose jobs sign in without a secret."""
    forge = f"forge: {{kind: github, url: {hub.url}, repository: {REPOSITORY}"
    return settings.replace("credential: secret", "credential: federated").replace("forge: {kind: git", forge)


def environments(
    samba: Controller, ops: Operations, writer: Login, names: tuple[str, str] = ("plan", "ad-apply")
) -> dict[str, Environment]:
    """Make both environments of an operations directory: who reads, who writes, and that Entra knows them."""
    reader = samba.reader(f"reader-{secrets.token_hex(4)}")
    key = secrets.token_urlsafe(24)
    ops.secrets += [reader.password, writer.password, key, TOKEN]
    for name in names:
        ops.tenant.federate(f"repo:{REPOSITORY}:environment:{name}")
    reading = {
        "RECONCILE_APP_KEY": key,
        "RECONCILE_LDAP_READER": reader.user,
        "RECONCILE_LDAP_READER_PASSWORD": reader.password,
    }
    writing = {
        "RECONCILE_LDAP_WRITER": writer.user,
        "RECONCILE_LDAP_WRITER_PASSWORD": writer.password,
    }
    return {names[0]: Environment(reading, {}), names[1]: Environment(writing, {})}


@pytest.fixture
def world(samba: Controller, tmp_path: Path) -> Iterator[Callable[[int], World]]:
    with ExitStack() as ends:
        yield lambda guests: ends.enter_context(on_github(samba, tmp_path, guests))
