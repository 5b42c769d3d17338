"""Stopped while the state is being written: what was committed stays, what is half-written says so, and the next run mends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.init import Answers, scaffold
from reconciler.git.repository import Repository
from reconciler.state.manifest import read_manifest
from reconciler.state.paths import MANIFEST
from reconciler.state.store import load_state
from tests.bench.snapshot import settings_text
from tests.bench.tenant import CLIENT, TENANT, running
from tests.support.operations import ROOT, git

USERS = 4000


class Place:
    """An operations directory of a tenant that is large enough for writing to take a while."""

    def __init__(self, root: Path, env: dict[str, str]) -> None:
        self.root, self.env = root, env

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "reconciler", "-C", str(self.root), "snapshot", "--only", "graph", *options]
        return subprocess.Popen(
            command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def snapshot(self, *options: str) -> dict[str, object]:
        done = self.start("--json", *options)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, err
        found: dict[str, object] = json.loads(out)
        return found

    def commit(self) -> None:
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "state")

    def shards(self) -> dict[str, bytes]:
        files = (self.root / "state/guests").rglob("*.yaml")
        return {file.relative_to(self.root).as_posix(): file.read_bytes() for file in files}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running(USERS, tmp_path) as tenant:
        root = tmp_path / "identity"
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        scaffold(root, Answers(tenant=TENANT, client_id=CLIENT, forge="git"))
        (root / "reconcile.yaml").write_text(settings_text(tenant))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RECONCILE_", "GIT_"))}
        yield Place(root, {**kept, "HOME": str(tmp_path), "RECONCILE_ENTRA_SECRET": tenant.secret})


def test_ctrl_c_while_shards_are_written_leaves_the_last_good_state_and_the_next_run_works(place: Place) -> None:
    place.snapshot()
    place.commit()
    before, link = place.shards(), manifest(place)
    policy = place.root / "policies/guests.yaml"
    policy.write_text(policy.read_text().replace("  sn: guest.surname\n", ""))  # so every shard will be another

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    try:
        writing = place.start()
        deadline = time.monotonic() + 60
        first = min(before)
        while (place.root / first).read_bytes() == before[first]:
            assert writing.poll() is None, writing.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        writing.send_signal(signal.SIGINT)
        _, err = writing.communicate(timeout=60)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert writing.returncode == 128 + signal.SIGINT, err
    assert "Interrupted" in err

    cut = place.shards()
    assert manifest(place) == link  # the last import's cursors, so that nothing that was to be read is passed over
    assert 0 < sum(cut[path] != data for path, data in before.items()) < len(before)
    assert list((place.root / ".git/reconcile").glob("tmp*")) == []
    refused = subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(place.root), "plan"],
        env=place.env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "interrupted while it was being written" in refused.stderr
    git(place.root, "stash", "-q")
    assert place.shards() == before
    git(place.root, "stash", "pop", "-q")

    place.snapshot()
    after = place.shards()
    assert after.keys() == before.keys()
    assert not any(b"surname" in data for data in after.values())
    assert len(load_state(Repository.open(place.root).work_tree()).guests) == USERS
    assert not list(place.root.rglob(".*.tmp"))
    assert place.snapshot("--full")["changed"] == [MANIFEST]


def manifest(place: Place) -> tuple[int, str]:
    """The serial and the delta link that the next import goes on from."""
    found = read_manifest((place.root / MANIFEST).read_bytes()).manifest
    assert found.graph is not None
    return found.serial, found.graph.delta_link
