"""CEL expressions over a guest: compiled and type-checked once, evaluated for each guest.

The language is Google's (cel.dev) with its string extensions. What it cannot read, or what could take long, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.graph.attributes import CATALOGUE
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.values import Value, clean

from .guests import MESSAGE, NULLABLE, GuestMessages, Loaded, unfitness
from .messages import CompileError, Fault, faults
from .model import EvaluationError
from .pieces import Piece, joined, pieces
from .syntax import NotAllowedError, Parser, Syntax

if TYPE_CHECKING:
    from cel_expr_python import cel

MAX_LENGTH: Final = 2000
STRING, BOOL, INT, LIST = "STRING", "BOOL", "INT", "LIST<STRING>"
"""Result types as CEL names them."""


class MissingError(EvaluationError):
    """The expression used an attribute that the guest does not have."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One expression, ready for any guest. `result` is its CEL type; a text may turn out null."""

    rule: Rule
    source: str
    result: str
    syntax: Syntax
    _engine: Engine
    _program: cel.Expression
    _pieces: tuple[Piece, ...] | None

    @property
    def reads(self) -> frozenset[str]:
        """The guest attributes it reads, by Graph's names; `id` may be among them."""
        return self.syntax.reads

    def value(self, guest: Guest) -> Value | None:
        """Evaluate for a guest; an empty result is None, a list is sorted. Raises EvaluationError."""
        outcome = self.outcome(guest)
        if isinstance(outcome, list | tuple):
            return self._list(outcome)
        if outcome is None or isinstance(outcome, str | bool | int):
            return clean(outcome)
        raise EvaluationError(self.rule, "the result is neither text, a number, true or false, nor a list")

    def outcome(self, guest: Guest) -> object:
        """Return what CEL gives before it is cleaned: null and an empty text still differ. Raises EvaluationError."""
        if self.syntax.copies is not None:
            return self._copy(guest, self.syntax.copies)
        if self._pieces is not None and (text := joined(self._pieces, guest.id)) is not None:
            return text
        return self._engine.evaluate(self, self._program, guest)

    def test(self, guest: Guest) -> bool:
        """Evaluate a boolean expression. Raises EvaluationError, also where the answer is null."""
        outcome = self.value(guest)
        if not isinstance(outcome, bool):
            raise EvaluationError(self.rule, "the answer is neither true nor false")
        return outcome

    def _copy(self, guest: Guest, attribute: str) -> Value | None:
        """What evaluating `guest.<attribute>` gives, without the detour."""
        value = guest.id if attribute == "id" else clean(guest.attributes.get(attribute))
        if why := unfitness(attribute, CATALOGUE[attribute], value):
            raise EvaluationError(self.rule, why)
        return value

    def _list(self, items: Sequence[Any]) -> Value | None:
        """Return the items without what a directory cannot hold: empty values and repetitions."""
        kept = {item for item in items if item is not None and item != ""}
        if not all(isinstance(item, str) for item in kept):
            raise EvaluationError(self.rule, "the result is a list of something else than texts")
        return clean(tuple(sorted(kept)))


class Engine:
    """Compiles expressions and evaluates them on one guest after another. Not for several threads at once."""

    def __init__(self) -> None:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_strings

        self._cel = cel
        self._guests = GuestMessages()
        self._parser = Parser()
        self._environment = cel.NewEnv(
            self._guests.pool, variables={"guest": cel.Type(MESSAGE)}, extensions=[ext_strings.ExtStrings()]
        )
        self._loaded: tuple[Loaded, cel.Activation] | None = None

    def compile(self, source: str, rule: Rule) -> Compiled:
        """Return the expression; raises CompileError with everything that is wrong with it."""
        if len(source) > MAX_LENGTH:
            raise CompileError(
                [Fault(0, f"the expression has {len(source)} characters; at most {MAX_LENGTH} are read")]
            )
        try:
            program = self._environment.compile(source)
        except RuntimeError as e:
            raise CompileError(faults(source, str(e))) from e
        try:
            syntax = self._parser.parse(program.serialize())
        except NotAllowedError as e:
            raise CompileError([Fault(e.offset, e.what)]) from e
        if wrong := [Fault(at, why) for at, name, text in syntax.fixed if (why := self._unreadable(name, text))]:
            raise CompileError(wrong)
        if syntax.copies is None:
            self._guests.want(syntax.reads)
            self._loaded = None
        return Compiled(rule, source, program.return_type().name(), syntax, self, program, pieces(syntax.shape))

    def _unreadable(self, function: str, text: str) -> str:
        """Return why the literal `text` means nothing to this function, the same for every guest; empty where it does."""
        literal = json.dumps(text, ensure_ascii=False)
        call = f'"".matches({literal})' if function == "matches" else f"{function}({literal})"
        outcome = self._environment.compile(call).eval(activation=self._environment.Activation(data={}))
        if outcome.type() != self._cel.Type.ERROR:
            return ""
        detail = str(outcome.value()).partition("regular expression: ")[2]
        return _UNREADABLE[function] + (f": {detail}" if detail.isprintable() and detail else "")

    def evaluate(self, expression: Compiled, program: cel.Expression, guest: Guest) -> object:
        """Return the raw result. Raises EvaluationError; its reason never holds a value of the guest's."""
        loaded, activation = self._load(guest)
        if loaded.unfit:
            for attribute in sorted(expression.syntax.reads & loaded.unfit.keys()):
                raise EvaluationError(expression.rule, loaded.unfit[attribute])
        outcome = program.eval(activation=activation)
        if outcome.type() == self._cel.Type.ERROR:
            raise _failure(expression, str(outcome.value()), guest)
        plain: object = outcome.plain_value()
        return plain

    def _load(self, guest: Guest) -> tuple[Loaded, cel.Activation]:
        """The guest's message; the last one is kept, since a policy's expressions are evaluated guest by guest."""
        current = self._loaded
        if current is None or current[0].guest is not guest:
            loaded = self._guests.load(guest)
            current = (loaded, self._environment.Activation(data={"guest": loaded.message}))
            self._loaded = current
        return current


_UNREADABLE: Final = {
    "matches": "not a regular expression (RE2)",
    "timestamp": "not a time such as 2026-01-31T00:00:00Z",
    "duration": "not a duration such as 24h or 90m",
}
_REASONS: Final = (
    ("Index error", "it asks for an item that the list does not have"),
    ("substring", "it cuts a text at a place past its end"),
    ("Key not found", "it asks a map for a key that is not there"),
    ("charAt", "it asks for a character past the end of a text"),
    ("index out of range", "it begins to search past the end of a text"),
    ("regular expression", "its pattern is not a regular expression"),
    ("Timestamp conversion", "it reads a text as a time that is none such as 2026-01-31T00:00:00Z"),
    ("Duration conversion", "it reads a text as a duration that is none such as 24h"),
    ("cannot convert", "it converts a text that is not of that form"),
    ("Type conversion", "it converts a text that is not of that form"),
    ("by zero", "it divides by zero"),
    ("overflow", "a number grew too large"),
    ("UTF-8", "it turns bytes into text that are none"),
)


def _failure(expression: Compiled, said: str, guest: Guest) -> EvaluationError:
    """Return what failed in words of our own: CEL's may quote the guest."""
    missing = sorted(a for a in expression.syntax.reads & NULLABLE if clean(guest.attributes.get(a)) is None)
    if missing and ("null_type" in said or "overload" in said):
        return MissingError(expression.rule, f"it uses {' or '.join(missing)}, which the guest does not have")
    reason = next((why for sign, why in _REASONS if sign in said), "it does not work out for this guest's values")
    return EvaluationError(expression.rule, reason)
