"""The stand-in's server with another's mind: what GitHub's emulator from npm keeps, over the branches of a real remote.

The emulator makes up its own commits, so each of the remote's gets one there, and ids are put right on the way in and
out. It is told here what it does not do by itself: an open pull request's head follows its branch. It answers any token it does
not know as the owner's. It knows no commit
statuses, no pushes and no pull requests of a commit: those are answered as by a repository without any, and by a server
that keeps no list.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from reconciler.demo.pki import Files
from tests.support.github import TOKEN, StandIn, serving

from .remote import Remote
from .repository import Answer, Row
from .shapes import REPOSITORY, refusal

_ROOT = Path(__file__).parents[3]
_NODE, _PROGRAM = _ROOT / ".venv/bin/node", _ROOT / ".venv/npm/node_modules/emulate/dist/index.js"
_SEED = f"""\
tokens:
  {TOKEN}: {{login: reconcile-app, scopes: [repo]}}
  owner: {{login: contoso, scopes: [repo]}}
  zoe: {{login: zoe, scopes: [repo]}}
  ada: {{login: ada, scopes: [repo]}}
github:
  users: [{{login: contoso}}, {{login: reconcile-app}}, {{login: zoe}}, {{login: ada}}]
  repos: [{{owner: contoso, name: identity, auto_init: true}}]
"""


@dataclass
class Emulated(StandIn):
    """One repository at the emulator. What is asked is as strictly looked at as by the stand-in."""

    server: str = ""
    theirs: dict[str, str] = field(default_factory=dict)
    """Commits of the remote, and what the emulator calls them."""
    last: dict[int, str] = field(default_factory=dict)
    """Each pull request's head, the last one seen while it was open."""
    undescribed: bool = True
    """Its answers are its own affair."""

    def ask(self, method: str, path: str, body: Row | None = None, token: str = TOKEN, query: Any = None) -> Answer:
        done = requests.request(
            method,
            f"{self.server}/repos/{REPOSITORY}{path}",
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        return done.status_code, done.json() if done.content else None

    def must(self, method: str, path: str, body: Row | None = None, token: str = TOKEN) -> Any:
        status, answer = self.ask(method, path, body, token)
        assert status < 300, (method, path, answer)
        return answer

    def set_up(self) -> None:
        self.theirs[self.heads["main"]] = self.must("GET", "/git/ref/heads/main")["object"]["sha"]
        for who in ("reconcile-app", "zoe", "ada"):
            self.must("PUT", f"/collaborators/{who}", {"permission": "push"}, "owner")

    def answer(self, method: str, path: str, query: dict[str, str], body: Row) -> Answer:
        rest = path.removeprefix(f"/repos/{REPOSITORY}")
        match rest.split("/")[1:]:
            case ["activity"]:
                return 404, refusal("Not Found")
            case ["commits", _, "pulls" | "statuses"]:
                return 200, []
        self.follow()
        status, answer = self.ask(
            method,
            self.translated(rest, out=True),
            json.loads(self.translated(json.dumps(body), out=True)),
            query=query,
        )
        found = json.loads(self.translated(json.dumps(answer), out=False))
        if isinstance(found, dict) and found.get("permission") == "push":
            found["permission"] = "write"  # as GitHub says it
        for row in found if isinstance(found, list) else [found]:
            if isinstance(row, dict) and isinstance(row.get("head"), dict):
                if row["state"] == "open":
                    self.last[row["number"]] = self.heads[row["head"]["ref"]]
                row["head"]["sha"] = self.last[row["number"]]
                self.remote.keep(row["number"], row["head"]["sha"])
        return status, found

    def follow(self) -> None:
        """Bring the emulator's branches to where the remote's are."""
        there = {
            row["ref"].removeprefix("refs/heads/"): row["object"]["sha"]
            for row in self.must("GET", "/git/matching-refs/heads/")
        }
        for branch, commit in self.heads.items():
            made = self.commit(commit)
            if branch not in there:
                self.must("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": made})
            elif there[branch] != made:
                self.must("PATCH", f"/git/refs/heads/{branch}", {"sha": made, "force": True})

    def commit(self, commit: str) -> str:
        """Return what the emulator calls a commit; it gets one on top of the first."""
        if commit not in self.theirs:
            first = next(iter(self.theirs.values()))
            tree = self.must("GET", f"/git/commits/{first}")["tree"]["sha"]
            body = {"message": commit, "tree": tree, "parents": [first]}
            self.theirs[commit] = self.must("POST", "/git/commits", body)["sha"]
        return self.theirs[commit]

    def translated(self, text: str, *, out: bool) -> str:
        for ours, theirs in self.theirs.items():
            text = text.replace(ours, theirs) if out else text.replace(theirs, ours)
        return text

    @property
    def remote(self) -> Remote:
        assert isinstance(self.heads, Remote)
        return self.heads

    # --- what people do there

    def pull(self, number: int) -> Row:
        row: Row = self.answer("GET", f"/repos/{REPOSITORY}/pulls/{number}", {}, {})[1]
        return row

    def current(self, row: Row) -> Row:
        return self.pull(row["number"])

    def opinion(self, number: int, who: str, event: str = "APPROVE") -> None:
        """Review the head as it is now. Who they are is said by their token: a person's is their name."""
        head = self.commit(self.pull(number)["head"]["sha"])
        self.must("POST", f"/pulls/{number}/reviews", {"event": event, "commit_id": head, "body": "seen"}, who)

    def checked(self, name: str, sha: str, conclusion: str = "success") -> None:
        body = {"name": name, "head_sha": self.commit(sha), "status": "completed", "conclusion": conclusion}
        self.must("POST", "/check-runs", body)

    def close(self, number: int) -> None:
        self.must("PATCH", f"/pulls/{number}", {"state": "closed"}, "zoe")

    def merged(self, number: int, how: str = "merge") -> str:
        """Merge there and on the remote; what they end at is one commit under two names."""
        row = self.pull(number)
        merged = self.must("PUT", f"/pulls/{number}/merge", {"merge_method": how}, "zoe")["sha"]
        made = self.remote.merge(row["head"]["sha"], "main", how)
        self.theirs[made] = merged
        return made


@contextmanager
def emulating(scratch: Path, tls: Files | None = None) -> Iterator[Emulated]:
    """Run the emulator and serve it as long as the block lasts. Call `set_up` once `heads` is the remote's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (scratch / "seed.yaml").write_text(_SEED)
    command = [str(_NODE), str(_PROGRAM), "start", "-s", "github", "-p", str(port), "--seed", "seed.yaml"]
    log = scratch / "emulator.log"
    with log.open("wb") as out, subprocess.Popen(command, cwd=scratch, stdout=out, stderr=out) as server:
        try:
            _wait(port, server, log)
            with serving(Emulated(server=f"http://127.0.0.1:{port}"), tls) as made:
                yield made
        finally:
            server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the emulator did not start: {log.read_text()}")
