"""The demonstration: the whole loop in under twenty seconds, with nothing to configure."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.operations import ROOT, environment


@pytest.mark.parametrize("domain", ["memory", pytest.param("samba", marks=pytest.mark.samba)])
def test_the_story_is_told_to_its_end_and_its_three_commands_work(domain: str, tmp_path: Path) -> None:
    env = environment(tmp_path, TMPDIR=str(tmp_path))
    before = _cpu()
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo", "--directory", domain, "--guests", "12"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    took = _cpu() - before
    assert done.returncode == 0, done.stdout + done.stderr
    assert took < (20 if domain == "memory" else 60), f"{took:.1f} s of processor time"
    assert done.stdout.count("No changes. Active Directory matches the policy.") == 2
    for words in ("12 to create", "Lindqvist-Okafor", "soft-deleted in Entra", "Totally Legit Admin"):
        assert words in done.stdout
    commands = re.findall(r"^  ((?:git|\S*/bin/reconcile) .*)$", done.stdout, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        typed = shlex.split(command)
        ran = subprocess.run(typed, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip()


def _cpu() -> float:
    """Seconds that ended child processes of this one took: other work on the machine does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_smallest_tenant_the_story_can_be_told_of(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo", "--guests", "4"],
        cwd=ROOT,
        env=environment(tmp_path, TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_tenant_too_small_for_the_story_is_a_usage_error() -> None:
    command = [sys.executable, "-m", "reconciler", "demo", "--guests", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "at least 4" in done.stderr) == (64, True)
