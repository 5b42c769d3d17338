"""CEL's compile errors in the words of somebody who writes a policy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.config.problems import suggestion
from reconciler.graph.attributes import CATALOGUE

from .guests import MESSAGE


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an expression. `offset` is where, in characters from its beginning."""

    offset: int
    what: str


class CompileError(Exception):
    """An expression that does not compile: everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f.what for f in faults))
        self.faults = tuple(faults)


_ERROR: Final = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_FIELD: Final = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
_NAME: Final = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD: Final = re.compile(r"found no matching overload for '([^']*)' applied to '([^']*)'")
_TYPES: Final = {
    "string": "text",
    "wrapper(string)": "text",
    "bool": "true or false",
    "wrapper(bool)": "true or false",
    "int": "number",
    "uint": "number",
    "double": "number",
    "null": "nothing",
    "list(string)": "list of texts",
}
FUNCTIONS: Final = (
    *(
        "has",
        "size",
        "string",
        "int",
        "bool",
        "startsWith",
        "endsWith",
        "contains",
        "matches",
        "exists",
        "all",
        "filter",
        "map",
    ),
    *(
        "charAt",
        "indexOf",
        "lastIndexOf",
        "join",
        "lowerAscii",
        "upperAscii",
        "replace",
        "reverse",
        "split",
        "substring",
        "trim",
    ),
)
"""What is worth suggesting for a name that does not exist."""


def faults(source: str, said: str) -> list[Fault]:
    """Return the mistakes in CEL's message about `source`, a mistake's consequences left out."""
    found = [_fault(source, int(line), int(column), what) for line, column, what in _ERROR.findall(said)]
    if not found:
        return [Fault(0, "the expression is nested too deeply" if "recursion" in said else "not an expression")]
    syntax = [f for f in found if f.what.startswith("not an expression")]
    return list(dict.fromkeys(syntax[:1] or found))


def _fault(source: str, line: int, column: int, what: str) -> Fault:
    offset = _offset(source, line, column)
    if "recursion depth" in what:
        return Fault(0, "the expression is nested too deeply")
    if match := _FIELD.match(what):
        name = match[1]
        return Fault(
            max(offset, source.find(name, offset)), f"unknown guest attribute `{name}`{suggestion(name, CATALOGUE)}"
        )
    if match := _NAME.match(what):
        return _unknown_name(source, offset, match[1])
    return Fault(offset, _reworded(what))


def _reworded(what: str) -> str:
    if what.startswith("Syntax error"):
        end = "mismatched input '<EOF>'" in what or "at '<EOF>'" in what
        return "not an expression: it ends too early" if end else "not an expression: something here is out of place"
    if match := _OVERLOAD.match(what):
        return _misuse(match[1], [_type(t) for t in _split(match[2])])
    if "operand of a select operation" in what:
        return "nothing can follow the dot here: what stands before it has no parts"
    return what.replace(MESSAGE, "guest")


def _unknown_name(source: str, offset: int, name: str) -> Fault:
    if source[offset : offset + 1] == "(":
        offset = max(0, source.rfind(name, 0, offset))
        return Fault(offset, f"unknown function `{name}`{suggestion(name, FUNCTIONS)}")
    head, dot, _ = name.partition(".")
    if dot:
        return _unknown_name(source, max(0, source.rfind(head, 0, offset)), head)
    if name in CATALOGUE:
        return Fault(offset, f"unknown name `{name}`: write guest.{name}")
    return Fault(offset, f"unknown name `{name}`{suggestion(name, ('guest', *FUNCTIONS))}")


def _misuse(function: str, kinds: list[str]) -> str:
    """Say what an operator or function (`_+_`, `@in`, `endsWith`) was wrongly given."""
    if function == "_?_:_":
        wrong = kinds[:1] != ["true or false"]
        return "what stands before ? is not true or false" if wrong else _RESULTS
    name = "[ ]" if function == "_[_]" else function if function.isalnum() else function.strip("@").replace("_", "")
    return f"`{name}` does not take ({', '.join(kinds)})"


_RESULTS = 'the two results of ? : are of different kinds (where a text may be nothing, write "" for that)'


def _split(types: str) -> list[str]:
    return re.findall(r"[^\s,()][^,()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?", types.removeprefix("(").removesuffix(")"))


def _type(name: str) -> str:
    return _TYPES.get(name, name.replace(MESSAGE, "guest"))


def _offset(source: str, line: int, column: int) -> int:
    """Index of a place that CEL gives by line and column, both from one, in characters."""
    if line < 1 or column < 1:
        return 0
    lines = source.split("\n")
    return min(sum(len(text) + 1 for text in lines[: line - 1]) + column - 1, len(source))
