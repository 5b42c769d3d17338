"""What a check is, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

_PLAIN = re.compile(r"[\w=,./:-]+( [\w=,./:-]+)*")
"""What means nothing to a shell, in single quotes, in double ones or in none but for its spaces."""
_SPECIAL = frozenset("'\"*?[]\u2018\u2019\u201a\u201b\u201c\u201d\u201e")
"""What means something to PowerShell or a POSIX shell in single quotes, or to PowerShell in a path in single quotes."""
_CLOSED = re.compile(r"'[^']*'|\"[^\"]*\"")
"""What is quoted in a command of ours: in PowerShell and in a POSIX shell alike, since none has a quote within."""


class Verdict(StrEnum):
    """What came of one check. There is no fourth: what was not looked at is UNKNOWN, with the reason."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"
    UNKNOWN = "cannot-tell"


class Area(StrEnum):
    """What a check is about, in the order of the report."""

    ENTRA = "entra"
    CONTROLLERS = "controllers"
    DOMAIN = "domain"
    RIGHTS = "rights"
    SIGN_IN = "sign-in"
    FORGE = "forge"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Steps:
    """What a person does: in words, and as commands to copy, line by line. Data in a command is quoted for its shell."""

    words: str = ""
    powershell: tuple[str, ...] = ()
    samba: tuple[str, ...] = ()
    """On the controller, as root."""
    bash: tuple[str, ...] = ()
    """Anywhere."""

    def __bool__(self) -> bool:
        return bool(self.words or self.powershell or self.samba or self.bash)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at. `id` never changes its meaning: monitoring goes by it.

    `mend` and `look` (how to check by hand) are as the documentation shows them, with Contoso's names; a finding brings its own
    `mend` where it knows the names.
    """

    id: str
    title: str
    why: str
    blocks: bool
    """Whether a failure makes the installation unfit for use: it would not work, or it opens a door."""
    look: Steps
    mend: Steps

    @property
    def area(self) -> Area:
        """What it is about: the first part of its id."""
        return Area(self.id.partition(".")[0])

    def passed(self, *seen: str, subject: str = "") -> Finding:
        """Return that all is well; `seen` is what shows it."""
        return Finding(self, Verdict.PASS, seen, subject)

    def failed(self, *seen: str, subject: str = "", mend: Steps | None = None, blocks: bool | None = None) -> Finding:
        """Return that it is not; `blocks` where this failure weighs otherwise than most."""
        return Finding(self, Verdict.FAIL, seen, subject, mend or self.mend, self.blocks if blocks is None else blocks)

    def unknown(self, *seen: str, subject: str = "", look: Steps | None = None) -> Finding:
        """Return that it could not be found out; `seen` says why."""
        return Finding(self, Verdict.UNKNOWN, seen, subject, look or self.look)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict on one subject. `subject` and `seen` hold data of others: escape them at the sink."""

    check: Check
    verdict: Verdict
    seen: tuple[str, ...]
    subject: str = ""
    steps: Steps = Steps()
    """How to mend a failure; how to check by hand what could not be told."""
    blocks: bool = False

    def of(self, subject: str) -> Finding:
        """Return it with a subject."""
        return replace(self, subject=subject)


def localized(finding: Finding, names: Mapping[str, str]) -> Finding:
    """Return a finding whose commands have this installation's names for Contoso's, where it has the check's own.

    A name that could end where it stands in a command is left out: the command then keeps all of Contoso's, and no part of it is
    replaced either.
    """
    if finding.steps not in (finding.check.mend, finding.check.look) or not names:
        return finding
    pattern = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))

    def in_place(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_named(line, pattern, names, text=text) for text, line in told_apart(lines))

    steps = finding.steps
    here = Steps(steps.words, in_place(steps.powershell), in_place(steps.samba), in_place(steps.bash))
    return replace(finding, steps=here)


def told_apart(lines: tuple[str, ...]) -> Iterator[tuple[bool, str]]:
    """Yield each line, and whether it is text in a here-document, where quotes would stand for themselves."""
    text = False
    for line in lines:
        text = text and line != "EOF"
        yield text, line
        text = text or line.endswith(("<<EOF", "<<'EOF'"))


def _named(line: str, pattern: re.Pattern[str], names: Mapping[str, str], *, text: bool) -> str:
    return pattern.sub(lambda m: _standing(names[m[0]], m, text=text), line)


def _standing(name: str, found: re.Match[str], *, text: bool) -> str:
    """Return a name as it may stand there: in quotes of its own where it has spaces and nothing quotes it yet.

    Contoso's where it may not stand there. `text`: in a here-document.
    """
    before = "" if text else _CLOSED.sub("", found.string[: found.start()])
    if _PLAIN.fullmatch(name):
        return f"'{name}'" if " " in name and not text and not {"'", '"'} & set(before) else name
    verbatim = "'" in before and '"' not in before
    return name if verbatim and name.isprintable() and not _SPECIAL & set(name) else found[0]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be had, and why."""

    why: str
