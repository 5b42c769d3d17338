"""A policy while it is read: its document, what was found wrong so far, and how each kind of value is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from reconciler.config.check import dotted
from reconciler.config.located import Document, Path
from reconciler.config.problems import Problem, suggestion
from reconciler.model.dn import DN
from reconciler.model.plan import Rule
from reconciler.model.schema import BY_NAME, Attribute

from .absence import why_empty
from .expressions import BOOL, INT, LIST, STRING, Compiled, Engine
from .messages import CompileError
from .targets import why_forbidden

_KINDS: Final = {
    STRING: "text",
    BOOL: "true or false",
    INT: "a whole number",
    LIST: "a list of texts",
    "NULL": "nothing",
}
_MENDS: Final = {
    (BOOL, STRING): "; string(…) makes it one",
    (INT, STRING): "; string(…) makes it one",
    (LIST, STRING): "; take one item, or join(…) them",
    (STRING, LIST): "; put it in brackets: [ … ]",
    (STRING, INT): "; int(…) makes it one",
}


class Draft:
    """Reads values that satisfy the schema; what a schema cannot say goes to `problems`, and reading goes on."""

    def __init__(self, document: Document, ous: Sequence[DN] | None) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.declared: dict[str, Attribute] = {}
        self.expressions: list[Compiled] = []
        self._engine = Engine()
        self._ous = ous

    def get(self, *path: str | int) -> Any:
        """Return the plain value at a path, or None where there is none."""
        return self.document.at(path)

    def problem(self, path: Path, what: str, *, at_key: bool = False, offset: int | None = None) -> None:
        """Note what is wrong with a value, its key, or the character at `offset` of its text."""
        self.problems.append(self.document.problem(path, what, at_key=at_key, offset=offset))

    def rule(self, *path: str | int) -> Rule:
        """Return the rule at a path: its name is the path."""
        return Rule(dotted(path), self.document.file, self.document.line(path))

    def expression(self, path: Path, result: str, rule: Rule, holder: str = "") -> Compiled | None:
        """Compile the expression at `path`, which must give `result`; `holder` names the attribute it is for."""
        source = self.get(*path)
        try:
            compiled = self._engine.compile(source, rule)
        except CompileError as e:
            for fault in e.faults:
                self.problem(path, f"`{dotted(path)}`: {fault.what}", offset=fault.offset)
            return None
        if compiled.result != result:
            given, needed = _KINDS.get(compiled.result, "something else"), _KINDS[result]
            what = f"`{dotted(path)}` gives {given}; {holder or 'it'} must be {needed}"
            self.problem(path, what + _MENDS.get((compiled.result, result), ""), offset=0)
            return None
        self.expressions.append(compiled)
        return compiled

    def flow(self, path: Path, attribute: Attribute, rule: Rule) -> Compiled | None:
        """Compile the expression at `path` for an attribute: of its kind, and never empty where an account needs it."""
        compiled = self.expression(path, _result(attribute), rule, attribute.name)
        if compiled is not None and attribute.required:
            self.never_empty(path, compiled, attribute.name)
        return compiled

    def never_empty(self, path: Path, compiled: Compiled, name: str) -> None:
        """Note it where an expression can give nothing."""
        if why := why_empty(compiled):
            remedy = "every account needs it, so give something else then: has(…) ? … : …"
            self.problem(path, f"`{dotted(path)}` may leave {name} empty: {why}; {remedy}", offset=0)

    def known(self, name: str, path: Path, *, at_key: bool = False) -> Attribute | None:
        """Return what is known of an account attribute, in any case; note it where nothing is."""
        found = self.declared.get(name.casefold()) or BY_NAME.get(name.casefold())
        if found is None:
            near = suggestion(name, [a.name for a in (*BY_NAME.values(), *self.declared.values())])
            more = near or "; if the domain's schema has it, declare it under `attributes`"
            self.problem(path, f"unknown Active Directory attribute `{name}`{more}", at_key=at_key)
        return found

    def target(self, name: str, path: Path) -> Attribute | None:
        """Return what is known of an attribute that is to be set; note it where it is unknown or not for a policy to set."""
        if why := why_forbidden(name):
            self.problem(path, f"a policy may not set `{name}` here: {why}", at_key=True)
            return None
        return self.known(name, path, at_key=True)

    def ou(self, path: Path, text: str) -> DN:
        """Return the DN at `path`; note it where it is none, or outside the settings' OUs."""
        try:
            dn = DN.parse(text)
        except ValueError:
            self.problem(path, f"`{dotted(path)}` is not a distinguished name")
            return DN("")
        if self._ous is not None and not any(dn.within(ou) for ou in self._ous):
            inside = " or ".join(str(ou) for ou in self._ous)
            self.problem(path, f"`{dotted(path)}` is outside `directory.ous` of the settings ({inside})")
        return dn

    def day(self, path: Path, text: str) -> date:
        """Return the date at `path`; note it where the calendar has no such day."""
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.problem(path, f"`{dotted(path)}` is not a day of the calendar")
            return date.min


def _result(attribute: Attribute) -> str:
    if attribute.multi:
        return LIST
    return {"string": STRING, "integer": INT, "boolean": BOOL}[attribute.kind]
