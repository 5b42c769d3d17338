"""A console block as what it is: commands, and what each prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .pages import Fence

PROMPT, CONTINUED, ANYTHING = "$ ", "> ", "…"
EXIT_CODE = "echo $?"
_MOST = 60
"""Lines of output that a failure repeats."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `shown` is what the page says it prints, None where it does not say."""

    where: str
    command: str
    shown: tuple[str, ...] | None
    may_fail: bool = False


def steps(fence: Fence) -> list[Step]:
    """Return the commands of a block; raise ValueError for a block that has none, or begins with something else."""
    found: list[tuple[int, list[str], list[str]]] = []
    for number, line in enumerate(fence.text.splitlines(), fence.line):
        if line.startswith(PROMPT):
            found.append((number, [line.removeprefix(PROMPT)], []))
        elif not found:
            raise ValueError(f"{fence.page}:{number}: a console block begins with a command, `{PROMPT}…`")
        elif (line.startswith(CONTINUED) or line == ">") and not found[-1][2]:
            found[-1][1].append(line[2:])
        else:
            found[-1][2].append(line)
    if not found:
        raise ValueError(f"{fence.where}: a console block without a command")
    commands = ["\n".join(command) for _, command, _ in found]
    return [
        Step(f"{fence.page}:{number}", command, tuple(shown) or None, may_fail=following == EXIT_CODE)
        for (number, _, shown), command, following in zip(found, commands, [*commands[1:], ""], strict=True)
    ]


def difference(shown: Sequence[str], printed: str) -> str:
    """Return how what was printed differs from what the page shows; empty where it does not."""
    wanted = [line.rstrip() for line in shown]
    actual = [line.rstrip() for line in printed.strip("\n").split("\n")]
    if _matches(wanted, actual):
        return ""
    left_out = [f"({len(actual) - _MOST} lines before)"] if len(actual) > _MOST else []
    return "\n".join(["the page shows:", *wanted, "", "it prints:", *left_out, *actual[-_MOST:]])


def _matches(wanted: Sequence[str], actual: Sequence[str]) -> bool:
    pattern = ""
    for line in wanted:
        if line.strip() == ANYTHING:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in actual)) is not None
