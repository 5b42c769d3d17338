"""Runs a workflow as GitHub would, on this machine: jobs, matrices, conditions; each `run:` as the script it is.

Actions are known by name and do what theirs do, on a bare repository. What a job's token may not do fails: a job
without `contents: write` cannot push, one that did not keep its credentials reaches no remote, one without
`id-token: write` gets no identity, one outside its environment's branches does not start.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.operations import ROOT, git

from .expressions import filled, holds, words

PACKAGE = "https://packages.contoso.test/reconcile_guests-0.1.0-py3-none-any.whl#sha256=" + "0" * 64
REPOSITORY = "contoso/identity"
WITHOUT_ARTIFACTS = frozenset({"actions/upload-artifact", "actions/download-artifact"})
"""What Enterprise Server does not run of the versions that the workflows name."""


@dataclass(frozen=True)
class Environment:
    """What an environment of the repository holds, and which refs may use it."""

    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    refs: tuple[str, ...] = ("refs/heads/main",)


@dataclass(frozen=True)
class Event:
    """What started the run. `fork`: a pull request from one."""

    name: str
    ref: str
    actor: str = "ada"
    payload: Mapping[str, Any] = field(default_factory=dict)
    fork: bool = False


@dataclass
class Job:
    """How one job (of a matrix, one member) ended."""

    name: str
    result: str = "success"
    log: str = ""
    summary: str = ""
    environment: str | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """How a run ended."""

    jobs: list[Job] = field(default_factory=list)
    artifacts: Path = Path()

    def __getitem__(self, name: str) -> Job:
        [found] = [job for job in self.jobs if job.name == name]
        return found

    @property
    def results(self) -> dict[str, str]:
        return {job.name: job.result for job in self.jobs}

    @property
    def log(self) -> str:
        return "\n".join(job.log for job in self.jobs)


@dataclass
class Repository:
    """The repository on GitHub: its git, its variables and environments, and who signs jobs in."""

    root: Path
    remote: Path
    url: str
    token: str
    """What the app's installation and the jobs have for the API."""
    variables: dict[str, str]
    environments: dict[str, Environment]
    identity: Callable[[str], Mapping[str, str]]
    """The environment of a job with `id-token: write`, by its subject."""
    machine: Mapping[str, str]
    """What the runners' own environment holds."""
    watch: Callable[[Job], None] = lambda _job: None
    """Called after every step."""
    cancel: Callable[[Path, subprocess.Popen[str]], bool] = lambda _temp, _process: False
    """Called while a script runs, with the job's temporary folder: may wait, and says whether the job is cancelled now."""
    unsupported: frozenset[str] = frozenset()
    """Actions that the server does not run."""
    runs: int = 0

    def run(self, workflow: str, event: Event) -> Run:
        """Run a workflow of the event's commit to its end."""
        self.runs += 1
        home = self.root / f"run-{self.runs}"
        sha = git(self.remote, "rev-parse", event.ref).strip()
        text = git(self.remote, "show", f"{sha}:.github/workflows/{workflow}")
        made = Run(artifacts=home / "artifacts")
        made.artifacts.mkdir(parents=True)
        _Workflow(self, yaml.safe_load(text), event, sha, made, home).go()
        return made


class _Workflow:
    def __init__(self, repo: Repository, document: Any, event: Event, sha: str, run: Run, home: Path) -> None:
        self.repo, self.document, self.event, self.sha, self.made, self.home = repo, document, event, sha, run, home
        self.done: dict[str, list[Job]] = {}
        assert document["permissions"] == {}, "a workflow gives nothing to all of its jobs"

    def go(self) -> None:
        waiting = dict(self.document["jobs"])
        while waiting:
            ready = [name for name, job in waiting.items() if all(n in self.done for n in _listed(job.get("needs")))]
            assert ready, f"jobs wait for each other: {list(waiting)}"
            for name in ready:
                self.done[name] = self.job(waiting.pop(name))

    def job(self, job: Mapping[str, Any]) -> list[Job]:
        needs = {name: self.needed(name) for name in _listed(job.get("needs"))}
        results = [need["result"] for need in needs.values()]
        status = {
            "always": True,
            "cancelled": False,
            "success": all(r == "success" for r in results),
            "failure": "failure" in results,
        }
        contexts = {"github": self.github(""), "needs": needs, "vars": self.repo.variables, "status": status.get}
        if not holds(job.get("if"), contexts):
            self.made.jobs.append(skipped := Job(str(job["name"]).partition(" (${{")[0], "skipped"))
            return [skipped]
        matrix = filled(job.get("strategy", {}).get("matrix", {}), contexts)
        assert not matrix or job["strategy"]["fail-fast"] is False
        found = [dict(zip(matrix, row, strict=True)) for row in itertools.product(*matrix.values())]
        return [self.member(job, {**contexts, "matrix": row}) for row in found]

    def needed(self, name: str) -> dict[str, Any]:
        results = {job.result for job in self.done[name]}
        worst = next((r for r in ("failure", "cancelled", "skipped") if r in results), "success")
        return {"result": worst, "outputs": self.done[name][-1].outputs}

    def member(self, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> Job:
        environment = filled(job.get("environment"), contexts)
        permissions = dict(filled(job.get("permissions", {}), contexts))
        if self.event.fork:
            permissions = {k: "read" for k in permissions if k != "id-token"}
        made = Job(words(filled(job["name"], contexts)), environment=environment, permissions=permissions)
        self.made.jobs.append(made)
        given = self.repo.environments.get(environment or "", Environment({}, {}, ()))
        if environment and self.event.ref not in given.refs:
            made.result, made.log = "failure", f"{self.event.ref} is not allowed to deploy to {environment}"
            return made
        _Member(self, job, made, contexts, given).go()
        return made

    def github(self, token: str) -> dict[str, Any]:
        return {
            "event_name": self.event.name,
            "event": self.event.payload,
            "ref": self.event.ref,
            "sha": self.sha,
            "actor": self.event.actor,
            "repository": REPOSITORY,
            "run_id": self.repo.runs,
            "run_attempt": 1,
            "token": token,
        }


class _Member:
    """One job on a machine of its own."""

    def __init__(
        self, flow: _Workflow, job: Mapping[str, Any], made: Job, contexts: Mapping[str, Any], given: Environment
    ) -> None:
        self.flow, self.repo, self.job, self.made = flow, flow.repo, job, made
        self.home = flow.home / re.sub(r"\W+", "-", made.name)
        self.temp, self.workspace = self.home / "temp", self.home / "workspace"
        for path in (self.temp, self.workspace):
            path.mkdir(parents=True)
        self.steps: dict[str, Any] = {}
        self.contexts = {
            **contexts,
            "github": flow.github(self.repo.token),
            "secrets": given.secrets,
            "vars": {**self.repo.variables, **given.variables},
            "runner": {"temp": str(self.temp)},
            "steps": self.steps,
            "status": self.status,
        }

    def status(self, name: str) -> bool:
        return name == "always" or self.made.result == {"cancelled": "cancelled", "success": "success"}.get(
            name, "failure"
        )

    def go(self) -> None:
        for number, step in enumerate(self.job["steps"]):
            if not holds(step.get("if"), self.contexts):
                continue
            try:
                outputs = self.action(step) if "uses" in step else self.script(step, number)
            except StepError as error:
                self.made.log += f"{error}\n"
                outputs = {}
                if not step.get("continue-on-error"):
                    self.made.result = "failure"
            self.steps[step.get("id", f"_{number}")] = {"outputs": outputs}
            self.repo.watch(self.made)
        self.made.outputs = filled(self.job.get("outputs", {}), self.contexts)

    def script(self, step: Mapping[str, Any], number: int) -> dict[str, str]:
        """Run what GitHub runs: the text with its expressions filled in, by `bash -e`."""
        file, output, summary = (self.home / f"{number}.{kind}" for kind in ("sh", "output", "summary"))
        file.write_text(words(filled(step["run"], self.contexts)))
        output.touch()
        summary.touch()
        process = subprocess.Popen(
            ["bash", "-e", str(file)],
            cwd=self.workspace,
            env={
                **self.environment(),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **{name: words(value) for name, value in filled(step.get("env", {}), self.contexts).items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        cancelled = self.repo.cancel(self.temp, process)
        if cancelled:  # what the runner does first: it interrupts the step's process, and that one alone
            process.send_signal(signal.SIGINT)
        self.made.log += process.communicate()[0]
        self.made.summary += summary.read_text()
        if cancelled:
            self.made.result = "cancelled"
            return {}
        if process.returncode:
            raise StepError(f"Process completed with exit code {process.returncode}.")
        return _outputs(output.read_text())

    def environment(self) -> dict[str, str]:
        signed_in = {}
        if self.made.permissions.get("id-token") == "write":
            where = f"environment:{self.made.environment}" if self.made.environment else f"ref:{self.flow.event.ref}"
            signed_in = dict(self.repo.identity(f"repo:{REPOSITORY}:{where}"))
        return {
            **self.repo.machine,
            "PATH": f"{_tools(self.home)}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.repo.url,
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.repo.runs),
            "GITHUB_SHA": self.flow.sha,
            "RUNNER_TEMP": str(self.temp),
            **signed_in,
        }

    def action(self, step: Mapping[str, Any]) -> dict[str, str]:
        name, _, pin = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", pin), f"{name} is not pinned"
        given = {key: words(value) for key, value in filled(step.get("with", {}), self.contexts).items()}
        known: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
            "actions/checkout": self.checkout,
            "actions/create-github-app-token": self.app_token,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
        }
        if name in self.repo.unsupported:
            raise StepError(f"{name} is not supported on this server")
        return known[name](given)

    def checkout(self, given: dict[str, str]) -> dict[str, str]:
        depth = int(given.get("fetch-depth", "1"))
        event, where = self.flow.event, self.workspace
        local = event.ref.replace("refs/heads/", "refs/remotes/origin/").replace("refs/pull/", "refs/remotes/pull/")
        git(where, "init", "-q", ".")
        git(where, "remote", "add", "origin", f"file://{self.repo.remote}")
        if not depth:
            git(where, "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
        git(where, "fetch", "-q", *([f"--depth={depth}"] if depth else []), "origin", f"+{self.flow.sha}:{local}")
        branch = event.ref.removeprefix("refs/heads/")
        git(where, "checkout", "-q", *(["-B", branch, local] if branch != event.ref else ["--detach", local]))
        pushes = self.made.permissions.get("contents") == "write" or "token" in given
        if given["persist-credentials"] == "false":
            git(where, "remote", "set-url", "origin", "file:///without/credentials")
        elif not pushes:
            git(where, "remote", "set-url", "--push", "origin", "file:///without/contents/write")
        return {}

    def app_token(self, given: dict[str, str]) -> dict[str, str]:
        if not given["app-id"] or not given["private-key"]:
            raise StepError("Input required and not supplied: app-id, private-key")
        # The API is asked with the app's token: what that may do counts for the job from here on.
        asked = {
            key.removeprefix("permission-"): level for key, level in given.items() if key.startswith("permission-")
        }
        self.made.permissions = {**self.made.permissions, **asked}
        return {"token": self.repo.token}

    def upload(self, given: dict[str, str]) -> dict[str, str]:
        assert given["if-no-files-found"] == "ignore"
        source, target = Path(given["path"]), self.flow.made.artifacts / given["name"]
        assert not target.exists(), f"two artifacts are called {given['name']}"
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            target.mkdir()
            shutil.copy(source, target)
        return {}

    def download(self, given: dict[str, str]) -> dict[str, str]:
        for found in self.flow.made.artifacts.glob(given["pattern"]):
            shutil.copytree(found, Path(given["path"]) / found.name)
        return {}


class StepError(Exception):
    """A step failed."""


def _listed(needs: Any) -> list[str]:
    return [needs] if isinstance(needs, str) else list(needs or ())


def _outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file: name=value, or name<<delimiter, lines, delimiter."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.split(r"(<<|=)", line, maxsplit=1)
        found[name] = "\n".join(itertools.takewhile(rest.__ne__, lines)) if sign == "<<" else rest
    return found


def _tools(home: Path) -> Path:
    """A python3 that makes what `python3 -m venv` makes, with this checkout in place of what pip would fetch."""
    tools = home / "tools"
    if not tools.exists():
        tools.mkdir()
        made = tools / "python3"
        made.write_text(
            f"""#!/bin/bash
[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" || exit 9
printf '#!/bin/bash\\n[ "$*" = "install --quiet {PACKAGE}" ] || exit 9\\n' > "$3/bin/pip"
printf '#!/bin/bash\\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m reconciler "$@"\\n' > "$3/bin/reconcile"
chmod +x "$3/bin/"*
"""
        )
        made.chmod(0o755)
    return tools


def machine(**extra: str) -> dict[str, str]:
    """What a runner's own environment has of this machine's: the language, and nothing that signs anybody in."""
    return {k: v for k, v in os.environ.items() if k in ("LANG", "LC_ALL", "TZ")} | extra
