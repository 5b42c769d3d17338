"""What runs wrote that left no receipt: told by their journals on this machine, so that a day's guards count it too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from reconciler.model.plan import Action

_DAY = slice(len("2026-03-01"))


def journals(folder: Path, given: Path, day: date, recorded: Collection[str]) -> list[Path]:
    """Return the journals that may tell of plans of `day`: those in the folder, each named by its digest, and the one given.

    Such a plan is carried out on its as-of day (UTC) at the earliest, so an older file tells of none; nor does one that is
    named by a digest of `recorded`, unless it is the one given: that may hold several.
    """
    start = datetime.combine(day, time.min, UTC).timestamp()
    named = (path for path in folder.glob("*.jsonl") if path.stem not in recorded)
    found = {path.resolve(): path for path in (*named, *([] if _own(given, folder, recorded) else [given]))}
    recent = []
    for path in found.values():
        with suppress(OSError):
            if path.stat().st_mtime >= start:
                recent.append(path)
    return sorted(recent)


def _own(given: Path, folder: Path, recorded: Collection[str]) -> bool:
    """Tell whether a journal is where it is kept by default, and so tells of its own digest alone."""
    return given.parent == folder and given.stem in recorded


def written_unrecorded(
    paths: Iterable[Path], day: date, domain_sid: str, recorded: Collection[str], planned: Collection[str]
) -> Mapping[Action, int]:
    """Return how many changes were written, or may have been, by plans of `day` for a domain, by action.

    `recorded` are the digests that are counted otherwise: those with a receipt, and the plan that is asked about. A change
    that was meant and not seen to end counts, unless it is among `planned`, the keys of that plan's changes: there it is
    counted. What cannot be read tells nothing: a journal is a record, and not security.
    """
    total: Counter[Action] = Counter()
    for path in paths:
        ended: dict[tuple[str, str], str | None] = {}
        digest = ""
        for line in _lines(path):
            match line:
                case {"kind": "open", "digest": str(opened), "at": str(at), **more}:
                    here = more.get("domain", domain_sid) == domain_sid  # an older journal says neither
                    of_day = str(more.get("as_of", at))[_DAY] == day.isoformat()
                    digest = opened if here and of_day and opened not in recorded else ""
                case {"kind": "intent", "change": str(key)} if digest:
                    ended[digest, key] = None
                case {"kind": "outcome", "change": str(key), "result": str(ending)} if digest:
                    if ended.get((digest, key)) != "done":
                        ended[digest, key] = ending
        for (_, key), result in ended.items():
            if result == "done" or (result is None and key not in planned):
                with suppress(ValueError):
                    total[Action(key.partition(":")[0])] += 1
    return total


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError:
        return
    for line in data.split(b"\n"):
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
