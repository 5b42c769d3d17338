"""The same pull request on other programs that speak GitHub's API than our own stand-in.

RECONCILE_EMULATE holds the command that starts the emulator from npm, `emulate@0.12.2`: `node …/emulate/dist/index.js`
(Node 22.15 or later). Without it, the same specifications hold for the stand-in alone.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from reconciler.forge.github import GitHub
from reconciler.forge.port import Opinion, Published

from .conftest import REPOSITORY, TOKEN, StandIn

SEED = f"""
tokens:
  {TOKEN}: {{login: contoso, scopes: [repo]}}
  reviewer: {{login: zoe, scopes: [repo]}}
github:
  users: [{{login: contoso}}, {{login: zoe}}]
  repos: [{{owner: contoso, name: identity, auto_init: true}}]
"""


@dataclass
class Emulator:
    """What its users can do there that the program does not."""

    url: str

    def ask(self, method: str, path: str, body: dict[str, str] | None = None, token: str = TOKEN) -> dict[str, object]:
        answer = requests.request(
            method,
            f"{self.url}/repos/{REPOSITORY}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert answer.ok, answer.text
        said = answer.json()
        assert isinstance(said, dict)
        return said

    def push(self, branch: str) -> str:
        tip = self.ask("GET", "/git/ref/heads/main")["object"]
        assert isinstance(tip, dict)
        self.ask("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": tip["sha"]})
        return str(tip["sha"])

    def close(self, number: int) -> None:
        self.ask("PATCH", f"/pulls/{number}", {"state": "closed"})

    def approve(self, number: int) -> None:
        self.ask("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"}, "reviewer")


@dataclass
class Ours:
    """The same on the stand-in."""

    stand_in: StandIn

    @property
    def url(self) -> str:
        return self.stand_in.url

    def push(self, branch: str) -> str:
        return self.stand_in.heads.setdefault(branch, "b" * 40)

    def close(self, number: int) -> None:
        self.stand_in.close(number)

    def approve(self, number: int) -> None:
        self.stand_in.approve(number)


@pytest.fixture(params=["stand-in", *(["emulate"] if os.environ.get("RECONCILE_EMULATE") else [])])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator | Ours]:
    if request.param == "stand-in":
        yield Ours(request.getfixturevalue("stand_in"))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "seed.yaml").write_text(SEED)
    command = [
        *shlex.split(os.environ["RECONCILE_EMULATE"]),
        "start",
        "-s",
        "github",
        "-p",
        str(port),
        "--seed",
        "seed.yaml",
    ]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(port, server, tmp_path / "log")
            yield Emulator(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the emulator did not start: {log.read_text()}")


def test_one_pull_request_is_opened_updated_found_and_approved(hub: Emulator | Ours) -> None:
    head = hub.push("reconcile/plan")
    forge = GitHub(hub.url, REPOSITORY, TOKEN, trust=True)
    proposal = Published("reconcile/plan", "main", head, "Plan: 2 changes", "body\n")

    opened = forge.publish(proposal)
    assert (opened.created, opened.head) == (True, head)
    updated = forge.publish(replace(proposal, title="Plan: 3 changes"))
    assert updated == replace(opened, created=False)
    assert forge.find("reconcile/plan", "main") == updated
    assert forge.find("reconcile/plan", "release") is None

    assert forge.review(opened.number).opinions == ()
    hub.approve(opened.number)
    assert forge.review(opened.number).opinions == (Opinion("zoe", head, approves=True),)

    hub.close(opened.number)
    assert forge.find("reconcile/plan", "main") is None
    assert forge.publish(proposal).number > opened.number
