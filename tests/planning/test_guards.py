"""Guards: counted absolutely and in percent, day by day, and passed only by exact, unexpired counts."""

from __future__ import annotations

from datetime import date

from reconciler.model.plan import Action
from reconciler.planning.guards import guards

from .builder import DEFAULT, DISABLED, account, guest, plan, policy

ACKNOWLEDGE = "\nacknowledge:\n  - {counts: {disable: 3}, reason: contract ended, until: '2026-03-01'}\nguards:"


def leavers(gone: int, of: int, by: object = None, **more: object) -> object:
    guests = [guest(n, "changed" if n < gone else None) for n in range(of)]
    return plan(guests, [account(guest(n), 1100 + n) for n in range(of)], by, **more)  # type: ignore[arg-type]


def refused(made: object) -> dict[Action, tuple[int, int]]:
    return {g.action: (g.count, g.limit) for g in made.refused}  # type: ignore[attr-defined]


def test_a_percent_is_of_the_managed_accounts_and_rounded_up() -> None:
    assert refused(leavers(1, 10)) == {}
    assert refused(leavers(2, 10)) == {Action.DISABLE: (2, 1), Action.MOVE: (2, 1)}
    assert refused(leavers(2, 40)) == {}


def test_the_smaller_of_the_two_limits_counts() -> None:
    by = policy(
        **{
            "disable: {max: 50, percent: 5}": "disable: {max: 1, percent: 90}",
            "move: {percent: 10}": "move: {percent: 90}",
        }
    )
    assert refused(leavers(2, 10, by)) == {Action.DISABLE: (2, 1)}


def test_percent_is_not_applied_while_nothing_is_managed() -> None:
    by = policy(**{"create: {max: 5000}": "create: {max: 5000, percent: 1}"})
    assert refused(plan([guest(n) for n in range(9)], [], by)) == {}


def test_a_refusal_says_count_limit_and_remedy() -> None:
    made = leavers(3, 10)
    (message,) = [g.message for g in made.refused if g.action is Action.DISABLE]  # type: ignore[attr-defined]
    for words in (
        "3 planned",
        "at most 1",
        "5 % of 10",
        "policies/guests.yaml:",
        "acknowledge: [{counts: {disable: 3, move: 3}",
    ):
        assert words in message


def test_exact_unexpired_counts_are_let_past_and_shown() -> None:
    by = policy(**{"\nguards:": ACKNOWLEDGE, "move: {percent: 10}": "move: {percent: 90}"})
    made = leavers(3, 10, by)
    assert refused(made) == {}
    assert [g.action for g in made.guards if g.acknowledged] == [Action.DISABLE]  # type: ignore[attr-defined]
    (message,) = [g.message for g in made.guards if g.acknowledged]  # type: ignore[attr-defined]
    line = DEFAULT[: DEFAULT.index("guards:")].count("\n") + 2
    assert f"exactly that many, on each day up to 2026-03-01 (policies/guests.yaml:{line})" in message
    assert refused(leavers(4, 10, by)) == {Action.DISABLE: (4, 1)}
    assert refused(leavers(3, 10, by, as_of="2026-03-02T00:00:00Z")) == {Action.DISABLE: (3, 1)}


def test_one_block_lets_everything_past_that_is_refused() -> None:
    made = leavers(3, 10)
    assert set(refused(made)) == {Action.DISABLE, Action.MOVE}
    (block,) = {g.message.split("`")[1] for g in made.refused}  # type: ignore[attr-defined]
    assert block == "acknowledge: [{counts: {disable: 3, move: 3}, reason: …, until: <date>}]"
    by = policy(**{"\nguards:": f"\n{block.replace('<date>', '2026-03-01')}\nguards:"})
    assert refused(leavers(3, 10, by)) == {}

    def after(words: object) -> list[str]:
        found = guards(made.changes, made.managed, words, date(2026, 3, 1), {Action.DISABLE: 3})  # type: ignore[attr-defined, arg-type]
        return [g.message for g in found if g.refused]

    (block,) = {message.split("`")[1] for message in after(policy())}  # as many once more: the day's sum, of each
    assert block == "acknowledge: [{counts: {disable: 6, move: 3}, reason: …, until: <date>}]"
    assert after(policy(**{"\nguards:": f"\n{block.replace('<date>', '2026-03-01')}\nguards:"})) == []


def test_what_was_applied_the_same_day_counts_together() -> None:
    made = leavers(1, 40)
    found = guards(made.changes, made.managed, policy(), date(2026, 3, 1), {Action.DISABLE: 2})  # type: ignore[attr-defined]
    assert {g.action: g.count for g in found if g.refused} == {Action.DISABLE: 3}
    assert "1 planned, 2 already applied today, at most 2" in next(g.message for g in found if g.refused)


def test_a_disabled_account_is_not_counted_again() -> None:
    guests = [guest(n, "changed") for n in range(3)]
    made = plan(guests, [account(g, 1100 + n, uac=DISABLED) for n, g in enumerate(guests)])
    assert made.count(Action.DISABLE) == 0


def test_an_acknowledgement_lets_as_many_past_once_a_day() -> None:
    by = policy(**{"\nguards:": ACKNOWLEDGE, "move: {percent: 10}": "move: {percent: 90}"})
    made = leavers(3, 10, by)
    today = date(2026, 3, 1)

    def refused_after(earlier: int, counts: str = "disable: 3") -> list[tuple[int, str]]:
        words = policy(**{"\nguards:": ACKNOWLEDGE.replace("disable: 3", counts)})
        found = guards(made.changes, made.managed, words, today, {Action.DISABLE: earlier})  # type: ignore[attr-defined]
        return [(g.count, g.message) for g in found if g.refused and g.action is Action.DISABLE]

    assert refused_after(1) == []  # one a day is within the limit, and these three were acknowledged
    ((count, message),) = refused_after(3)  # those three were acknowledged as well, by the same words
    assert count == 6
    assert "acknowledge: [{counts: {disable: 6, move: 3}" in message
    assert refused_after(3, "disable: 6") == []
