"""script/bootstrap, on a checkout in small: quick when nothing changed, and whole whatever happened before."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from .toy import Toy

pytestmark = pytest.mark.xdist_group("packaging")
INSTALLS = "Installing Python packages"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """Return a fresh checkout."""
    return Toy.make(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Return a checkout that has its environment; the tests that share it leave it whole."""
    toy = Toy.make(tmp_path_factory.mktemp("made"))
    done = toy.bootstrap()
    assert done.returncode == 0, done.stderr
    return toy


def works(toy: Toy, version: str = "1.0") -> bool:
    return toy.python("import locked, reconciler; print(locked.version)") == f"{version}\n"


class TestAgain:
    def test_a_fresh_checkout_gets_what_is_locked_and_itself(self, made: Toy) -> None:
        assert works(made)

    def test_nothing_changed_means_nothing_done_and_nothing_fetched(self, made: Toy) -> None:
        before = made.stamp.stat().st_mtime_ns
        done = made.bootstrap(PIP_FIND_LINKS="/nowhere")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert made.stamp.stat().st_mtime_ns == before

    def test_a_changed_project_is_installed_again_and_its_packages_are_not(self, made: Toy) -> None:
        (made.root / "pyproject.toml").write_text((made.root / "pyproject.toml").read_text() + "\n[tool.other]\n")
        before = made.stamp.read_text()
        done = made.bootstrap(PIP_FIND_LINKS="/nowhere")
        assert (done.returncode, done.stderr) == (0, "")
        assert made.stamp.read_text() != before
        assert works(made)

    def test_a_changed_lock_makes_the_environment_anew(self, made: Toy) -> None:
        left = made.root / ".venv/left-over"
        left.touch()
        made.lock("2.0")
        assert made.bootstrap().returncode == 0
        assert works(made, "2.0")
        assert not left.exists()

    def test_an_environment_whose_interpreter_went_away_is_made_anew(self, made: Toy) -> None:
        python = made.root / ".venv/bin/python"
        python.unlink()
        python.symlink_to("/nowhere/python3")
        assert made.bootstrap().returncode == 0
        assert made.python("import reconciler; print(1)") == "1\n"


class TestTrouble:
    def test_killed_in_the_middle_it_begins_anew(self, toy: Toy) -> None:
        process = toy.start()
        deadline = time.monotonic() + 30
        while not (toy.root / ".venv/bin/python").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert toy.stamp.read_text() == ""
        left = toy.root / ".venv/left-over"
        left.touch()
        assert toy.bootstrap().returncode == 0
        assert works(toy)
        assert not left.exists()

    def test_of_two_at_once_one_installs_and_both_are_served(self, toy: Toy) -> None:
        processes = [toy.start(), toy.start()]
        said = [process.communicate()[1] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], said
        assert sum(INSTALLS in text for text in said) == 1
        assert works(toy)

    def test_a_package_that_is_not_what_was_locked_is_refused_every_time(self, toy: Toy) -> None:
        toy.lock("1.0", digest="0" * 64)
        for _ in range(2):
            done = toy.bootstrap()
            assert done.returncode == 1
            assert "DO NOT MATCH THE HASHES" in done.stderr
            assert "start again" in done.stderr
        assert toy.stamp.read_text() == ""

    def test_an_environment_of_somebody_elses_is_left_alone(self, toy: Toy) -> None:
        precious = toy.root / ".venv/precious"
        precious.parent.mkdir()
        precious.write_text("mine")
        done = toy.bootstrap()
        assert done.returncode == 1
        assert "Remove or rename it" in done.stderr
        assert [path.name for path in precious.parent.iterdir()] == ["precious"]


class TestSystemPackages:
    def test_who_may_not_install_is_told_exactly_what_to_run(self, toy: Toy, tmp_path: Path) -> None:
        """Given an unprivileged user on a machine without Samba, when development is prepared, then nothing is made."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name, answer in (("dpkg-query", "exit 1"), ("sudo", "exit 1")):
            (tools / name).write_text(f"#!/bin/sh\n{answer}\n")
            (tools / name).chmod(0o755)
        (toy.root / "script/bootstrap").rename(toy.root / "script/real")
        (toy.root / "script/bootstrap").write_text('#!/bin/sh\nexec unshare --user "$(dirname "$0")/real" "$@"\n')
        (toy.root / "script/bootstrap").chmod(0o755)
        done = toy.bootstrap("dev", PATH=f"{tools}:{toy.env()['PATH']}")
        assert done.returncode == 1
        command = done.stderr.strip().splitlines()[-1].strip()
        assert command.startswith("sudo apt-get update && sudo apt-get install -y --no-install-recommends ")
        assert {"samba-ad-provision", "python3-samba", "krb5-user", "gcc", "libkrb5-dev"} <= set(command.split())
        assert not (toy.root / ".venv").exists()

    def test_a_purpose_it_does_not_know_is_refused(self, toy: Toy) -> None:
        done = toy.bootstrap("prod")
        assert done.returncode == 1
        assert "demo nor dev" in done.stderr
