"""`GET /users/delta`: rounds of pages that end in a link to the next round.

Links are random and mean something to this tenant alone. A round's deltaLink points at the moment the round began, so
what changes while it is read comes again with the next one: clients merge.
"""

from __future__ import annotations

import re
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .answers import Answer, Entropy, Json, Stationery
from .faults import Faults, Quirks
from .query import LISTS, MAX_PAGE, parse_ids, parse_select
from .store import Change, Store

LIFETIME = timedelta(days=7)
_MAX_IDS = 50
_UNSUPPORTED = ("$top", "$orderby", "$expand", "$search", "$skip", "$count")


@dataclass(frozen=True, slots=True)
class _Tracked:
    """What a client asked for once: every link of it stays bound to that. None: every property, every user."""

    select: tuple[str, ...] | None
    only: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a nextLink goes on: a round's users from `offset`. `since` None is a full round; `number` counts from 1."""

    tracked: _Tracked
    since: int | None
    point: int
    ids: tuple[str, ...]
    offset: int = 0
    number: int = 1
    blank: bool = False
    """The empty page before this one was sent."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a deltaLink goes on: after a point of the log."""

    tracked: _Tracked
    point: int


class Delta:
    """Delta rounds over a store, with all links ever handed out."""

    def __init__(
        self, store: Store, faults: Faults, stationery: Stationery, *, entropy: Entropy, page_size: int, quirks: Quirks
    ) -> None:
        self.quirks = quirks
        self._store, self._faults, self._stationery = store, faults, stationery
        self._clock, self._entropy, self._page_size = stationery.clock, entropy, page_size
        self._lock = threading.Lock()
        self._links: dict[str, tuple[datetime, _Page | _Mark]] = {}

    def expire(self) -> None:
        """Let every link handed out so far be refused as expired."""
        with self._lock:
            self._links.clear()

    def answer(self, query: Mapping[str, str], headers: Mapping[str, str], graph: str) -> Answer:
        """Answer one page; `graph` is the address that links begin with."""
        skip, delta = query.get("$skiptoken"), query.get("$deltatoken")
        if skip is None and (delta is None or delta in ("", "latest")):
            tracked = self._tracked(query)
            if isinstance(tracked, Answer):
                return tracked
            page = self._latest(tracked) if delta == "latest" else self._full(tracked)
        else:
            if len(query) > 1:
                what = "A link of a delta query is used as it is: no other parameter may be added."
                return self._stationery.graph_error(400, what, "Request_UnsupportedQuery")
            link = self._redeem(skip if skip is not None else str(delta), _Mark if skip is None else _Page, graph)
            if isinstance(link, Answer):
                return link
            page = self._increment(link) if isinstance(link, _Mark) else link
        return self._send(page, headers, graph)

    def _tracked(self, query: Mapping[str, str]) -> _Tracked | Answer:
        for name in _UNSUPPORTED:
            if name in query:
                what = f"The query parameter '{name}' is not supported for a delta query."
                return self._stationery.graph_error(400, what, "Request_UnsupportedQuery")
        select = parse_select(query, self._stationery)
        if isinstance(select, Answer):
            return select
        only = parse_ids(query["$filter"], _MAX_IDS) if "$filter" in query else None
        if "$filter" in query and only is None:
            what = f"A delta query can be filtered by id alone, {_MAX_IDS} of them at most."
            return self._stationery.graph_error(400, what, "Request_UnsupportedQuery")
        return _Tracked(select, only)

    def _full(self, tracked: _Tracked) -> _Page:
        point = self._store.point
        ids = self._store.live() + (self._store.deleted() if self.quirks.removed_in_full else ())
        return _Page(tracked, None, point, _kept(ids, tracked))

    def _latest(self, tracked: _Tracked) -> _Page:
        point = self._store.point
        return _Page(tracked, point, point, ())

    def _increment(self, mark: _Mark) -> _Page:
        point = self._store.point
        ids = _kept(self._store.touched(mark.point), mark.tracked)
        return _Page(mark.tracked, mark.point, point, tuple(i for i in ids if self._change(i, mark) is not None))

    def _redeem(self, token: str, kind: type[_Page | _Mark], graph: str) -> _Page | _Mark | Answer:
        with self._lock:
            found = self._links.get(token)
        if found is not None and isinstance(found[1], kind) and self._clock() - found[0] <= LIFETIME:
            return found[1]
        what = "The sync state generation is not found. The delta token is expired and data must be synchronized again."
        if self.quirks.expiry == "bad-request":
            return self._stationery.graph_error(400, what, "syncStateNotFound")
        restart = {"Location": f"{graph}/users/delta?$deltatoken="}
        return self._stationery.graph_error(410, what, "syncStateNotFound", restart)

    def _send(self, page: _Page, headers: Mapping[str, str], graph: str) -> Answer:
        size = _size(headers, self._page_size)
        spoiled = self._faults.on_page(page.number)
        if spoiled is not None and spoiled.damage is None:
            return spoiled
        end = page.offset + size
        last = end >= len(page.ids) or self._faults.empty
        if self._faults.half and (last or page.offset >= len(page.ids) // 2):
            return self._stationery.graph_error(500, "Made to fail by the test tenant.")
        document: dict[str, Json] = {"@odata.context": f"{graph}/$metadata#users"}
        if self.quirks.empty_pages and not page.blank:
            document |= {
                "value": [],
                "@odata.nextLink": self._link(replace(page, number=page.number + 1, blank=True), graph),
            }
        else:
            document["value"] = (
                [] if self._faults.empty else self._objects(page, size, "return=minimal" in _prefer(headers))
            )
            if not last:
                following = replace(page, offset=end, number=page.number + 1, blank=False)
                document["@odata.nextLink"] = self._link(following, graph)
            elif not self._faults.no_delta_link:
                document["@odata.deltaLink"] = self._link(_Mark(page.tracked, page.point), graph)
        applied = {"Preference-Applied": f"odata.maxpagesize={size}"} if "odata.maxpagesize" in _prefer(headers) else {}
        return Answer(200, document, applied, spoiled.damage if spoiled else None)

    def _objects(self, page: _Page, size: int, minimal: bool) -> list[Json]:
        start = page.offset - 1 if self.quirks.repeats and page.offset else page.offset
        whole = self.quirks.whole_objects and not minimal
        changes = (self._change(i, page, whole=whole) for i in page.ids[start : page.offset + size])
        return [_document(change) for change in changes if change is not None]

    def _change(self, user_id: str, of: _Page | _Mark, *, whole: bool = False) -> Change | None:
        since = of.since if isinstance(of, _Page) else of.point
        change = self._store.change(user_id, since, of.tracked.select)
        if change is None or change.removed or not whole:
            return change
        complete = self._store.change(user_id, None, of.tracked.select)
        kept = complete.properties if complete is not None else {}
        return replace(change, properties={**kept, **change.properties})

    def _link(self, to: _Page | _Mark, graph: str) -> str:
        token = urlsafe_b64encode(self._entropy(48)).decode()
        with self._lock:
            self._links[token] = (self._clock(), to)
        name = "$skiptoken" if isinstance(to, _Page) else "$deltatoken"
        foreign = self._faults.foreign_next_link
        origin = re.sub(r"^https://[^/]+", foreign, graph) if foreign else graph
        return f"{origin}/users/delta?{name}={token}"


def _kept(ids: tuple[str, ...], tracked: _Tracked) -> tuple[str, ...]:
    return ids if tracked.only is None else tuple(i for i in ids if i in tracked.only)


def _document(change: Change) -> Json:
    if change.removed is not None:
        return {"id": change.id, "@removed": {"reason": change.removed}}
    held = {k: v for k, v in change.properties.items() if k != "id"}
    emptied: dict[str, Json] = {k: [] for k, v in held.items() if v is None and k in LISTS}
    return {"id": change.id, **held, **emptied}


def _prefer(headers: Mapping[str, str]) -> str:
    return headers.get("prefer", "").replace(" ", "").lower()


def _size(headers: Mapping[str, str], default: int) -> int:
    asked = re.search(r"odata\.maxpagesize=(\d+)", _prefer(headers))
    return min(max(int(asked[1]), 1), MAX_PAGE) if asked else default
