"""Between the checks and the lock hours may pass at the prompt, and another run may end: all is looked at again under the lock."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.errors import GitError
from reconciler.git import lock as locks
from reconciler.git import notes
from reconciler.git.holder import Holder
from reconciler.git.lock import Lock
from reconciler.git.repository import Repository
from tests.incremental.lived import Life
from tests.incremental.test_histories import SETTINGS
from tests.planning.builder import DEFAULT

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)


class Merged:
    """An operations directory with a remote, between a tenant of five guests and a domain in memory."""

    def __init__(self, root: Path) -> None:
        self.life = Life(1, root)
        self.now = NOW
        self.root = root / "operations"
        self.env = {"HOME": str(root), "XDG_STATE_HOME": str(root / "journal")}
        self.git(root, "init", "-q", "--bare", "-b", "main", str(root / "remote.git"))
        self.git(root, "clone", "-q", str(root / "remote.git"), str(self.root))
        self.git(self.root, "checkout", "-q", "-b", "main")
        (self.root / "policies").mkdir()
        (self.root / "policies/guests.yaml").write_text(DEFAULT.replace("create: {max: 5000}", "create: {max: 5}"))
        (self.root / "reconcile.yaml").write_text(SETTINGS)
        self.git(self.root, "add", ".")
        self.git(self.root, "commit", "-q", "-m", "settings and policy")
        self.git(self.root, "push", "-q", "-u", "origin", "main")

    def git(self, where: Path, *arguments: str) -> None:
        who = ("-c", "user.name=Eva", "-c", "user.email=eva@contoso.test")
        subprocess.run(["git", "-C", str(where), *who, *arguments], check=True, capture_output=True)

    def reconcile(self, *arguments: str) -> int:
        ports = Ports(
            source=lambda *_: self.life.tenant,
            reader=lambda *_: self.life.reader(),
            writer=lambda *_: self.life.directory.writer("ldaps://dc1.contoso.test"),
            clock=lambda: self.now,
        )
        return main(["-C", str(self.root), *arguments], ports=ports, env=self.env)

    def merge(self) -> None:
        assert self.reconcile("snapshot") == 0
        assert self.reconcile("propose") == 0
        self.git(self.root, "fetch", "-q", "origin")
        self.git(self.root, "merge", "-q", "origin/reconcile/plan")
        self.git(self.root, "push", "-q", "origin", "main")

    def accounts(self) -> int:
        return len(list(self.life.reader().accounts([self.life.directory.base], ["sAMAccountName"]))) - 1


@pytest.mark.parametrize("meanwhile", [0, 1])
def test_what_another_run_wrote_before_this_one_had_the_lock_counts(
    meanwhile: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = Merged(tmp_path)
    merged.merge()
    acquire = locks.acquire

    def late(repository: Repository, remote: str, holder: Holder, now: datetime) -> Lock:
        if meanwhile:
            sid = merged.life.reader().domain().sid
            receipt = {"as_of": "2026-03-01T06:00:00Z", "domain": {"sid": sid}, "written": {"create": meanwhile}}
            head = repository.head()
            assert head is not None
            notes.add_receipt(repository, remote, head, "0" * 64, json.dumps(receipt))
        return acquire(repository, remote, holder, now)

    monkeypatch.setattr(locks, "acquire", late)
    assert merged.reconcile("apply", "--yes") == (3 if meanwhile else 0)
    assert merged.accounts() == (0 if meanwhile else 5)


def test_a_plan_that_expired_at_the_prompt_is_not_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = Merged(tmp_path)
    merged.merge()
    acquire = locks.acquire

    def late(repository: Repository, remote: str, holder: Holder, now: datetime) -> Lock:
        merged.now = NOW + timedelta(hours=25)
        return acquire(repository, remote, holder, now + timedelta(hours=25))

    monkeypatch.setattr(locks, "acquire", late)
    assert merged.reconcile("apply", "--yes") == 4
    assert merged.accounts() == 0


def _gone(*_: object) -> None:
    raise GitError("the remote is gone", "")


def _cut_off(merged: Merged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry the merged plan out, and lose the remote before its receipt."""

    with monkeypatch.context() as patched:
        patched.setattr(notes, "add_receipt", _gone)
        assert merged.reconcile("apply", "--yes") == 1
    assert merged.accounts() == 5


@pytest.mark.parametrize(("hours", "exits"), [(1, 3), (24, 0)])
def test_what_a_run_wrote_that_left_no_receipt_counts_among_the_same_days(
    hours: int, exits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = Merged(tmp_path)
    merged.merge()
    _cut_off(merged, monkeypatch)
    merged.now = NOW + timedelta(hours=hours)
    merged.life.invite()
    merged.merge()

    assert merged.reconcile("apply", "--yes") == exits
    assert merged.accounts() == (5 if exits else 6)
    assert ("1 planned, 5 already applied today, at most 5 allowed" in capsys.readouterr().err) == bool(exits)


def test_a_plan_that_was_cut_off_is_not_counted_beside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = Merged(tmp_path)
    merged.merge()
    _cut_off(merged, monkeypatch)

    assert merged.reconcile("apply", "--yes") == 0
    merged.now = NOW + timedelta(hours=1)
    merged.life.invite()
    merged.merge()
    assert merged.reconcile("apply", "--yes") == 3  # its receipt counts, and its journal not once more
