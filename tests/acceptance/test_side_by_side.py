"""The side-by-side measurement runs, and everybody in it does the whole work."""

from __future__ import annotations

from pathlib import Path

from tests.bench.compare import measure
from tests.docs.charts import chart


def test_given_the_same_guests_when_measured_then_everybody_did_the_same_work(tmp_path: Path) -> None:
    rows = measure(12, tmp_path)
    done = [(r.what, r.who) for r in rows]
    assert done == [
        ("first run", "sample script"),
        ("read", "ldapsearch"),
        ("read", "reconcile"),
        ("read", "stock ldap3"),
        ("nothing changed", "sample script"),
        ("first run", "reconcile"),
        ("nothing changed", "reconcile"),
        ("1 % changed", "reconcile"),
    ]
    assert {r.count for r in rows} == {12}
    drawn = chart(rows)
    assert all(who.replace(" ", "&#160;") in drawn for _, who in done)
