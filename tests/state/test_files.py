"""Many files at a time, durable before the first takes its place."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.state.files import Files


class Slow(Executor):
    """Does nothing before it is waited for, as if the disk were never done. `most` is how many waited at a time."""

    def __init__(self) -> None:
        self.waiting = self.most = 0

    def submit(self, act: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        slow = self
        slow.waiting += 1
        slow.most = max(slow.most, slow.waiting)

        class Late(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                if not self.done():
                    slow.waiting -= 1
                    self.set_result(act(*given, **named))
                return super().result(timeout)

        return Late()


def test_few_files_are_open_however_slow_the_disk_and_many_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # four hundred one by one take long on a busy disk
    pool = Slow()
    files = [(f"state/guests/{n >> 4:02x}/{n:03x}.yaml", b"%d\n" % n) for n in range(400)]
    Files(tmp_path).replace_all(files, pool)
    assert 32 < pool.most <= 128, "enough for the disk to have something to do, and less than the least limit there is"
    assert pool.waiting == 0
    assert [(tmp_path / path).read_bytes() for path, _ in files] == [data for _, data in files]
    assert len(Files(tmp_path).below("state")) == len(files)


def test_every_folder_is_made_durable_and_a_failure_in_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [f"state/guests/{n:02x}" for n in range(40)]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    settled: list[int] = []
    with monkeypatch.context() as noting, ThreadPoolExecutor(8) as pool:
        noting.setattr(os, "fsync", lambda descriptor: settled.append(os.fstat(descriptor).st_ino))
        Files(tmp_path).settle_all({*folders, "state/gone"}, pool)
    assert sorted(settled) == sorted((tmp_path / folder).stat().st_ino for folder in folders)

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == settled[0]:
            raise OSError(errno.EIO, "cannot")

    with monkeypatch.context() as failing, ThreadPoolExecutor(8) as pool:
        failing.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="cannot"):
            Files(tmp_path).settle_all(folders, pool)
