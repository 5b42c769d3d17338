"""One `apply` at a time, anywhere."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from reconciler.errors import GitError, LockedError
from reconciler.git.holder import Holder
from reconciler.git.lock import acquire, lock_ref, read, unlock
from reconciler.git.process import Process
from reconciler.git.repository import Repository

from .conftest import Clone, cloned

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
TTL = timedelta(minutes=10)


def holder(digest: str = "d1", run: str = "") -> Holder:
    return Holder.here(digest=digest, run=run, version="1.0", now=NOW)


def ended_process() -> Process:
    """A process of this machine that ran a moment ago and is over."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from reconciler.git.process import Process; print(Process.current())"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    said, _ = child.communicate()
    assert said.startswith(b"Process(")
    return eval(said, {"Process": Process})  # type: ignore[no-any-return]  # noqa: S307  a repr of our own


def test_a_free_lock_is_taken_and_anybody_can_read_whose_it_is(clone: Clone, remote: Path, tmp_path: Path) -> None:
    lock = acquire(clone.open(), "origin", holder(run="https://ci.test/runs/7"), NOW)
    seen = read(cloned(remote, tmp_path / "other").open(), "origin")
    assert seen == lock.holder
    assert seen is not None
    assert (seen.run, seen.digest, seen.since, seen.expires) == ("https://ci.test/runs/7", "d1", NOW, NOW + TTL)
    assert seen.process.pid == os.getpid()


def test_the_lock_commit_has_no_parents_and_no_files(clone: Clone, remote: Path) -> None:
    acquire(clone.open(), "origin", holder(), NOW)
    clone.git("fetch", "-q", "origin", "refs/reconcile/lock")
    assert clone.git("show", "-s", "--format=%P", "FETCH_HEAD") == ""
    assert clone.git("ls-tree", "FETCH_HEAD") == ""
    assert json.loads(clone.git("show", "-s", "--format=%B", "FETCH_HEAD"))["digest"] == "d1"


def test_a_held_lock_is_refused_naming_owner_plan_run_and_expiry(clone: Clone) -> None:
    repo = clone.open()
    acquire(repo, "origin", replace(holder(run="https://ci.test/runs/7"), owner="ada@ws1"), NOW)
    with pytest.raises(LockedError) as refused:
        acquire(repo, "origin", holder("d2"), NOW + timedelta(minutes=1))
    for word in ("ada@ws1", "d1", "https://ci.test/runs/7", "2026-03-01T06:00:00Z", "2026-03-01T06:10:00Z"):
        assert word in refused.value.what
    assert "reconcile unlock" in refused.value.remedy


class Interrupted(Repository):
    """Pushes, and is interrupted before it hears how that went."""

    def push_ref(self, remote: str, ref: str, commit: str | None, expected: str | None) -> bool:
        pushed = super().push_ref(remote, ref, commit, expected)
        if commit is not None:
            raise KeyboardInterrupt
        return pushed


@pytest.mark.parametrize("held", [False, True])
def test_a_push_that_is_interrupted_leaves_no_lock_of_ours(clone: Clone, held: bool) -> None:
    repo = clone.open()
    theirs = acquire(repo, "origin", holder("theirs"), NOW).holder if held else None
    interrupted = Interrupted(repo.root, repo.prefix, repo.git_dir, repo.own_git_dir, repo.bare, repo.git)
    with pytest.raises(KeyboardInterrupt):
        acquire(interrupted, "origin", holder("ours"), NOW)
    assert read(repo, "origin") == theirs


def test_an_expired_lock_is_not_taken_over_silently(clone: Clone) -> None:
    repo = clone.open()
    acquire(repo, "origin", holder(), NOW)
    with pytest.raises(LockedError, match="past") as refused:
        acquire(repo, "origin", holder(), NOW + timedelta(hours=1))
    assert "reconcile unlock" in refused.value.remedy


def test_the_same_process_cannot_take_it_twice_even_in_the_same_moment(clone: Clone) -> None:
    repo = clone.open()
    acquire(repo, "origin", holder(), NOW)
    with pytest.raises(LockedError):
        acquire(repo, "origin", holder(), NOW)


def test_a_released_lock_is_free_again(clone: Clone) -> None:
    repo = clone.open()
    lock = acquire(repo, "origin", holder(), NOW)
    assert lock.release()
    assert read(repo, "origin") is None
    assert not lock.release()
    acquire(repo, "origin", holder("d2"), NOW)


def test_a_dead_owner_of_the_same_plan_on_this_machine_is_succeeded(clone: Clone) -> None:
    repo = clone.open()
    acquire(repo, "origin", replace(holder(), process=ended_process()), NOW)
    lock = acquire(repo, "origin", holder(), NOW + timedelta(minutes=1))
    assert read(repo, "origin") == lock.holder
    assert lock.holder.process == Process.current()


def elsewhere(process: Process) -> Process:
    return replace(process, host="another", machine="another")


def in_another_container(process: Process) -> Process:
    return replace(process, namespace="pid:[1]")


def alive(_process: Process) -> Process:
    return Process.current()


@pytest.mark.parametrize("theirs", [elsewhere, in_another_container, alive])
def test_an_owner_that_may_be_alive_is_not_succeeded(clone: Clone, theirs: Callable[[Process], Process]) -> None:
    repo = clone.open()
    acquire(repo, "origin", replace(holder(), process=theirs(ended_process())), NOW)
    with pytest.raises(LockedError):
        acquire(repo, "origin", holder(), NOW + timedelta(minutes=1))
    with pytest.raises(LockedError):
        unlock(repo, "origin", NOW + timedelta(minutes=1))


def test_a_dead_owner_of_another_plan_is_not_succeeded_but_can_be_unlocked(clone: Clone) -> None:
    repo = clone.open()
    dead = acquire(repo, "origin", replace(holder(), process=ended_process()), NOW).holder
    with pytest.raises(LockedError):
        acquire(repo, "origin", holder("d2"), NOW + timedelta(minutes=1))
    assert unlock(repo, "origin", NOW + timedelta(minutes=1)) == dead
    assert read(repo, "origin") is None


def test_a_machine_that_was_started_again_has_no_process_left_from_before() -> None:
    before = replace(Process.current(), boot="an earlier start")
    assert before.ended()
    assert not replace(before, machine="", host="x").ended()


def test_a_pid_that_was_given_to_another_process_is_not_the_owner() -> None:
    assert not Process.current().ended()
    assert replace(Process.current(), started="1").ended()


def test_a_killed_process_that_nobody_waited_for_is_over() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{child.pid}/stat")
    started = stat.read_text().rpartition(")")[2].split()[19]
    running = replace(Process.current(), pid=child.pid, started=started)
    assert not running.ended()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert running.ended()
    child.communicate()


def test_renewing_moves_the_expiry_and_keeps_since(clone: Clone) -> None:
    repo = clone.open()
    lock = acquire(repo, "origin", holder(), NOW)
    lock.renew(NOW + timedelta(minutes=5))
    seen = read(repo, "origin")
    assert seen is not None
    assert (seen.since, seen.expires) == (NOW, NOW + timedelta(minutes=15))
    lock.renew(NOW + timedelta(minutes=5))
    lock.check(NOW + timedelta(minutes=14))


def test_a_lock_that_expired_by_the_clock_does_not_check_out(clone: Clone) -> None:
    lock = acquire(clone.open(), "origin", holder(), NOW)
    lock.check(NOW + TTL - timedelta(seconds=1))
    with pytest.raises(LockedError, match="expired"):
        lock.check(NOW + TTL)


def test_an_expired_lock_is_broken_by_unlock_and_its_owner_notices(clone: Clone, remote: Path, tmp_path: Path) -> None:
    ours = acquire(clone.open(), "origin", holder(), NOW)
    other = cloned(remote, tmp_path / "other").open()
    with pytest.raises(LockedError):
        unlock(other, "origin", NOW + timedelta(minutes=9))
    assert unlock(other, "origin", NOW + timedelta(minutes=11)) == ours.holder
    acquire(other, "origin", replace(holder("d2"), owner="bob@ws2"), NOW + timedelta(minutes=11))
    with pytest.raises(LockedError, match="bob@ws2"):
        ours.check(NOW + timedelta(minutes=1))
    with pytest.raises(LockedError, match="bob@ws2"):
        ours.renew(NOW + timedelta(minutes=12))
    assert not ours.release()
    assert read(other, "origin") is not None


def test_without_a_lock_there_is_nothing_to_break(clone: Clone) -> None:
    assert unlock(clone.open(), "origin", NOW) is None


def test_operations_directories_have_locks_of_their_own(clone: Clone) -> None:
    for name in ("a", "b"):
        (clone.root / name).mkdir()
    a, b = Repository.open(clone.root / "a"), Repository.open(clone.root / "b")
    for repo in (clone.open(), a, b):
        acquire(repo, "origin", holder(), NOW)
    assert len({lock_ref(clone.open()), lock_ref(a), lock_ref(b)}) == 3


def test_a_bare_repository_is_enough(clone: Clone, remote: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(remote), str(tmp_path / "b.git")], check=True)
    repo = Repository.open(tmp_path / "b.git")
    lock = acquire(repo, "origin", holder(), NOW)
    lock.renew(NOW + timedelta(minutes=1))
    assert lock.release()


@pytest.mark.parametrize(
    "message",
    ["", "hello", "[]", "{}", '{"process": {}}', '{"process": {"pid": true}, "owner": 1}', "{" * 5000, "[" * 100_000],
)
def test_a_forged_lock_record_is_an_error_with_a_remedy(clone: Clone, message: str) -> None:
    (clone.root / "message").write_text(message)
    empty = clone.git("hash-object", "-t", "tree", "-w", "/dev/null")
    forged = clone.git("commit-tree", empty, "-F", "message")
    clone.git("push", "-q", "origin", f"{forged}:refs/reconcile/lock")
    for attempt in (
        lambda: acquire(clone.open(), "origin", holder(), NOW),
        lambda: read(clone.open(), "origin"),
        lambda: unlock(clone.open(), "origin", NOW),
    ):
        with pytest.raises(GitError, match="no lock record") as refused:
            attempt()
        assert "git push origin :refs/reconcile/lock" in refused.value.remedy


def test_a_hostile_owner_cannot_steer_the_terminal_of_whoever_is_refused(clone: Clone) -> None:
    acquire(clone.open(), "origin", replace(holder(), owner="\033[2J\u202eeve"), NOW)
    with pytest.raises(LockedError) as refused:
        acquire(clone.open(), "origin", holder("d2"), NOW)
    assert not {"\033", "\u202e"} & set(str(refused.value))


def test_a_remote_that_declines_the_lock_is_quoted(clone: Clone, remote: Path) -> None:
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'no refs for you' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match="no refs for you"):
        acquire(clone.open(), "origin", holder(), NOW)


def _race(directory: Path, start: Barrier, results: Queue[str]) -> None:
    repo = Repository.open(directory)
    mine = holder()
    start.wait()
    try:
        acquire(repo, "origin", mine, NOW)
    except LockedError as error:
        results.put(f"locked: {error.what}")
    else:
        results.put("won")
        start.wait()  # stay alive until the other one has been told
        return
    start.wait()


@pytest.mark.parametrize("_round", range(3))
def test_of_two_processes_at_the_same_time_exactly_one_wins(
    clone: Clone, remote: Path, tmp_path: Path, _round: int
) -> None:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    directories = [clone.root, cloned(remote, tmp_path / "other").root]
    racers = [context.Process(target=_race, args=(directory, start, results)) for directory in directories]
    for racer in racers:
        racer.start()
    said = sorted(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0, 0]
    assert said[1] == "won"
    assert said[0].startswith("locked: locked by ")


def test_a_persons_configuration_of_git_does_not_change_how_a_lock_is_read(clone: Clone) -> None:
    for name, value in (("diff.orderFile", "/nonexistent"), ("format.pretty", "oneline"), ("color.ui", "always")):
        clone.git("config", name, value)
    lock = acquire(clone.open(), "origin", holder(), NOW)
    assert read(clone.open(), "origin") == lock.holder


def test_a_lock_ref_that_points_to_no_commit_is_an_error_with_a_remedy(clone: Clone) -> None:
    blob = clone.git("hash-object", "-w", "reconcile.yaml")
    clone.git("push", "-q", "origin", f"{blob}:refs/reconcile/lock")
    with pytest.raises(GitError, match="holds no lock record") as refused:
        read(clone.open(), "origin")
    assert "git push origin :refs/reconcile/lock" in refused.value.remedy


def test_a_remote_that_is_pushed_to_elsewhere_is_said_so(clone: Clone, tmp_path: Path) -> None:
    clone.git("init", "-q", "--bare", str(tmp_path / "fork.git"))
    clone.git("config", f"url.{tmp_path}/fork.git.pushInsteadOf", clone.git("remote", "get-url", "origin"))
    lock = acquire(clone.open(), "origin", holder(), NOW)
    with pytest.raises(LockedError, match=r"pushes to origin go to .*fork\.git") as refused:
        lock.check(NOW)
    assert "git remote -v" in refused.value.remedy
