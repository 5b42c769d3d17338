"""What `reconcile verify` prints: whatever comes from a directory, a KDC or a page stays data."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from reconciler.model.identity import Identity
from reconciler.render.verification import verification
from reconciler.render.verification_json import document
from reconciler.verify.causes import Cause, Finding
from reconciler.verify.kdc import Refusal, Step
from reconciler.verify.port import Page
from reconciler.verify.report import Attempt, Report

NASTY = "x\x1b]0;owned\x07\u202e\r\n::error::[red]y"
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)


def attempt(n: int = 0, *, cause: Cause | None = None, text: str = "plain", page: Page | None = None) -> Attempt:
    found = (
        (Finding(cause, f"{text} {n}", f"do {text}", (f"Do-This '{text}'",), (f"samba-tool {text}",)),) if cause else ()
    )
    refusal = Refusal(Step.SERVICE, 13, text) if cause else None
    seen = None if cause else text
    return Attempt(
        f"guest-{n}", text, text, text, text, text, assumed=True, findings=found, refusal=refusal, seen=seen, page=page
    )


def report(*attempts: Attempt, seed: str | None = None, wanted: int | None = None, text: str = "plain") -> Report:
    return Report(
        text,
        Identity.UPN,
        text,
        f"keytab {text}",
        text,
        text,
        "",
        attempts,
        seed=seed,
        url="https://app",
        population=len(attempts),
        wanted=len(attempts) if wanted is None else wanted,
        everywhere=(Finding(Cause.NOT_ALLOWED, text, text),),
    )


def printed(shown: Report, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    verification(shown, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "shown",
    [
        report(attempt(text=NASTY, page=Page(200, proven=True, user=NASTY)), text=NASTY),
        report(attempt(cause=Cause.OTHER, text=NASTY), text=NASTY),
        report(*(attempt(n, cause=Cause.OTHER, text=NASTY) for n in range(7)), seed=NASTY, text=NASTY),
    ],
)
def test_nothing_that_comes_from_elsewhere_acts_on_terminal_or_log(shown: Report) -> None:
    text = printed(shown, 300)
    assert all(c.isprintable() for c in text.replace("\n", ""))
    assert "::error" not in text
    assert "\\u{1b}" in text
    assert json.dumps(document(shown)).isascii()


def test_what_several_have_in_common_is_said_once() -> None:
    text = printed(report(attempt(), *(attempt(n, cause=Cause.DISABLED) for n in range(7)), seed="s"))
    assert text.count("do plain") == 1
    assert "      1  let in" in text
    assert "      7  disabled" in text
    assert "…and 2 more" in text


def test_a_run_that_ended_early_says_how_many_were_not_tried() -> None:
    text = printed(report(attempt(), seed="s", wanted=5))
    assert "      4  not tried" in text
    assert not report(attempt(), seed="s", wanted=5).passed


def test_what_is_in_everybodys_way_is_not_said_twice() -> None:
    assert printed(report(attempt(cause=Cause.NOT_ALLOWED))).count("not-allowed-to-delegate") == 1
