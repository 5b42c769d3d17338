"""What is cut and joined from a guest's id is computed without the engine: to the same value, or the engine is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.policy.expressions import Engine
from reconciler.policy.model import EvaluationError

ENGINE = Engine()
RULE = Rule("flows.x", "policies/p.yaml", 1)
BOUNDS = st.integers(0, 40)
PARTS = st.one_of(
    st.just("guest.id"),
    st.text("aÄ_'\\", max_size=5).map(lambda text: '"' + text.replace("\\", "\\\\") + '"'),
    BOUNDS.map(lambda at: f"guest.id.substring({at})"),
    st.tuples(BOUNDS, BOUNDS).map(lambda at: f"guest.id.substring({at[0]}, {at[1]})"),
    st.sampled_from(["guest.id.upperAscii()", 'guest.id.replace("-", "")', "guest.mail"]),
)
IDS = st.one_of(st.uuids().map(str), st.text(max_size=40), st.sampled_from(["x" * 36, "ä" * 36, "X" * 35]))


def said(work: Callable[[], object]) -> object:
    """What comes of it: the value, or the words of the refusal."""
    try:
        return work()
    except EvaluationError as error:
        return str(error)


@given(st.lists(PARTS, min_size=1, max_size=4).map(" + ".join), IDS)
def test_any_expression_gives_what_the_engine_gives(source: str, guest_id: str) -> None:
    expression = ENGINE.compile(source, RULE)
    assume(expression.syntax.copies is None)  # a copy never reaches the engine
    guest = Guest(guest_id, {"mail": "a@b.c"})
    by_engine = said(lambda: ENGINE.evaluate(expression, expression._program, guest))
    assert said(lambda: expression.outcome(guest)) == by_engine


@pytest.mark.parametrize(
    ("source", "quick"),
    [('"User_" + guest.id', True), ("guest.id.substring(0, 20)", True), ("guest.id + guest.mail", False)],
)
def test_the_policys_own_expressions_take_the_short_way(
    source: str, quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expression = ENGINE.compile(source, RULE)
    monkeypatch.setattr(Engine, "evaluate", lambda *_: "the engine's")

    outcome = expression.outcome(Guest(str(uuid.uuid4()), {"mail": "a@b.c"}))

    assert (outcome != "the engine's") is quick
