"""The report of `reconcile doctor` on a terminal: the verdict first, then each area; what is well takes one line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.console import Console

from reconciler.doctor.catalog import TITLES
from reconciler.doctor.finding import Area, Finding, Steps, Verdict, told_apart
from reconciler.doctor.report import Report

from .page import Page
from .verdict import count

_SEEN: Final = 400
_BRIEF: Final = 120
_COMMAND: Final = 2000
_MARK: Final = {Verdict.PASS: ("✓ ", "green"), Verdict.FAIL: ("✗ ", "bold red"), Verdict.UNKNOWN: ("? ", "yellow")}


def doctor(report: Report, console: Console) -> None:
    """Print the report."""
    page = Page(console)
    _verdict(page, report)
    for area in Area:
        found = list(report.of(area))
        if found:
            page.line(page.words(TITLES[area], "bold"), page.words(f"  {_counts(found)}", "dim"))
            _area(page, found)
            page.blank()
    page.print()


def _verdict(page: Page, report: Report) -> None:
    blocking, failed = len(report.blocking), report.count(Verdict.FAIL)
    if blocking:
        page.line(page.words(f"✗ Not fit for use: {count(blocking, 'finding')} must be mended first", "bold red"))
    elif failed:
        page.line(page.words(f"✓ Fit for use, with {count(failed, 'finding')} to mend", "bold yellow"))
    else:
        page.line(page.words("✓ Fit for use", "bold green"))
    parts = [
        f"{count(report.count(Verdict.PASS), 'check')} passed",
        f"{failed:,} failed",
        f"{report.count(Verdict.UNKNOWN):,} could not be told from here",
    ]
    page.line(
        page.words(f"{', '.join(parts)}; examined as the {report.account}, {report.at:%Y-%m-%dT%H:%M:%SZ}.", "dim")
    )
    page.blank()


def _counts(found: Sequence[Finding]) -> str:
    shown = [(Verdict.FAIL, "failed"), (Verdict.UNKNOWN, "cannot tell"), (Verdict.PASS, "passed")]
    return ", ".join(f"{n} {words}" for verdict, words in shown if (n := sum(f.verdict is verdict for f in found)))


def _area(page: Page, found: Sequence[Finding]) -> None:
    order = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.PASS: 2}
    for verdict, some in groupby(sorted(found, key=lambda f: order[f.verdict]), key=lambda f: f.verdict):
        group = list(some)
        if verdict is Verdict.UNKNOWN:
            _unknown(page, group)
            continue
        for finding in group:
            _title(page, finding)
            if verdict is Verdict.FAIL:
                _failed(page, finding)


def _title(page: Page, finding: Finding) -> None:
    mark, style = _MARK[finding.verdict]
    parts = [
        page.words(mark, style),
        page.words(finding.check.title, "bold" if finding.verdict is Verdict.FAIL else ""),
    ]
    if finding.subject:
        parts += [page.words("  "), page.data(finding.subject, "cyan", _BRIEF)]
    if finding.verdict is Verdict.FAIL:
        weight = "blocks" if finding.blocks else "advice"
        parts.append(page.words(f"  [{finding.check.id}, {weight}]", "dim"))
    elif finding.verdict is Verdict.PASS and finding.seen:
        parts += [page.words("  "), page.data("; ".join(finding.seen), "dim", _BRIEF)]
    page.line(*parts, indent=2, hanging=2)


def _failed(page: Page, finding: Finding) -> None:
    for seen in finding.seen:
        page.line(page.data(seen, "red" if finding.blocks else "yellow", _SEEN), indent=4, hanging=2)
    page.line(page.words(finding.check.why, "dim"), indent=4)
    _steps(page, finding.steps)


def _unknown(page: Page, found: Sequence[Finding]) -> None:
    """Print what could not be told; where one reason holds for several, it is said once."""
    for reason, some in groupby(sorted(found, key=lambda f: f.seen), key=lambda f: f.seen):
        group = list(some)
        alone = len(group) == 1
        for finding in group:
            mark, style = _MARK[finding.verdict]
            parts = [page.words(mark, style), page.words(finding.check.title)]
            if finding.subject and alone:
                parts += [page.words("  "), page.data(finding.subject, "cyan", _BRIEF)]
            page.line(*parts, page.words(f"  [{finding.check.id}]", "dim"), indent=2, hanging=2)
        for seen in reason:
            page.line(page.data(seen, "yellow", _SEEN), indent=4, hanging=2)
        if alone:
            _steps(page, group[0].steps, "By hand: ")


def _steps(page: Page, steps: Steps, lead: str = "") -> None:
    if steps.words:
        page.line(page.words(lead, "dim"), page.data(steps.words, limit=_COMMAND), indent=4)
    for title, commands in (("PowerShell", steps.powershell), ("Samba", steps.samba), ("shell", steps.bash)):
        if commands:
            page.line(page.words(title, "dim"), indent=4)
        for document, command in told_apart(commands):
            # Copied as it stands: in one line, and a here-document from the first column on.
            bare = command.lstrip(" ")
            indent = len(command) - len(bare) + (0 if document or command == "EOF" else 6)
            page.line(page.data(bare, "cyan", _COMMAND), indent=indent, wraps=False)
