"""Stopped in the middle: by a person, by a controller that dies or hangs, by a remote that is gone.

Each time: the last good state stays, the lock is given back where that is possible, one message says how to go on, and going
on finishes the work, with nothing doubled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from reconciler.demo.samba.process import Server
from reconciler.demo.samba.template import samba as samba_binary
from reconciler.errors import DirectoryUnavailableError
from reconciler.model.dn import DN
from tests.support.operations import ROOT, Done, Operations, Running, git, installation
from tests.support.samba import fresh_ou

from .case import Case
from .expected import accounts, wanted

pytestmark = pytest.mark.samba
GUESTS = 16
GO_ON = "The plan is not spent: run the same command again to go on. Journal: "
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)


@pytest.fixture(autouse=True)
def _signals_are_not_ignored() -> Iterator[None]:
    """Started by a shell in the background, we would hand on that Ctrl-C is to be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """A controller that nobody else needs: it may die."""
    with Controller() as controller:
        yield controller
        controller.server.stop()  # it is another one by now


def until(arrived: Callable[[], object], running: Running) -> None:
    """Wait until a running command has got so far."""
    deadline = time.monotonic() + 60
    while not arrived():
        assert running.process.poll() is None, running.process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def merged(ops: Operations) -> None:
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()


def applying(ops: Operations, outcomes: int = 1) -> Running:
    """Return an `apply` that has carried out at least so many changes, and not yet all."""
    running = ops.start("apply", "--yes")
    until(lambda: sum(j.read_bytes().count(b'"outcome"') for j in ops.journals()) >= outcomes, running)
    return running


def stopped(running: Running, number: signal.Signals) -> Done:
    """Stop a command as a terminal or a CI system does; it ends by itself, with the shell's exit code for that."""
    running.process.send_signal(number)
    done = running.finish(128 + number)
    assert "running the same command again goes on from there" in done.err
    return done


def locked(ops: Operations) -> bool:
    return "refs/reconcile/lock" in git(ops.remote, "for-each-ref")


def finished(ops: Operations, samba: Controller, ou: DN) -> None:
    """Run once more, and see that everything is there, once."""
    counts = ops.reconcile("apply", "--yes", "--json").json["counts"]
    assert set(counts) <= {"done", "already"}
    assert sum(counts.values()) == GUESTS
    assert accounts(samba, ou.text) == wanted(ops)
    [receipt] = ops.receipts()
    changes = [outcome["change"] for outcome in receipt["outcomes"]]
    assert len(changes) == len(set(changes)) == GUESTS
    assert not locked(ops)


# --- by a person


@SIGNALS
def test_a_snapshot_that_is_interrupted_leaves_the_last_good_state(case: Case, number: signal.Signals) -> None:
    before = case.footprint()
    case.tenant.forget_requests()
    case.tenant.faults.slow = 30
    running = case.ops.start("snapshot")
    until(lambda: case.tenant.requests, running)
    stopped(running, number)
    assert case.footprint() == before
    case.tenant.faults.slow = 0
    case.ops.reconcile("snapshot")


def test_an_apply_that_is_interrupted_gives_the_lock_back_and_goes_on_later(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(GUESTS)
    merged(ops)
    stopped(applying(ops), signal.SIGINT)
    assert not locked(ops)
    assert not ops.receipts_exist()
    assert 0 < len(accounts(samba, samba_ou.text)) < GUESTS
    finished(ops, samba, samba_ou)


def test_an_apply_that_is_interrupted_before_it_wrote_anything_wrote_nothing(case: Case) -> None:
    before = case.footprint()
    case.tenant.faults.slow = 30
    running = case.ops.start("apply", "--yes")
    until(lambda: locked(case.ops), running)
    stopped(running, signal.SIGINT)
    assert case.footprint() == before


# --- by the controller


def dead(controller: Controller) -> None:
    os.killpg(controller.server.pid, signal.SIGKILL)
    controller.server.stop()


def started_again(controller: Controller) -> None:
    """Start the same controller, at the same address, with what it had on disk."""
    controller.server = Server(samba_binary(), controller.conf)
    deadline = time.monotonic() + 30
    while True:
        try:
            with controller.administrator():
                return
        except DirectoryUnavailableError:
            assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_controller_that_dies_is_named_and_the_rest_is_done_once_it_is_back(
    tmp_path: Path, other: Controller
) -> None:
    ou = fresh_ou(other)
    with installation(tmp_path, other, ou, GUESTS) as ops:
        merged(ops)
        running = applying(ops)
        dead(other)
        case = Case(ops, other, ou.text)
        case.message(running.finish(1), says=[other.url, "lost while", "Check the network", GO_ON])
        assert not locked(ops)
        case.message(ops.reconcile("apply", "--yes", expect=1), says=[other.url, "cannot be reached", GO_ON])
        assert not locked(ops)
        started_again(other)
        finished(ops, other, ou)


def test_a_controller_that_hangs_can_be_given_up_on(tmp_path: Path, other: Controller) -> None:
    ou = fresh_ou(other)
    with installation(tmp_path, other, ou, GUESTS) as ops:
        merged(ops)
        running = applying(ops)
        os.killpg(other.server.pid, signal.SIGSTOP)
        try:
            stopped(running, signal.SIGTERM)
            assert not locked(ops)
        finally:
            os.killpg(other.server.pid, signal.SIGCONT)
        finished(ops, other, ou)


# --- by the remote


def test_a_remote_that_goes_away_is_named_and_the_receipt_follows_once_it_is_back(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(GUESTS)
    merged(ops)
    running = applying(ops)
    away = ops.remote.rename(ops.root / "away.git")
    done = running.finish(1)
    Case(ops, samba, samba_ou.text).message(done, says=[str(ops.remote), GO_ON])
    assert "The lock could not be given back" in done.err
    away.rename(ops.remote)
    assert locked(ops)  # by a process that is over, on this machine, for the same plan
    finished(ops, samba, samba_ou)


def test_a_remote_that_goes_away_before_the_first_change_stops_everything(case: Case) -> None:
    case.tenant.faults.slow = 1
    before = case.footprint()
    running = case.ops.start("apply", "--yes")
    until(lambda: locked(case.ops), running)
    away = case.ops.remote.rename(case.ops.root / "away.git")
    case.message(running.finish(1), says=[str(case.ops.remote), "git"])
    away.rename(case.ops.remote)
    assert case.footprint()["directory"] == before["directory"]


# --- by whoever should read what it prints


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json"), ("validate", "--json")], ids=" ".join)
def test_an_output_that_takes_nothing_more_is_told(case: Case, arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "reconciler", "-C", str(case.directory), *arguments]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            command, env=case.ops.env, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    done = Done(run.returncode, "", run.stderr)
    assert done.code == 1
    case.message(done, says=["standard output cannot be used: No space left on device"])


@pytest.mark.parametrize("style", ["text", "markdown", "html", "json"])
def test_an_output_that_has_no_letters_for_a_name_gets_its_number(case: Case, style: str) -> None:
    case.tenant.update(case.tenant.guests()[2].id, displayName="Zoë Ładna 李")
    case.ops.reconcile("snapshot")
    done = case.ops.reconcile("plan", "--format", style, env={"PYTHONIOENCODING": "ascii"})
    assert done.out.isascii()
    assert "Zo" in done.out
