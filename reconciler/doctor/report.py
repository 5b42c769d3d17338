"""Everything that was found, and whether the installation may be used like that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .catalog import ALL
from .finding import Area, Check, Finding, Verdict, localized


@dataclass(frozen=True, slots=True)
class Report:
    """One examination. `account` is what the signed-in account was examined as: reader or writer."""

    at: datetime
    account: str
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict) -> int:
        """How many findings have this verdict."""
        return sum(f.verdict is verdict for f in self.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The failures that make the installation unfit for use."""
        return tuple(f for f in self.findings if f.verdict is Verdict.FAIL and f.blocks)

    def of(self, area: Area) -> Iterator[Finding]:
        """Yield one area's findings."""
        return (f for f in self.findings if f.check.area is area)


def complete(
    at: datetime,
    account: str,
    found: Iterable[Finding],
    otherwise: Iterable[tuple[Check, str]],
    names: Mapping[str, str],
) -> Report:
    """Return the report, in the catalogue's order. `otherwise` says why a check was not made: each is in every report.

    `names` are this installation's, by Contoso's.
    """
    findings = list(found)
    made = {f.check.id for f in findings}
    findings += [check.unknown(why) for check, why in otherwise if check.id not in made]
    order = {check.id: i for i, check in enumerate(ALL)}
    return Report(at, account, tuple(localized(f, names) for f in sorted(findings, key=lambda f: order[f.check.id])))
