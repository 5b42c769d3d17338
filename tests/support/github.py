"""GitHub's REST endpoints as documented, on loopback: stateful, and strict about every request."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.demo.pki import Files

TOKEN = "ghs_verysecret"
REPOSITORY = "contoso/identity"


@dataclass
class StandIn:
    """One repository. `answers` come first, whatever is asked: (status, headers, body)."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40, "reconcile/plan": "b" * 40})
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        route = re.fullmatch(rf"/repos/{REPOSITORY}(/.*)", path)
        assert route, f"another repository: {path}"
        found: list[dict[str, Any]]
        match method, route[1].split("/")[1:]:
            case "POST", ["pulls"]:
                return self.create(body)
            case "PATCH", ["pulls", number]:
                assert set(body) <= {"title", "body"}
                self.pulls[int(number) - 1] |= body
                return 200, self.pulls[int(number) - 1]
            case "GET", ["commits", sha, "check-runs" | "status" as what]:
                key = {"check-runs": "check_runs", "status": "statuses"}[what]
                return 200, {key: page(of(self.runs if what == "check-runs" else self.statuses, sha), query)}
            case "GET", ["pulls"]:
                assert query["state"] == "open"
                wanted = (query["head"], query["base"])
                found = [p for p in self.pulls if p["state"] == "open" and self.ends(p) == wanted]
            case "GET", ["pulls", number, "reviews"]:
                found = self.reviews.get(int(number), [])
            case "GET", ["commits", sha, "pulls"]:
                found = [p for p in self.pulls if sha in (p["merge_commit_sha"], p["head"]["sha"])]
            case _:
                raise AssertionError(f"no such endpoint: {method} {path}")
        return 200, page(found, query)

    def create(self, body: dict[str, Any]) -> tuple[int, Any]:
        assert set(body) == {"title", "body", "head", "base"}
        if body["head"] not in self.heads or body["base"] not in self.heads:
            return 422, refusal("Validation Failed", [{"resource": "PullRequest", "field": "head", "code": "invalid"}])
        if any(p["state"] == "open" and p["head"]["ref"] == body["head"] for p in self.pulls):
            words = f"A pull request already exists for contoso:{body['head']}."
            return 422, refusal("Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": words}])
        number = len(self.pulls) + 1
        pull = {
            "number": number,
            "html_url": f"https://github.test/{REPOSITORY}/pull/{number}",
            "state": "open",
            "title": body["title"],
            "body": body["body"],
            "head": {"ref": body["head"], "sha": self.heads[body["head"]]},
            "base": {"ref": body["base"]},
            "merged_at": None,
            "merge_commit_sha": None,
        }
        self.pulls.append(pull)
        return 201, pull

    @staticmethod
    def ends(pull: dict[str, Any]) -> tuple[str, str]:
        return f"contoso:{pull['head']['ref']}", pull["base"]["ref"]


def of(rows: list[dict[str, Any]], sha: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "sha"} for row in rows if row["sha"] == sha]


def page(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
    assert size <= 100
    return rows[(number - 1) * size : number * size]


def refusal(message: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "message": message,
        "documentation_url": "https://docs.github.test",
        **({"errors": errors} if errors else {}),
    }


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            address = urlsplit(self.path)
            stand_in.asked.append((self.command, address.path))
            query = {key: value for key, [value] in parse_qs(address.query).items()}
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                assert self.headers["X-GitHub-Api-Version"] == "2022-11-28"
                assert self.headers["Accept"] == "application/vnd.github+json"
                assert self.headers["User-Agent"].startswith("reconcile/")
                assert (self.headers["Content-Type"] == "application/json") == bool(sent)
                if stand_in.answers:
                    return self.say(*stand_in.answers.pop(0))
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    return self.say(401, {}, json.dumps(refusal("Bad credentials")))
                status, body = stand_in.answer(self.command, address.path, query, json.loads(sent or b"{}"))
            except AssertionError as error:
                stand_in.complaints.append(f"{self.command} {self.path}: {error}")
                return self.say(500, {}, "{}")
            return self.say(status, {}, json.dumps(body))

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815  the library's names

        def say(self, status: int, headers: dict[str, str], body: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


@contextmanager
def standing_in(tls: Files | None = None) -> Iterator[StandIn]:
    """Serve an empty repository as long as the block lasts; fail when something asked was not as GitHub wants it."""
    made = StandIn()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        made.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.cert, tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
    assert made.complaints == []
