"""The report on accounts made by others: what people see, what machines read, and nothing that a guest's text could do to either."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from hypothesis import given, settings

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Delta, Plan, Rule
from reconciler.planning.adoption import Adoption, Dispute, Orphan, Pair
from reconciler.planning.makers import Maker
from reconciler.planning.rivals import Person, Rival
from reconciler.render.adoption import adoption
from reconciler.render.adoption_json import document

from . import builder
from .consoles import log_console, printed
from .golden import same_as_golden
from .hostile import everywhere
from .nasty import NASTY, anything

JOIN = Rule("join[1]", builder.FILE, 8)
ANCHOR = Rule("flows.adminDescription", builder.FILE, 27)
NAME = Rule("flows.displayName", builder.FILE, 21)


def account(n: int, cn: str = "") -> Account:
    dn = DN(builder.GUESTS).child("CN", cn or builder.guest_id(n))
    return Account(f"S-1-5-21-1-2-3-{1000 + n}", f"00000000-0000-0000-0000-{n:012d}", dn, {})


def pair(n: int, label: str, before: str | None = None) -> Pair:
    held, person = account(n), Person(builder.guest_id(n), label)
    mark = Delta("adminDescription", None, f"User_{person.id}", ANCHOR)
    join = Change(Action.JOIN, person.id, label, held.dn, JOIN, "takes over", held.sid, held.guid, deltas=(mark,))
    other = Delta("displayName", before, label, NAME)
    update = Change(Action.UPDATE, person.id, label, held.dn, NAME, "differs", held.sid, held.guid, deltas=(other,))
    return Pair(held, person, Maker.MIM, JOIN, (join, update) if before else (join,))


def mixed() -> Adoption:
    joins = (pair(1, "Alice", "Alice (old)"), pair(2, "Bob"))
    plan = Plan(builder.ORIGIN, tuple(c for p in joins for c in p.changes))
    both = (Person(builder.guest_id(3), "Carol"), Person(builder.guest_id(4), "Dan"))
    shared = account(3)
    dispute = Dispute(
        "ambiguous-join", f"account {shared.sid} matches 2 guests", "Give it an anchor.", JOIN, both, (shared,)
    )
    orphans = (
        Orphan(account(5, "left"), Maker.SAMPLE, None, (Rival(Person(builder.guest_id(1), "Alice"), JOIN),)),
        Orphan(account(6, "ours once"), Maker.UNKNOWN, builder.guest_id(77), ()),
    )
    return Adoption(plan, joins, (), (dispute,), (shared,), orphans, creates=3)


def with_text(text: str) -> Adoption:
    """A report that has one text wherever data can stand."""
    plan = everywhere(text)
    rule, person = Rule(text, text, 1), Person(text, text)
    held = Account(text, text, DN(builder.GUESTS).child("CN", text), {})
    one = Pair(held, person, Maker.MIM, rule, plan.changes)
    dispute = Dispute(text, text, text, rule, (person, person), (held, held))
    orphan = Orphan(held, Maker.MIM, text, (Rival(person, rule),))
    return Adoption(plan, (one,), (one,), (dispute,), (held,), (orphan,), creates=1)


def shown(found: Adoption, width: int = 80) -> str:
    console = log_console(width)
    adoption(found, "adminDescription", console)
    return printed(console)


@pytest.mark.parametrize("width", [80, 140])
def test_golden(width: int) -> None:
    same_as_golden(f"adoption.{width}.txt", shown(mixed(), width))


def test_the_summary_comes_before_the_accounts_and_the_next_step_last() -> None:
    page = shown(mixed())
    order = ["5 accounts", "would be taken over", "By rule", "Alice", "Next"]
    assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)


def test_long_lists_are_cut_and_the_report_says_where_the_rest_is() -> None:
    many = tuple(pair(n, f"Guest {n}") for n in range(100))
    page = shown(Adoption(Plan(builder.ORIGIN, tuple(c for p in many for c in p.changes)), many, (), (), (), (), 0))
    assert "100  would be taken over" in page
    assert '"Guest 19"' in page
    assert '"Guest 20"' not in page
    assert "80 more are not shown here: `reconcile adopt --json` has them all." in " ".join(page.split())


def test_an_empty_report_says_that_nothing_is_to_be_taken_over() -> None:
    page = shown(Adoption(Plan(builder.ORIGIN, ()), (), (), (), (), (), 0))
    assert page.rstrip().endswith("Nothing is to be taken over.")


def test_machines_read_every_account_once_with_what_changes() -> None:
    read = json.loads(json.dumps(document(mixed(), "adminDescription")))
    assert read["summary"] == {
        "accounts": 5,
        "joins": 2,
        "joined": 0,
        "disputed": 1,
        "orphans": 2,
        "conflicts": 1,
        "creates": 3,
        "by_rule": {"join[1]": 2},
        "by_maker": {"mim": 2, "powershell-sample": 1, "unknown": 2},
        "by_attribute": {"adminDescription": 2, "displayName": 1},
    }
    assert read["joins"][0]["attributes"]["displayName"] == {
        "before": "Alice (old)",
        "after": "Alice",
        "rule": {"name": "flows.displayName", "file": builder.FILE, "line": 21},
    }
    assert [o["names"] for o in read["orphans"]] == [None, builder.guest_id(77)]
    assert [[g["label"] for g in c["guests"]] for c in read["conflicts"]] == [["Carol", "Dan"]]


@cache
def _harmless_lines() -> int:
    return shown(with_text("Alice"), 10**6).count("\n")


def _assert_harmless(text: str) -> None:
    page = shown(with_text(text), 10**6)
    assert page.count("\n") == _harmless_lines()
    assert all(c.isprintable() or c in "\n\u3000" for c in page)
    assert not re.search(r"^\s*::|##", page, re.MULTILINE)


@settings(deadline=None, max_examples=60)
@given(anything)
def test_data_wherever_it_stands_adds_no_line_no_control_and_no_log_command(text: str) -> None:
    _assert_harmless(text or "x")


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_the_nasty_list_does_not_either(text: str) -> None:
    _assert_harmless(text)
