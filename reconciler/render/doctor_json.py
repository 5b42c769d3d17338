"""The report of `reconcile doctor --json`: one object, for monitoring."""

from __future__ import annotations

from reconciler.doctor.finding import Finding, Steps, Verdict
from reconciler.doctor.report import Report

VERSION = 1


def document(report: Report) -> dict[str, object]:
    """Return the document; its form is in docs/how-to/doctor.md."""
    return {
        "version": VERSION,
        "examined_at": f"{report.at:%Y-%m-%dT%H:%M:%SZ}",
        "account": report.account,
        "fit": not report.blocking,
        "counts": {
            "pass": report.count(Verdict.PASS),
            "fail": report.count(Verdict.FAIL),
            "cannot-tell": report.count(Verdict.UNKNOWN),
            "blocking": len(report.blocking),
        },
        "findings": [_finding(f) for f in report.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.check.id,
        "area": finding.check.area.value,
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "blocks": finding.blocks,
        "title": finding.check.title,
        "why": finding.check.why,
        "seen": list(finding.seen),
        "do": _steps(finding.steps),
    }


def _steps(steps: Steps) -> dict[str, object]:
    return {
        "words": steps.words,
        "powershell": list(steps.powershell),
        "samba": list(steps.samba),
        "shell": list(steps.bash),
    }
