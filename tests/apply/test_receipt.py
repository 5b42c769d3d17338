"""What a receipt tells an import afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.apply.receipt import Written, written_since

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MADE = {"change": "create:g", "result": "done", "detail": "", "sid": "S-1", "guid": "a"}


def told(since: datetime = NOON, imported: int = 7, **fields: Any) -> list[Written]:
    document = {
        "ended": "2026-05-01T12:00:00Z",
        "serial": 6,
        "directory": ".",
        "domain": {"sid": "D"},
        "tenant": "t",
        "outcomes": [MADE],
    }
    return written_since(json.dumps({**document, **fields}), since, imported, ".", "D", "t")


def test_it_tells_of_every_success_with_its_account() -> None:
    failed = {**MADE, "change": "create:h", "result": "failed"}
    nobodys = {**MADE, "change": "create:i", "sid": None}
    again = {**MADE, "change": "enable:g", "result": "already"}
    assert told(outcomes=[MADE, failed, nobodys, again]) == [
        Written(NOON, 6, "create", "g", "S-1", "a"),
        Written(NOON, 6, "enable", "g", "S-1", "a"),
    ]


def test_it_is_of_old_when_it_ended_before_the_import_and_its_plan_is_of_an_earlier_one() -> None:
    later = NOON.replace(hour=13)
    assert told(since=later) == []
    assert len(told(since=later, imported=6)) == 1, "clocks differ: what was planned from an import came after it"


@pytest.mark.parametrize(
    "fields", [{"directory": "b"}, {"domain": {"sid": "E"}}, {"tenant": "u"}], ids=["directory", "domain", "tenant"]
)
def test_another_installations_receipt_tells_nothing(fields: dict[str, Any]) -> None:
    assert told(**fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"ended": 7},
        {"ended": "2026-05-01T12:00:00"},
        {"serial": "x"},
        {"domain": []},
        {"outcomes": [7]},
        {"outcomes": None},
    ],
)
def test_one_that_makes_no_sense_tells_nothing(fields: dict[str, Any]) -> None:
    assert told(**fields) == []


def test_one_of_before_accounts_were_recorded_tells_nothing() -> None:
    assert told(outcomes=[{"change": "create:g", "result": "done", "detail": ""}]) == []
