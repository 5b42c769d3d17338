"""A snapshot that is cut short at any file is mended by the next, whatever the next one finds."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.git.repository import Repository
from reconciler.state.store import load_state
from tests.incremental.lived import Life
from tests.incremental.test_histories import SETTINGS
from tests.planning.builder import DEFAULT, guest
from tests.state.test_store import Interrupted, interrupt_after


class Cut:
    """An operations directory between a tenant and a domain in memory."""

    def __init__(self, root: Path) -> None:
        self.life = Life(1, root)
        self.root = root / "operations"
        (self.root / "policies").mkdir(parents=True)
        (self.root / "policies/guests.yaml").write_text(DEFAULT)
        (self.root / "reconcile.yaml").write_text(SETTINGS)
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def snapshot(self) -> int:
        ports = Ports(
            source=lambda *_: self.life.tenant,
            reader=lambda *_: self.life.reader(),
            clock=lambda: datetime(2026, 3, 1, 6, tzinfo=UTC),
        )
        return main(["-C", str(self.root), "snapshot"], ports=ports, env={"HOME": str(self.root)})

    def guests(self) -> set[str]:
        return set(load_state(Repository.open(self.root).work_tree()).guests)


@pytest.mark.parametrize("replacements", range(5))
def test_an_increment_that_was_cut_short_is_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replacements: int
) -> None:
    cut = Cut(tmp_path)
    assert cut.snapshot() == 0
    users = cut.life.tenant.users
    gone = next(iter(users.values()))
    users |= {new.id: new for new in (guest(0x100001), guest(0x200002), guest(0x300003))}
    users[gone.id] = replace(gone, removed="deleted")
    with monkeypatch.context() as patch:
        interrupt_after(patch, replacements)
        with pytest.raises(Interrupted):
            cut.snapshot()
    assert cut.snapshot() == 0
    assert cut.guests() == {i for i, user in users.items() if user.removed is None}
