"""An installation whose clock a test turns; the commands run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from tests.support.operations import Operations

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@dataclass
class Diary:
    """One installation and what time it is there."""

    ops: Operations
    capsys: pytest.CaptureFixture[str]
    now: datetime = field(default=NOON)

    def reconcile(self, *arguments: str, expect: int = 0) -> tuple[str, str]:
        """Run a command; return what it printed and what it said."""
        self.capsys.readouterr()
        ports = Ports(clock=lambda: self.now)
        code = main(["-C", str(self.ops.directory), *arguments], ports=ports, env=self.ops.env)
        said = self.capsys.readouterr()
        assert code == expect, said.err
        return said.out, said.err

    def proposed(self, expect: int = 0) -> dict[str, Any]:
        """Import, propose and merge; return the plan."""
        self.reconcile("snapshot")
        self.reconcile("propose", expect=expect)
        self.ops.merge()
        plan: dict[str, Any] = json.loads((self.ops.directory / "state/plan.json").read_bytes())
        return plan

    def applied(self, *options: str) -> dict[str, int]:
        counts: dict[str, int] = json.loads(self.reconcile("apply", "--yes", "--json", *options)[0])["counts"]
        return counts

    def planned(self, expect: int = 0) -> dict[str, Any]:
        """Import and plan, and put `state/` back as it was committed; return the plan."""
        self.reconcile("snapshot")
        plan: dict[str, Any] = json.loads(self.reconcile("plan", "--json", expect=expect)[0])
        return plan
