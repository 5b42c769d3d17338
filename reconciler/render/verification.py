"""The report of `reconcile verify` on a terminal: who is let in and as whom, or why not and what to do."""

from __future__ import annotations

from rich.console import Console

from reconciler.model.identity import LABELS
from reconciler.verify.causes import Finding
from reconciler.verify.kdc import STEPS, Refusal, Step
from reconciler.verify.report import Attempt, Report

from .page import Page
from .verdict import count

_SENTENCE = 900
_VALUE = 120
_LABEL = 40
_NAMED = 5


def verification(report: Report, console: Console) -> None:
    """Print the report."""
    page = Page(console)
    _head(page, report)
    if report.failed:
        _refused(page, report.refusal)
        _findings(page, report.failed)
    elif report.seed is None:
        for attempt in report.attempts:
            _one(page, attempt, report)
    else:
        _many(page, report)
    shown = {f.cause for a in report.attempts for f in a.findings} | {f.cause for f in report.failed}
    for finding in (f for f in report.everywhere if f.cause not in shown):
        page.line(page.words("! ", "bold yellow"), page.data(finding.what, limit=_SENTENCE), hanging=2)
        _commands(page, finding)
    page.print()


def _head(page: Page, report: Report) -> None:
    rows = [
        ("service", report.spn),
        ("connector", f"{report.connector or 'the first principal'}, from {report.source}"),
        ("identity", LABELS[report.identity]),
        ("directory", report.directory or f"not read: {report.unread}"),
    ]
    for name, value in rows:
        page.line(page.words(f"{name:<10}", "dim"), page.data(value, limit=2 * _VALUE), hanging=10)
    page.blank()


def _one(page: Page, attempt: Attempt, report: Report) -> None:
    page.line(page.quoted(attempt.label, "bold", _LABEL), "  ", page.data(attempt.guest, "dim", _LABEL))
    if attempt.dn:
        page.line(page.data(attempt.dn, "dim", 2 * _VALUE), indent=2, hanging=2)
    if attempt.asked:
        assumed = " (as its account has it; Entra was not seen to know it)" if attempt.assumed else ""
        page.line("asked for as ", page.data(attempt.asked, limit=_VALUE), assumed, indent=2, hanging=2)
    page.blank()
    _steps(page, attempt, report)
    page.blank()
    if attempt.let_in:
        _seen(page, attempt)
    _findings(page, attempt.findings)
    for finding in attempt.also:
        page.line(page.words("! ", "bold yellow"), page.data(finding.what, limit=_SENTENCE), hanging=2)
        _commands(page, finding)


def _steps(page: Page, attempt: Attempt, report: Report) -> None:
    """Say which answers were had, up to the one that was refused."""
    if attempt.refusal is None and attempt.seen is None:
        return
    wanted = [Step.GUEST, Step.SERVICE, *([Step.PAGE] if report.url else [])]
    for step in wanted:
        if attempt.refusal is not None and attempt.refusal.step is step:
            _refused(page, attempt.refusal)
            return
        page.line(page.words("✓ ", "bold green"), STEPS[step], hanging=2)
    if attempt.page is not None:
        proof = "it proved that it holds the service's key" if attempt.page.proven else "it did not prove who it is"
        page.line(f"status {attempt.page.status}; {proof}", indent=2, hanging=2)
        if attempt.page.user is not None:
            page.line("it saw ", page.data(attempt.page.user, "bold", _VALUE), indent=2, hanging=2)


def _seen(page: Page, attempt: Attempt) -> None:
    if attempt.seen is None:
        return
    page.line(page.words("The service sees ", "bold"), page.data(attempt.seen, "bold green", _VALUE), hanging=2)
    account = " · ".join(v for v in (attempt.sam, attempt.sid) if v)
    if account:
        page.line("account ", page.data(account, limit=_VALUE), indent=2, hanging=2)


def _many(page: Page, report: Report) -> None:
    tried = f"{len(report.attempts):,} of {count(report.population, 'guest')} tried"
    seed = f'; the same again with --seed "{report.seed}"' if report.seed else ""
    page.line(page.words(tried, "bold"), page.data(seed, "dim", _VALUE))
    if report.without_account:
        page.line(page.words(f"{count(report.without_account, 'active guest')} without an account yet.", "dim"))
    page.blank()
    page.line(page.words(f"{report.let_in:>7,}  ", "bold green" if report.let_in else "dim"), "let in", hanging=9)
    for cause, some in report.causes.items():
        page.line(page.words(f"{len(some):>7,}  ", "bold red"), page.words(cause.value, "bold"), hanging=9)
    missing = report.wanted - len(report.attempts)
    if missing:
        page.line(page.words(f"{missing:>7,}  ", "bold red"), "not tried: no KDC answers any more", hanging=9)
    page.blank()
    for some in report.causes.values():
        _group(page, some)


def _group(page: Page, some: list[Attempt]) -> None:
    """Say once what several guests have in common: the whole finding, or what to do."""
    findings = [attempt.findings[0] for attempt in some]
    first = findings[0]
    alike, remedied = len(set(findings)) == 1, len({f.remedy for f in findings}) == 1
    page.line(page.words(f"{first.cause.value}: {len(some):,}", "bold red"))
    if alike:
        page.line(page.data(first.what, limit=_SENTENCE), indent=2)
        _commands(page, first)
    elif remedied:
        _remedy(page, first, 2)
    for attempt, finding in zip(some[:_NAMED], findings, strict=False):
        page.line(page.quoted(attempt.label, "bold", _LABEL), "  ", page.data(attempt.guest, "dim", _LABEL), indent=2)
        if not alike:
            page.line(page.data(finding.what, limit=_SENTENCE), indent=4)
            _commands(page, finding, indent=4, remedy=not remedied)
    if some[_NAMED:]:
        page.line(page.words(f"…and {len(some) - _NAMED:,} more: --json has them all", "dim"), indent=2)
    page.blank()


def _refused(page: Page, refusal: Refusal | None) -> None:
    if refusal is None:
        return
    said = f"{refusal.words} ({refusal.code})" if refusal.step is not Step.PAGE else refusal.words
    page.line(page.words("✗ ", "bold red"), f"{STEPS[refusal.step]}: ", page.data(said, "red", _SENTENCE), hanging=2)
    page.blank()


def _findings(page: Page, findings: tuple[Finding, ...]) -> None:
    for number, finding in enumerate(findings):
        lead = "Also" if number else "Cause" if finding.sure else "Cannot tell for certain"
        page.line(
            page.words(f"{lead}: ", "bold"),
            page.words(finding.cause.value, "bold red"),
            hanging=2,
        )
        page.line(page.data(finding.what, limit=_SENTENCE), indent=2)
        _commands(page, finding)


def _commands(page: Page, finding: Finding, indent: int = 2, *, remedy: bool = True) -> None:
    if remedy:
        _remedy(page, finding, indent)
    for shell, commands in (("PowerShell", finding.powershell), ("Samba", finding.samba)):
        for command in commands:
            page.line(page.words(f"{shell:<11}", "dim"), page.data(command), indent=indent + 2, hanging=11)


def _remedy(page: Page, finding: Finding, indent: int) -> None:
    page.line(page.words("→ ", "green"), page.data(finding.remedy, limit=_SENTENCE), indent=indent, hanging=2)
