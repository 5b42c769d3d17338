"""One shell, fed with the commands of a page in their order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .commands import syntax_error
from .pages import ROOT
from .transcript import Step, difference

SECONDS = 240
_MARK = "\x1e"
_END = f'__code=$?; printf \'\\n{_MARK}%s{_MARK}\\n\' "$__code"; (exit "$__code")'
_ENDED = re.compile(f"\n{_MARK}([0-9]+){_MARK}\n")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, and how it ended."""

    code: int
    text: str


def environment(home: Path, **extra: str) -> dict[str, str]:
    """What a newcomer's shell has: a name for git, the program on PATH, 100 columns, and nothing of this machine's."""
    tools = home / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    program = tools / "reconcile"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    program.chmod(0o755)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = A newcomer\n\temail = newcomer@contoso.test\n[init]\n\tdefaultBranch = main\n"
        "[advice]\n\tdetachedHead = false\n[commit]\n\tgpgsign = false\n"
    )
    (home / "tmp").mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not re.match(r"RECONCILE_|GIT_|ACTIONS_|GITHUB_|AZURE_|XDG_", k)}
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(home / "tmp"),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        **extra,
    }


def run(commands: Sequence[str], where: Path, env: Mapping[str, str]) -> list[Printed]:
    """Run commands in one shell; a command that ends the shell ends the list."""
    script = "exec 2>&1\n" + "\n".join(f"{command}\n{_END}" for command in commands) + "\n"
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-c", script],
        cwd=where,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said, _ = shell.communicate(timeout=SECONDS)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.communicate()
    texts_and_codes = _ENDED.split(said)
    return [Printed(int(code), text) for text, code in zip(texts_and_codes[::2], texts_and_codes[1::2], strict=False)]


def failures(steps: Sequence[Step], where: Path, env: Mapping[str, str]) -> list[str]:
    """Run a page's commands; return what is not as the page says, each with its line. Stops at the first command that fails."""
    found = [f"{s.where}: {e}" for s in steps if (e := syntax_error(s.command))]
    if found:
        return found
    printed = run([s.command for s in steps], where, env)
    for step, said in zip(steps, printed, strict=False):
        head = f"{step.where}: $ {step.command}"
        if said.code and not step.may_fail:
            return [*found, f"{head}\nended with exit code {said.code}:\n{said.text}"]
        if step.shown is not None and (differing := difference(step.shown, said.text)):
            found.append(f"{head}\n{differing}")
    if len(printed) < len(steps):
        found.append(f"{steps[len(printed)].where}: the shell ended before this command did")
    return found
