"""What a person is asked for on a terminal: a name is shown while it is typed, a password is not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.support.operations import ROOT

_ASKS = """
from pathlib import Path
from reconciler.cli.context import Context, Ports
ask = Context(Path("."), {}, Ports()).ask
print(f"<{ask('Who? ', secret=%s)}>")
"""


@pytest.mark.parametrize(("secret", "shown"), [(False, 2), (True, 1)])
def test_only_what_is_secret_is_not_shown_while_it_is_typed(secret: bool, shown: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _ASKS % secret]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        said = _read(ours, b"Who? ")
        os.write(ours, b"eva\n")
        said += _read(ours, b">")
        assert process.wait() == 0
    os.close(ours)
    assert said.count(b"eva") == shown
    assert b"<eva>" in said


def _read(terminal: int, to: bytes) -> bytes:
    said = b""
    while to not in said:
        said += os.read(terminal, 1000)
    return said
