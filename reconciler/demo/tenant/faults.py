"""What a test or a demonstration can make go wrong, and the freedoms Graph takes when nothing is wrong."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from .answers import Answer, Damage, Stationery

Expiry = Literal["gone", "bad-request"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """Documented freedoms of a delta round: none of them is an error."""

    repeats: bool = False
    """Each page but the first begins with the previous page's last object."""
    empty_pages: bool = False
    """Before each page comes an empty one with a nextLink."""
    whole_objects: bool = False
    """An increment carries every selected property that is set, not only the changed ones."""
    removed_in_full: bool = False
    """A full round lists the soft-deleted as `@removed`, too."""
    expiry: Expiry = "gone"
    """How an expired link is refused: 410 with a Location, or 400."""


@dataclass(slots=True)
class _Fault:
    times: int | None
    status: int = 0
    retry_after: int | None = None
    damage: Damage | None = None


class Faults:
    """Switches, all off. Methods queue faults for requests to come; attributes hold until changed. Thread-safe."""

    empty: bool
    """Lists and delta rounds hold nobody, and end properly."""
    half: bool
    """A delta round fails with 500 at its second half, however often it is asked."""
    no_delta_link: bool
    """The last page of a delta round carries no link at all."""
    foreign_next_link: str | None
    """Origin that replaces ours in links: `https://evil.test`."""
    slow: float
    """Seconds before every answer."""

    def __init__(self, stationery: Stationery) -> None:
        self._stationery = stationery
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Switch everything off."""
        self._requests: list[_Fault] = []
        self._batched: list[_Fault] = []
        self._sign_ins: list[_Fault] = []
        self._pages: dict[int, list[_Fault]] = {}
        self._hidden: frozenset[str] = frozenset()
        self.consented = True
        self.empty = self.half = self.no_delta_link = False
        self.foreign_next_link = None
        self.slow = 0.0

    def throttle(
        self, times: int | None = 1, *, status: int = 429, retry_after: int | None = 1, batched: bool = False
    ) -> None:
        """Refuse the next Graph requests (or those inside `$batch`) with `Retry-After` in seconds, None without it."""
        self._add(self._batched if batched else self._requests, _Fault(times, status, retry_after))

    def drop(self, times: int | None = 1) -> None:
        """Close the connection instead of answering the next Graph requests."""
        self._add(self._requests, _Fault(times, damage="drop"))

    def malform(self, times: int | None = 1) -> None:
        """Answer the next Graph requests with something that is no JSON, under a matching Content-Length."""
        self._add(self._requests, _Fault(times, damage="malform"))

    def fail_page(
        self, number: int, *, status: int = 500, times: int | None = 1, retry_after: int | None = None
    ) -> None:
        """Answer a delta round's page with an error."""
        self._page(number, _Fault(times, status, retry_after))

    def cut_page(self, number: int, *, times: int | None = 1) -> None:
        """Announce a delta round's page in full, send half of it and close."""
        self._page(number, _Fault(times, damage="cut"))

    def drop_page(self, number: int, *, times: int | None = 1) -> None:
        """Close the connection instead of sending a delta round's page."""
        self._page(number, _Fault(times, damage="drop"))

    def malform_page(self, number: int, *, times: int | None = 1) -> None:
        """Send a delta round's page as something that is no JSON."""
        self._page(number, _Fault(times, damage="malform"))

    def fail_sign_in(self, times: int | None = 1, *, status: int = 503) -> None:
        """Let the token endpoint be temporarily unavailable."""
        self._add(self._sign_ins, _Fault(times, status))

    def hide(self, *user_ids: str) -> None:
        """Let reads by id not see these users yet, as a replica that lags behind the delta query; none: see all."""
        self._hidden = frozenset(user_ids)

    def withdraw_consent(self) -> None:
        """Take the application's permissions away."""
        self.consented = False

    def grant_consent(self) -> None:
        """Give them back."""
        self.consented = True

    def hides(self, user_id: str) -> bool:
        """Whether reads by id do not see this user."""
        return user_id in self._hidden

    def on_request(self, *, batched: bool = False) -> Answer | None:
        """Return what the next request gets instead of its answer."""
        return self._take(self._batched if batched else self._requests)

    def on_sign_in(self) -> Answer | None:
        """Return what the next sign-in gets instead of its answer."""
        with self._lock:
            fault = _next(self._sign_ins)
        if fault is None:
            return None
        message = "A transient error has occurred. Please try again."
        return self._stationery.sign_in_error(fault.status, "temporarily_unavailable", 90033, message)

    def on_page(self, number: int) -> Answer | None:
        """Return what a delta round's page gets instead; one that has no status of its own spoils the true answer."""
        return self._take(self._pages.get(number, []))

    def _page(self, number: int, fault: _Fault) -> None:
        self._add(self._pages.setdefault(number, []), fault)

    def _add(self, faults: list[_Fault], fault: _Fault) -> None:
        with self._lock:
            faults.append(fault)

    def _take(self, faults: list[_Fault]) -> Answer | None:
        with self._lock:
            fault = _next(faults)
        if fault is None:
            return None
        if fault.damage is not None:
            return Answer(200, damage=fault.damage)
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return self._stationery.graph_error(fault.status, "Made to fail by the test tenant.", headers=headers)


def _next(faults: list[_Fault]) -> _Fault | None:
    while faults and faults[0].times == 0:
        faults.pop(0)
    if not faults:
        return None
    fault = faults[0]
    if fault.times is not None:
        fault.times -= 1
    return fault
