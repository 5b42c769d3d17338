"""The users of a tenant, by delta rounds and by lookup (`port.GuestSource`).

https://learn.microsoft.com/graph/delta-query-overview and https://learn.microsoft.com/graph/json-batching.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

from reconciler.errors import DeltaExpiredError, GraphError
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.scratch import Scratch

from . import batch
from .client import Answer, GraphClient, Json
from .port import Round
from .refusals import error_code
from .spool import Spool, Spooled
from .users import Selection, checked_id, entity, removal

_PAGE: Final = "odata.maxpagesize=999"
_EXPIRED: Final = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
_UNKNOWN: Final = frozenset({"Request_ResourceNotFound", "Directory_ObjectNotFound"})
"""A 404 of any other kind (a wrong path, a proxy) proves nothing about a user."""
_NEXT: Final = "@odata.nextLink"
_DELTA: Final = "@odata.deltaLink"


class GraphUsers:
    """Reads one tenant's users. `sleep` waits between the attempts of a throttled batch."""

    def __init__(self, client: GraphClient, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def round(
        self,
        attributes: Sequence[str],
        link: str | None,
        progress: Callable[[int], None] = lambda _n: None,
        scratch: Scratch | None = None,
    ) -> Round:
        """Read one delta round to its end, or nothing (`port.GuestSource.round`)."""
        selection = Selection.of(attributes)
        users: dict[str, dict[str, Value | None]] = {}
        spool = Spool(scratch) if scratch is not None and link is None else None
        removed: dict[str, Removal] = {}
        read = 0
        delta_link = ""
        start = self._client.url(f"users/delta?$select={selection.select}") if link is None else link
        for page in self._pages(start, expires=link is not None):
            items = page.get("value")
            if not isinstance(items, list):
                raise _incomplete("a page of it has no list of users")
            for raw in items:
                user_id, said = _said(selection, raw, removed)
                if said is None:
                    continue
                if spool is not None:
                    spool.add(user_id, said)
                else:
                    users.setdefault(user_id, {}).update(said)
            read += len(items)
            progress(read)
            delta_link = str(page.get(_DELTA, ""))
        if spool is not None:
            return Round(True, delta_link, Spooled(spool, removed), removed)
        live = {user_id: properties for user_id, properties in users.items() if user_id not in removed}
        return Round(link is None, delta_link, live, removed)

    def lookup(self, ids: Sequence[str], attributes: Sequence[str]) -> dict[str, Guest]:
        """Return each of these users as it is now, live or a tombstone (`port.GuestSource.lookup`)."""
        selection = Selection.of(attributes)
        wanted = list(dict.fromkeys(checked_id(each) for each in ids))
        answers = self._read([f"/users/{each}?$select={selection.select}" for each in wanted])
        found: dict[str, Guest] = {}
        for user_id, answer in zip(wanted, answers, strict=True):
            if _is_there(answer, user_id, "among the users"):
                properties = selection.read(user_id, answer.body)
                found[user_id] = Guest(user_id, {k: v for k, v in properties.items() if v is not None})
        gone = [each for each in wanted if each not in found]
        answers = self._read([f"/directory/deletedItems/{each}?$select=id" for each in gone])
        for user_id, answer in zip(gone, answers, strict=True):
            restorable = _is_there(answer, user_id, "among the deleted items")
            found[user_id] = Guest(user_id, {}, removed="changed" if restorable else "deleted")
        return {each: found[each] for each in wanted}

    def _read(self, urls: Sequence[str]) -> list[Answer]:
        return batch.read(self._client, urls, self._sleep)

    def _pages(self, url: str, *, expires: bool) -> Iterator[Json]:
        seen = set()
        while True:
            seen.add(url)
            answer = self._client.get(url, prefer=_PAGE)
            if not answer.ok:
                raise _page_refused(answer, replays=expires)
            following, last = answer.body.get(_NEXT), answer.body.get(_DELTA)
            if isinstance(last, str) and following is None:
                self._client.own(last)
                yield answer.body
                return
            if not isinstance(following, str) or last is not None:
                raise _incomplete("a page of it says neither how it goes on nor that it is the last")
            if following in seen:
                raise _incomplete("its pages lead in a circle")
            yield answer.body
            url = following


def _said(
    selection: Selection, item: object, removed: dict[str, Removal]
) -> tuple[str, dict[str, Value | None] | None]:
    """Return whom an entry of a page is about, and what it says; None where it says, in `removed`, that they are gone.

    The later entry wins, property by property, and in being there or gone.
    """
    user_id, raw = entity(item)
    gone = removal(user_id, raw)
    if gone is not None:
        removed[user_id] = gone
        return user_id, None
    removed.pop(user_id, None)
    return user_id, selection.read(user_id, raw)


def _is_there(answer: Answer, user_id: str, where: str) -> bool:
    """Whether the answer is that user; raise GraphError when it neither is nor denies that there is one."""
    if answer.ok:
        found, _ = entity(answer.body)
        if found != user_id:
            raise GraphError(f"Asked for user {user_id}, Graph answered with {found}", "Nothing was taken: run again.")
        return True
    if answer.status == HTTPStatus.NOT_FOUND and error_code(answer.body) in _UNKNOWN:
        return False
    raise answer.refusal(f"to look user {user_id} up {where}")


def _is_expired(answer: Answer) -> bool:
    refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return answer.status == HTTPStatus.GONE or (refused and error_code(answer.body).lower() in _EXPIRED)


def _page_refused(answer: Answer, *, replays: bool) -> GraphError:
    """Return what it means that a page was refused; `replays` says that the round began with a stored link."""
    if not _is_expired(answer):
        refusal = answer.refusal("a page of the users")
        if not replays or answer.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
            return refusal
        return GraphError(refusal.what, f"{refusal.remedy} {_WITHOUT}")
    if replays:
        return DeltaExpiredError(
            "Graph no longer honours the delta link", "Run `reconcile snapshot --full`: it needs no link."
        )
    return _incomplete("Graph lost its place among the pages")


_WITHOUT: Final = "If it is the stored link that Graph does not take, `reconcile snapshot --full` does without."


def _incomplete(how: str) -> GraphError:
    return GraphError(f"Graph's list of users is incomplete: {how}", "Nothing was taken from it: run again.")
