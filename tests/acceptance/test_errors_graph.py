"""Graph refuses, lies, breaks off or forgets: an import that is not provably complete writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from reconciler.demo.tenant import Faults, Quirks

from .case import Case

pytestmark = pytest.mark.samba


def half_of_the_pages(faults: Faults) -> None:
    faults.half = True


def no_delta_link(faults: Faults) -> None:
    faults.no_delta_link = True


def foreign_next_link(faults: Faults) -> None:
    faults.foreign_next_link = "https://evil.test"


INCREMENTAL, FULL = ("snapshot",), ("snapshot", "--full")
FAULTS: dict[str, tuple[tuple[str, ...], Callable[[Faults], None], list[str]]] = {
    "consent withdrawn": (INCREMENTAL, Faults.withdraw_consent, ["Authorization_RequestDenied", "User.Read.All"]),
    "the last page fails": (FULL, lambda f: f.fail_page(2, times=None), ["HTTP 500", "request id", "run again"]),
    "half of the pages": (FULL, half_of_the_pages, ["HTTP 500", "run again"]),
    "changes cut off": (INCREMENTAL, lambda f: f.cut_page(1, times=None), ["was cut off before its end"]),
    "a page cut off": (FULL, lambda f: f.cut_page(2, times=None), ["was cut off before its end", "Nothing was taken"]),
    "no JSON": (FULL, lambda f: f.malform_page(2, times=None), ["other than a JSON object", "Nothing was taken"]),
    "no connection": (INCREMENTAL, lambda f: f.drop(None), ["cannot be reached", "Check its name"]),
    "no delta link": (FULL, no_delta_link, ["incomplete: a page of it says neither", "run again"]),
    "no next delta link": (INCREMENTAL, no_delta_link, ["incomplete: a page of it says neither", "run again"]),
    "a foreign link": (FULL, foreign_next_link, ["leads away from", "was not followed", "entra.graph"]),
    "a long wait": (INCREMENTAL, lambda f: f.throttle(None, retry_after=4000), ["HTTP 429", "run again later"]),
    "no sign-in": (
        FULL,
        lambda f: f.fail_sign_in(None, status=500),
        ["sign-in is busy or failing (HTTP 500)", "later"],
    ),
}


@pytest.mark.parametrize(("command", "switch", "says"), FAULTS.values(), ids=FAULTS)
def test_what_is_not_whole_is_not_taken(
    case: Case, command: tuple[str, ...], switch: Callable[[Faults], None], says: list[str]
) -> None:
    case.tenant.quirks = Quirks(empty_pages=command == FULL)  # several pages, with so few users
    switch(case.tenant.faults)
    try:
        case.refused(*command, says=says)
    finally:
        case.tenant.quirks = Quirks()


def test_an_empty_list_where_there_were_guests_is_not_believed(case: Case) -> None:
    case.tenant.faults.empty = True
    case.refused("snapshot", "--full", says=["left it out, so the round was not complete", "Nothing was written"])


@pytest.fixture
def leaver_and_newcomer(case: Case) -> Iterator[tuple[str, str]]:
    """Let one guest leave and another one come, for the length of a test."""
    leaver, newcomer = case.tenant.guests()[-1].id, case.tenant.invite({"mail": "new@adatum.com"})
    case.tenant.soft_delete(leaver)
    yield leaver, newcomer
    case.tenant.restore(leaver)
    case.tenant.purge(newcomer)


EXPIRIES = {"410 Gone": Quirks(expiry="gone"), "400 syncStateNotFound": Quirks(expiry="bad-request")}


@pytest.mark.parametrize("quirks", EXPIRIES.values(), ids=EXPIRIES)
def test_an_expired_delta_link_is_followed_by_a_full_round(
    case: Case, leaver_and_newcomer: tuple[str, str], quirks: Quirks
) -> None:
    leaver, newcomer = leaver_and_newcomer
    case.tenant.quirks = quirks
    case.tenant.expire_delta_links()
    done = case.ops.reconcile("snapshot")
    case.tenant.quirks = Quirks()
    assert "no longer knows the stored delta link: reading everything" in done.err
    planned = {(c["action"], c["guest"]) for c in case.ops.reconcile("plan", "--json").json["changes"]}
    assert planned >= {("create", newcomer), ("disable", leaver), ("move", leaver)}
    assert "Reading changes from Entra" in case.ops.reconcile("snapshot").err


def test_a_throttled_round_is_waited_for(case: Case) -> None:
    case.tenant.faults.throttle(2, retry_after=1)
    started = time.monotonic()
    case.ops.reconcile("snapshot")
    assert time.monotonic() - started >= 2


def test_a_throttled_lookup_inside_a_batch_is_waited_for(case: Case) -> None:
    case.tenant.faults.throttle(2, retry_after=1, batched=True)
    started = time.monotonic()
    assert set(case.ops.reconcile("apply", "--yes", "--json").json["counts"]) <= {"done", "already"}
    assert time.monotonic() - started >= 2
