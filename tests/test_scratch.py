"""A private file leaves nothing behind, and nobody else can read it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.errors import ReconcileError
from reconciler.scratch import Scratch

_HOLDING = """
import sys, time
from pathlib import Path
from reconciler.scratch import Scratch
with Scratch(Path(sys.argv[1])) as scratch:
    scratch.put(b"guest data")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_was_put_there_is_given_back(tmp_path: Path) -> None:
    with Scratch(tmp_path / "made when needed") as scratch:
        places = [scratch.put(data) for data in (b"one", b"", b"three")]
        assert [scratch.get(place) for place in reversed(places)] == [b"three", b"", b"one"]


def test_no_file_is_made_before_something_is_put_there(tmp_path: Path) -> None:
    with Scratch(tmp_path / "folder"):
        assert list(tmp_path.iterdir()) == []


def test_it_has_no_name_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        scratch.put(b"guest data")
        assert list(tmp_path.iterdir()) == []
        assert scratch._file is not None
        assert stat.S_IMODE(os.fstat(scratch._file.fileno()).st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_nothing_is_left_of_a_process_that_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", _HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        process.wait(30)
    deadline = time.monotonic() + 10
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        Scratch(tmp_path / "file") as scratch,
        pytest.raises(ReconcileError, match="file cannot be used") as raised,
    ):
        scratch.put(b"data")
    assert "Nothing was written to state/" in raised.value.remedy


def test_where_the_folder_is_not_ours_to_write_the_systems_own_does() -> None:
    with Scratch(Path("/sys/kernel")) as scratch:
        assert scratch.get(scratch.put(b"guest data")) == b"guest data"
        assert scratch._file is not None
        assert stat.S_IMODE(os.fstat(scratch._file.fileno()).st_mode) == 0o600
