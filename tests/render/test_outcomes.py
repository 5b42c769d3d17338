from __future__ import annotations

import pytest
from hypothesis import given, settings

from reconciler.errors import ReconcileError, StateError
from reconciler.model.plan import Action
from reconciler.render.failure import error, plain_error
from reconciler.render.outcomes import Outcome, OutcomeRow, outcomes

from .builder import guest_id
from .consoles import log_console, printed
from .nasty import anything


def row(
    outcome: Outcome, n: int = 1, action: Action = Action.UPDATE, label: str = "Alice", detail: str = ""
) -> OutcomeRow:
    return OutcomeRow(f"{action}:{guest_id(n)}", action, label, guest_id(n), outcome, detail)


def shown(*rows: OutcomeRow, width: int = 80) -> list[str]:
    console = log_console(width)
    outcomes(rows, console)
    return printed(console).splitlines()


def test_the_counts_come_first() -> None:
    assert shown(row("failed"), row("done"), row("done"), row("stale"))[0] == "Applied: 2 done, 1 stale, 1 failed."


def test_failures_are_listed_before_successes_and_with_their_detail() -> None:
    page = "\n".join(
        shown(row("done", 1), row("failed", 2, Action.DELETE, "Bob", "LDAP 50: not permitted\nAsk for rights."))
    )

    assert page.index("not permitted") < page.index("Ask for rights.") < page.index(guest_id(1))
    assert f'  delete    "Bob"  {guest_id(2)}\n            LDAP 50: not permitted\n            Ask for rights.' in page


def test_many_successes_are_counted_by_action() -> None:
    rows = [*(row("done", n, Action.CREATE) for n in range(30)), *(row("done", n) for n in range(5))]

    assert shown(*rows)[-1] == "✓ done: 30 to create, 5 to update"


@pytest.mark.parametrize("outcome", ["failed", "stale", "skipped", "pending"])
def test_what_did_not_succeed_is_listed_however_much_it_is(outcome: Outcome) -> None:
    page = "\n".join(shown(*(row(outcome, n) for n in range(200))))

    assert all(guest_id(n) in page for n in range(200))


def test_an_empty_apply_says_so() -> None:
    assert shown() == ["Nothing was to be applied."]


@settings(deadline=None, max_examples=100)
@given(anything)
def test_labels_add_no_line_and_no_control(text: str) -> None:
    page = shown(row("failed", label=text, detail="why"), width=1000)

    assert len(page) == 5
    assert all(c.isprintable() or c == "\u3000" for line in page for c in line)


def test_an_error_says_what_happened_and_the_remedy() -> None:
    console = log_console()
    error(StateError("state/guests/7c/7c9.yaml:14: not a string: \x1b[31m", "Restore it from git."), console)

    assert printed(console).splitlines() == [
        r"error: state/guests/7c/7c9.yaml:14: not a string: \u{1b}[31m",
        "       Restore it from git.",
    ]


def test_an_error_in_a_log_holds_no_command() -> None:
    assert plain_error(ReconcileError("first\n::error::x", "##[x]")) == [
        "error: first",
        r"       \u{3a}\u{3a}error:\u{3a}x",
        r"       \u{23}\u{23}[x]",
    ]
