"""Whether the first join can serve as the anchor: the mark by which this program knows whose an account is."""

from __future__ import annotations

from typing import Final

from reconciler.graph.attributes import CATALOGUE
from reconciler.model.guest import Guest

from .absence import SAMPLE_ID
from .draft import Draft
from .expressions import Compiled
from .model import EvaluationError, Flow, Initial, Join

ANCHOR_DIGITS: Final = 16
"""How many of the 32 digits of a guest's id an anchor must show at least: 64 bits."""


def check_anchor(draft: Draft, joins: list[Join], flows: list[Flow], initial: Initial | None) -> None:
    """Note it where the first join cannot mark an account: unwritten, written otherwise, empty, or not the guest's own."""
    anchor = joins[0] if joins and joins[0].expression.rule.name == "join[0]" else None
    if anchor is None or not isinstance(anchor.expression, Compiled):
        return
    name, path = anchor.attribute, ("join", 0, "guest")
    if name.casefold() in ("cn", "useraccountcontrol"):
        draft.problem(
            ("join", 0, "account"),
            f"the anchor (the first join) cannot be `{name}`: use one of the account's own, such as adminDescription",
        )
        return
    _check_written(draft, anchor, [*flows, *(initial.flows if initial else ())])
    if "id" not in anchor.expression.syntax.reads:
        draft.problem(path, "the anchor (the first join) must read guest.id, or two guests could share it", offset=0)
        return
    draft.never_empty(path, anchor.expression, name)
    shown = _digits_shown(anchor.expression)
    if shown < ANCHOR_DIGITS:
        what = f"the anchor (the first join) shows {shown} of the 32 digits of guest.id; {ANCHOR_DIGITS} are needed to tell guests apart"
        draft.problem(path, what, offset=0)


def _check_written(draft: Draft, anchor: Join, flows: list[Flow]) -> None:
    written = next((f for f in flows if f.attribute == anchor.attribute), None)
    named = {str(n).casefold() for block in ("flows", "initial") for n in draft.get(block)}
    if written is None:
        if anchor.attribute.casefold() not in named:
            what = f"nothing writes the anchor `{anchor.attribute}`: put it under `flows`, with this expression"
            draft.problem(("join", 0, "account"), what)
        return
    mine, theirs = anchor.expression, written.expression
    if isinstance(mine, Compiled) and isinstance(theirs, Compiled) and mine.syntax.shape != theirs.syntax.shape:
        what = (
            f"the anchor is not what `{theirs.rule.name}` (line {theirs.rule.line}) writes: both must be one expression"
        )
        draft.problem(("join", 0, "guest"), what, offset=0)


def _digits_shown(expression: Compiled) -> int:
    """How many of the id's digits the value depends on, everything else being equal."""
    attributes = {name: "x" for name in expression.syntax.reads if CATALOGUE[name] == "string"}

    def value(guest_id: str) -> object:
        try:
            return expression.value(Guest(guest_id, attributes))
        except EvaluationError:
            return None

    base = value(SAMPLE_ID)
    places = [i for i, digit in enumerate(SAMPLE_ID) if digit != "-"]
    return sum(
        value(SAMPLE_ID[:i] + ("0" if SAMPLE_ID[i] != "0" else "1") + SAMPLE_ID[i + 1 :]) != base for i in places
    )
