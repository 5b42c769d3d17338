"""The one object of `reconcile verify --json`."""

from __future__ import annotations

from reconciler.verify.causes import Finding
from reconciler.verify.kdc import Refusal
from reconciler.verify.port import Page
from reconciler.verify.report import Attempt, Report

FORMAT_VERSION = "1.0"
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def document(report: Report) -> dict[str, Json]:
    """Return the report for machines."""
    return {
        "format_version": FORMAT_VERSION,
        "passed": report.passed,
        "service": report.spn,
        "identity": report.identity.value,
        "connector": {"principal": report.connector or None, "from": report.source, "realm": report.realm},
        "directory": {"controller": report.directory or None, "unread": report.unread or None},
        "url": report.url,
        "sample": None
        if report.seed is None
        else {"seed": report.seed, "population": report.population, "without_account": report.without_account},
        "summary": {
            "wanted": report.wanted,
            "tried": len(report.attempts),
            "let_in": report.let_in,
            "by_cause": {cause.value: len(some) for cause, some in report.causes.items()},
        },
        "failed": [_finding(f) for f in report.failed],
        "refusal": _refusal(report.refusal),
        "everywhere": [_finding(f) for f in report.everywhere],
        "guests": [_attempt(a) for a in report.attempts],
    }


def _attempt(attempt: Attempt) -> Json:
    return {
        "guest": attempt.guest,
        "label": attempt.label,
        "account": {"dn": attempt.dn, "sid": attempt.sid, "sam_account_name": attempt.sam},
        "asked_for": attempt.asked,
        "assumed": attempt.assumed,
        "let_in": attempt.let_in,
        "seen_as": attempt.seen,
        "page": _page(attempt.page),
        "refusal": _refusal(attempt.refusal),
        "causes": [_finding(f) for f in attempt.findings],
        "also": [_finding(f) for f in attempt.also],
    }


def _finding(finding: Finding) -> Json:
    return {
        "cause": finding.cause.value,
        "sure": finding.sure,
        "what": finding.what,
        "remedy": finding.remedy,
        "powershell": list(finding.powershell),
        "samba_tool": list(finding.samba),
    }


def _refusal(refusal: Refusal | None) -> Json:
    return None if refusal is None else {"step": refusal.step.value, "code": refusal.code, "words": refusal.words}


def _page(page: Page | None) -> Json:
    return None if page is None else {"status": page.status, "proven": page.proven, "user": page.user}
