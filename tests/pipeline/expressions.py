"""GitHub's workflow expressions: what stands between `${{` and `}}`, as far as workflows here use them.

Anything else raises: an expression that this does not know is a test that fails, never one that is taken for true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||[!=]=|[!().,\[\]]))"
)
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_CONSTANTS = {"true": True, "false": False, "null": None}
STATUS = ("always", "success", "failure", "cancelled")
Contexts = Mapping[str, Any]


def filled(text: Any, contexts: Contexts) -> Any:
    """Return a value of the workflow with its expressions evaluated; a text that is one expression keeps its type."""
    if isinstance(text, dict):
        return {key: filled(value, contexts) for key, value in text.items()}
    if isinstance(text, list):
        return [filled(value, contexts) for value in text]
    if not isinstance(text, str):
        return text
    whole = _PLACE.fullmatch(text.strip())
    if whole and "}}" not in whole[1]:
        return evaluate(whole[1], contexts)
    return _PLACE.sub(lambda m: words(evaluate(m[1], contexts)), text)


def holds(condition: str | None, contexts: Contexts) -> bool:
    """Whether a step or job with this `if:` runs; success() stands before one that names no status."""
    if condition is None:
        return bool(evaluate("success()", contexts))
    bare = condition.strip()
    inner = _PLACE.fullmatch(bare)
    text = inner[1] if inner else bare
    if not any(f"{name}(" in text for name in STATUS):
        text = f"success() && ({text})"
    return bool(evaluate(text, contexts))


def evaluate(text: str, contexts: Contexts) -> Any:
    """Return the value of one expression."""
    reader = _Reader(_tokens(text), contexts)
    value = reader.either()
    assert not reader.left, f"not understood: {text}"
    return value


def words(value: Any) -> str:
    """Return the value as it goes into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "Object" if isinstance(value, dict | list) else str(value)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, f"not understood: {text[at:]} in {text}"
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


@dataclass
class _Reader:
    left: list[tuple[str, str]]
    contexts: Contexts
    reading: bool = False

    def either(self) -> Any:
        value = self.both()
        while self.took("||"):
            value = self.unless(value, self.both)
        return value

    def both(self) -> Any:
        value = self.equal()
        while self.took("&&"):
            other = self.unless(not value, self.equal)
            value = other if value else value
        return value

    def unless(self, settled: Any, side: Callable[[], Any]) -> Any:
        """Return what is settled already, the other side only read, not evaluated; else the other side."""
        before, self.reading = self.reading, self.reading or bool(settled)
        other = side()
        self.reading = before
        return settled or other

    def equal(self) -> Any:
        value = self.one()
        for sign in ("==", "!="):
            if self.took(sign):
                return (_folded(value) == _folded(self.one())) is (sign == "==")
        return value

    def one(self) -> Any:
        if self.took("!"):
            return not self.one()
        if self.took("("):
            value = self.either()
            assert self.took(")")
            return self.inside(value)
        kind, text = self.left.pop(0)
        if kind != "name":
            literals: dict[str, Callable[[str], Any]] = {"text": lambda t: t[1:-1].replace("''", "'"), "number": int}
            return literals[kind](text)
        if self.took("("):
            arguments = []
            while not self.took(")"):
                arguments.append(self.either())
                self.took(",")
            return self.inside(self.call(text, arguments))
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        assert text in self.contexts, f"no context {text} here"
        return self.inside(self.contexts[text])

    def call(self, name: str, arguments: list[Any]) -> Any:
        if self.reading:
            return None
        own: dict[str, Callable[..., Any]] = {"fromJSON": json.loads, "toJSON": json.dumps}
        if name in STATUS:
            return self.contexts["status"](name)
        return own[name](*arguments)

    def inside(self, value: Any) -> Any:
        """Follow `.name` and `[index]`; what is not there is null."""
        while True:
            if self.took("."):
                _, name = self.left.pop(0)
                value = value.get(name) if isinstance(value, Mapping) else None
            elif self.took("["):
                key = self.either()
                assert self.took("]")
                there = isinstance(value, list) and isinstance(key, int) and key < len(value)
                value = value[key] if there else value.get(key) if isinstance(value, Mapping) else None
            else:
                return value

    def took(self, sign: str) -> bool:
        if self.left and self.left[0] == ("sign", sign):
            self.left.pop(0)
            return True
        return False


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
