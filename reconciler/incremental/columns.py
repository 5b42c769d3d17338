"""One policy expression, evaluated on the text of a guest's entry: what it gives, as canonical text.

Copies never leave the text, and what is cut and joined from the id alone needs no engine. Of everything else the results
are kept by what they were computed from. What cannot be decided raises UndecidedError: the planner itself looks then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reconciler.graph.attributes import CATALOGUE, NEVER_NULL
from reconciler.model.guest import Guest
from reconciler.model.schema import Attribute, validate_value
from reconciler.model.values import Value
from reconciler.policy.expressions import Compiled
from reconciler.policy.model import EvaluationError, Expression
from reconciler.policy.pieces import SAMPLE, Piece, pieces
from reconciler.state.canonical import quote
from reconciler.state.fast_records import value

Texts = Mapping[str, str]
"""A guest's attributes, as `attribute_texts` finds them."""

Column = Callable[[str, Texts], str]
"""From a guest's id and attributes to a value's text, "" for none. Raises UndecidedError."""

_KEPT: Final = 20_000
_STARTS: Final = {"string": (' "',), "boolean": (" t", " f"), "list": ("\n",)}
_FREE: Final = frozenset({"cn", "sAMAccountName"})
"""Attributes with rules of their own for characters."""


class UndecidedError(Exception):
    """This guest needs the planner's own look."""


def column(expression: Expression) -> Column:
    """Return what evaluates the expression."""
    if not isinstance(expression, Compiled):
        return _engine(expression, ())
    if expression.syntax.copies not in (None, "id"):
        return _copy(str(expression.syntax.copies))
    found = pieces(expression.syntax.shape)
    if found is not None:
        return _pieced(found)
    reads = tuple(sorted(expression.syntax.reads - {"id"}))
    return _engine(expression, reads) if "id" in expression.syntax.reads else _remembered(expression, reads)


def valid_column(expression: Expression, attribute: Attribute) -> Column:
    """Return the same, undecided too where the account's attribute could not hold the value."""
    inner = column(expression)
    found = pieces(expression.syntax.shape) if isinstance(expression, Compiled) else None
    if found is not None and attribute.kind == "string" and not attribute.multi:
        # Every guest's value is as long as any other's and has the same kinds of characters at the same places.
        return inner if validate_value(attribute, "".join(p.of(SAMPLE) for p in found)) is None else _never
    simple = attribute.kind == "string" and not attribute.multi and attribute.name not in _FREE
    most = attribute.max if attribute.max is not None else 1 << 30
    if simple and not attribute.required and isinstance(expression, Compiled):
        copies = expression.syntax.copies
        if copies not in (None, "id") and CATALOGUE[str(copies)] == "string" and copies not in NEVER_NULL:
            return _short_copy(str(copies), attribute, most)

    def checked(guest_id: str, texts: Texts) -> str:
        text = inner(guest_id, texts)
        if not text:
            if attribute.required:
                raise UndecidedError
            return text
        if simple and text[1] == '"' and "\\" not in text and (len(text) - 3) * (1 if text.isascii() else 2) <= most:
            return text
        if validate_value(attribute, value(text)) is not None:
            raise UndecidedError
        return text

    return checked


def text_of(found: Value | None) -> str:
    """Return a value as it stands in canonical text, "" for none."""
    if found is None:
        return ""
    if isinstance(found, tuple):
        return "".join(f"\n      - {quote(item)}" for item in sorted(found))
    if isinstance(found, str):
        return f" {quote(found)}"
    return f" {str(found).lower()}" if isinstance(found, bool) else f" {found}"


def _never(guest_id: str, texts: Texts) -> str:  # noqa: ARG001  a column's signature
    raise UndecidedError


def _copy(attribute: str) -> Column:
    starts = _STARTS[CATALOGUE[attribute]]
    always = attribute in NEVER_NULL

    def copied(guest_id: str, texts: Texts) -> str:  # noqa: ARG001  a column's signature
        text = texts.get(attribute, "")
        if not text.startswith(starts) and (text or always):
            raise UndecidedError
        return text

    return copied


def _short_copy(name: str, attribute: Attribute, most: int) -> Column:
    """Return `valid_column` of a copied text that may be absent: in one step, since most columns are such."""
    # Three characters are not the value's; each other one is at most two code units, or an escape.
    longest, shorter = most + 3, most // 2 + 3

    def copied(guest_id: str, texts: Texts) -> str:  # noqa: ARG001  a column's signature
        text = texts.get(name, "")
        if not text or (text[1] == '"' and "\\" not in text and len(text) <= (longest if text.isascii() else shorter)):
            return text
        if text[1] != '"' or validate_value(attribute, value(text)) is not None:
            raise UndecidedError
        return text

    return copied


def _pieced(found: tuple[Piece, ...]) -> Column:
    parts = [(quote(p.literal)[1:-1], p.start, p.end) for p in found]
    if not any(p.of(SAMPLE) for p in found):
        return lambda guest_id, texts: ""  # noqa: ARG005  a column's signature
    literal = "".join(literal for literal, _, _ in parts[:-1])
    if not parts[-1][0] and all(before for before, _, _ in parts[:-1]):  # one slice, and what is written before it
        start, end = parts[-1][1:]
        return lambda guest_id, texts: f' "{literal}{guest_id[start:end]}"'  # noqa: ARG005  a column's signature

    def joined(guest_id: str, texts: Texts) -> str:  # noqa: ARG001  a column's signature
        return f' "{"".join(literal or guest_id[start:end] for literal, start, end in parts)}"'

    return joined


def _engine(expression: Expression, reads: tuple[str, ...]) -> Column:
    def evaluated(guest_id: str, texts: Texts) -> str:
        kept = reads or tuple(texts)
        guest = Guest(guest_id, {name: value(texts[name]) for name in kept if name in texts})
        try:
            return text_of(expression.value(guest))
        except EvaluationError as error:
            raise UndecidedError from error

    return evaluated


def _remembered(expression: Expression, reads: tuple[str, ...]) -> Column:
    inner = _engine(expression, reads)
    known: dict[tuple[str, ...], str | None] = {}

    def remembered(guest_id: str, texts: Texts) -> str:
        inputs = tuple(texts.get(name, "") for name in reads)
        found = known.get(inputs)
        if found is None:
            if inputs in known:
                raise UndecidedError
            if len(known) >= _KEPT:
                known.clear()
            known[inputs] = None
            found = known[inputs] = inner(guest_id, texts)
        return found

    return remembered
