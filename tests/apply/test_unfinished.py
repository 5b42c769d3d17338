"""What a journal tells of a day whose receipt is missing."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

from reconciler.apply.unfinished import journals, written_unrecorded

DAY = date(2026, 3, 1)
SID = "S-1-5-21-1-2-3"
OPEN = {"kind": "open", "digest": "a", "at": "2026-03-01T07:00:00Z", "as_of": "2026-03-01T06:00:00Z", "domain": SID}


def written(
    folder: Path, *lines: object, recorded: tuple[str, ...] = (), planned: tuple[str, ...] = ()
) -> dict[str, int]:
    path = folder / "a.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    found = written_unrecorded([path], DAY, SID, recorded, planned)
    return {action.value: count for action, count in found.items()}


def intent(key: str) -> dict[str, str]:
    return {"kind": "intent", "change": key, "step": "modify"}


def outcome(key: str, result: str) -> dict[str, str]:
    return {"kind": "outcome", "change": key, "result": result}


def test_what_was_done_and_what_may_have_been_done_count_once_each(tmp_path: Path) -> None:
    done = [intent("disable:1"), outcome("disable:1", "done"), outcome("disable:1", "already"), intent("disable:1")]
    untouched = [intent("move:2"), outcome("move:2", "stale"), outcome("update:3", "already")]

    assert written(tmp_path, OPEN, *done, *untouched, intent("delete:4")) == {"disable": 1, "delete": 1}


def test_what_this_plan_holds_again_is_counted_there_unless_it_is_known_to_be_done(tmp_path: Path) -> None:
    lines = [OPEN, intent("create:1"), intent("create:2"), outcome("create:2", "done")]

    assert written(tmp_path, *lines, planned=("create:1", "create:2")) == {"create": 1}


def test_another_day_another_domain_and_what_has_a_receipt_do_not_count(tmp_path: Path) -> None:
    one = [intent("delete:1"), outcome("delete:1", "done")]

    assert written(tmp_path, {**OPEN, "as_of": "2026-02-28T23:59:59Z"}, *one) == {}
    assert written(tmp_path, {**OPEN, "domain": "S-1-5-21-9-9-9"}, *one) == {}
    assert written(tmp_path, OPEN, *one, recorded=("a",)) == {}
    assert written(tmp_path, OPEN, *one, {**OPEN, "digest": "b"}, *one, recorded=("a",)) == {"delete": 1}


def test_a_journal_of_an_earlier_release_counts_by_when_it_was_written(tmp_path: Path) -> None:
    older = {"kind": "open", "digest": "a", "at": "2026-03-01T07:00:00Z"}

    assert written(tmp_path, older, outcome("delete:1", "done")) == {"delete": 1}


def test_what_is_no_journal_tells_nothing(tmp_path: Path) -> None:
    assert written(tmp_path, "[" * 100_000, "7", "\0\0", OPEN, outcome("fly:1", "done"), '{"kind": "outcome"}') == {}
    assert written_unrecorded([tmp_path / "gone", tmp_path], DAY, SID, (), ()) == {}


def test_only_files_that_may_tell_of_the_day_are_read(tmp_path: Path) -> None:
    for name, at in (("old", datetime(2026, 2, 28, 23, tzinfo=UTC)), ("new", datetime(2026, 3, 1, 1, tzinfo=UTC))):
        (tmp_path / f"{name}.jsonl").touch()
        os.utime(tmp_path / f"{name}.jsonl", (at.timestamp(), at.timestamp()))
    given = tmp_path / "kept" / "given"
    given.parent.mkdir()
    given.touch()

    assert {p.name for p in journals(tmp_path, given, DAY, ())} == {"new.jsonl", "given"}
    assert [p.name for p in journals(tmp_path, given, DAY, ("new", "given"))] == ["given"]
    assert journals(tmp_path, tmp_path / "new.jsonl", DAY, ("new",)) == []
    assert journals(tmp_path / "nowhere", tmp_path / "gone", DAY, ()) == []
