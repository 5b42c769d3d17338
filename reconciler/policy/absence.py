"""Whether an expression can turn out empty: found out by trying it on guests that lack what it reads.

CEL's types do not say whether a text may be null, so the expression is evaluated on made-up guests: every choice of absent
attributes, and, where it compares with literals, values that meet them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.graph.attributes import CATALOGUE
from reconciler.model.guest import Guest
from reconciler.model.values import Value

from .expressions import Compiled, MissingError
from .guests import NULLABLE
from .model import EvaluationError

MAX_TRIALS: Final = 512
MAX_LITERALS: Final = 4
SAMPLE_ID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_SAMPLE: Final = "alex.example@fabrikam.example"
"""Has what functions usually look for: an at sign, a dot, a dozen characters."""
_PLAIN: Final = {"userPrincipalName": "alex.example_fabrikam.example#EXT#@contoso.onmicrosoft.example"}


def why_empty(expression: Compiled) -> str:
    """Return when the expression gives nothing (`when the guest has no mail`); empty where no trial made it do so."""
    for attributes, exact in _trials(expression):
        try:
            outcome = expression.outcome(Guest(SAMPLE_ID, attributes))
        except MissingError as e:
            return e.why
        except EvaluationError:
            continue
        if outcome is None or (outcome == "" and not exact):
            missing = sorted(expression.syntax.reads & NULLABLE - attributes.keys())
            return (
                f"it gives nothing when the guest has no {' and no '.join(missing)}"
                if missing
                else "it can give nothing"
            )
    return ""


def _trials(expression: Compiled) -> Iterator[tuple[Mapping[str, Value], bool]]:
    """Made-up guests, and whether one holds a literal as its whole value: then an empty text proves nothing."""
    choices = {name: _choices(name, expression.syntax.literals) for name in sorted(expression.syntax.reads - {"id"})}
    combinations = itertools.islice(itertools.product(*choices.values()), MAX_TRIALS)
    absences = _absences(choices)
    for chosen in itertools.chain(absences, combinations):
        attributes = {name: value for name, value in zip(choices, chosen, strict=True) if value is not None}
        yield attributes, any(value in expression.syntax.literals for value in chosen)


def _absences(choices: Mapping[str, list[Value | None]]) -> Iterator[tuple[Value | None, ...]]:
    """All present, all absent, each absent, each present alone: before the product, which is cut where it is large."""
    present = tuple(next(v for v in values if v is not None) for values in choices.values())
    absent = tuple(None if None in values else next(iter(values)) for values in choices.values())
    yield present
    yield absent
    for i in range(len(present)):
        yield (*present[:i], absent[i], *present[i + 1 :])
        yield (*absent[:i], present[i], *absent[i + 1 :])


def _choices(attribute: str, literals: tuple[str, ...]) -> list[Value | None]:
    kind = CATALOGUE[attribute]
    absent: list[Value | None] = [None] if attribute in NULLABLE or kind == "list" else []
    if kind == "boolean":
        return [*absent, True, False]
    sample = _PLAIN.get(attribute, _SAMPLE)
    texts = [sample]
    for literal in literals[:MAX_LITERALS]:
        texts += [literal, f"alex{literal}", f"{literal}alex"]
    texts = [t for t in dict.fromkeys(texts) if t]
    return [*absent, *((t,) for t in texts)] if kind == "list" else [*absent, *texts]
