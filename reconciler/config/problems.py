"""What is wrong with a file a person wrote, all of it at once, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import ReconcileError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `line` and `column` count from one, in characters. `what` is one line without a full stop."""

    file: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


def refuse(problems: Iterable[Problem], error: type[ReconcileError], remedy: str) -> None:
    """Raise `error` with one line for each problem, in the file's order; return when there is none."""
    lines = [str(p) for p in sorted(set(problems))]
    if lines:
        raise error("\n".join(lines), remedy)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` for the nearest of the known words, compared in any case; empty when none is near."""
    by_key = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(word.casefold(), by_key, n=1, cutoff=0.6)
    return f"; did you mean `{by_key[near[0]]}`?" if near else ""
