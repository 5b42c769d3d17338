"""Every check of `reconcile doctor`, as its page has it: from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.doctor.catalog import ALL, TITLES
from reconciler.doctor.finding import Area, Check, Steps


def doctor_checks() -> str:
    lines: list[str] = []
    for area in Area:
        lines += [f"## {TITLES[area]}", ""]
        for check in (c for c in ALL if c.area is area):
            lines += _check(check)
    return "\n".join(lines).rstrip() + "\n"


def _check(check: Check) -> Iterator[str]:
    weight = "A failure blocks." if check.blocks else "A failure is advice."
    yield from (f"### `{check.id}`", "", f"{check.title}. {check.why} {weight}", "")
    yield from _steps("To mend it", check.mend)
    yield from _steps("By hand", check.look)


def _steps(lead: str, steps: Steps) -> Iterator[str]:
    if steps.words:
        yield from (f"*{lead}:* {steps.words}", "")
    elif steps:
        yield from (f"*{lead}:*", "")
    if steps.powershell:
        yield from ("```powershell", *steps.powershell, "```", "")
    for commands in (steps.samba, steps.bash):
        if commands:
            yield from ("```console static", *_prompts(commands), "```", "")


def _prompts(commands: Sequence[str]) -> Iterator[str]:
    """A command begins with `$ `; what it reads from a here-document, and its own other lines, with `> `."""
    inside = False
    for line in commands:
        yield f"{'> ' if inside else '$ '}{line}"
        if line.endswith(("<<EOF", "<<'EOF'")):
            inside = True
        elif line == "EOF":
            inside = False
