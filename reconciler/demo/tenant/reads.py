"""Plain reads of users: one, a list, the deleted items."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .answers import Answer, Entropy, Json, Stationery
from .faults import Faults
from .query import MAX_PAGE, Filter, parse_filter, parse_select, project
from .store import Store, User

_UNSUPPORTED = ("$expand", "$search", "$skip", "$orderby")


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a nextLink of a list goes on."""

    path: str
    ids: tuple[str, ...]
    select: tuple[str, ...] | None
    size: int
    offset: int = 0


class Reads:
    """`/users`, `/users/{id}`, `/directory/deletedItems/…`."""

    def __init__(self, store: Store, faults: Faults, stationery: Stationery, entropy: Entropy, page_size: int) -> None:
        self._store, self._faults, self._stationery = store, faults, stationery
        self._entropy, self._page_size = entropy, page_size
        self._lock = threading.Lock()
        self._links: dict[str, _Page] = {}

    def one(self, id_or_name: str, query: Mapping[str, str], graph: str) -> Answer:
        """Answer `GET /users/{id | userPrincipalName}`."""
        user = self._store.find(id_or_name)
        if user is None or self._faults.hides(user.id):
            return self._missing(id_or_name)
        return self._entity(user, query, f"{graph}/$metadata#users/$entity", {})

    def deleted_one(self, user_id: str, query: Mapping[str, str], graph: str) -> Answer:
        """Answer `GET /directory/deletedItems/{id}`."""
        user = self._store.find_deleted(user_id)
        if user is None:
            return self._missing(user_id)
        context = f"{graph}/$metadata#directoryObjects/$entity"
        return self._entity(_as_deleted(user), query, context, {"@odata.type": "#microsoft.graph.user"})

    def users(self, query: Mapping[str, str], graph: str) -> Answer:
        """Answer `GET /users`."""
        return self._list("/users", query, graph)

    def deleted_users(self, query: Mapping[str, str], graph: str) -> Answer:
        """Answer `GET /directory/deletedItems/microsoft.graph.user`."""
        return self._list("/directory/deletedItems/microsoft.graph.user", query, graph)

    def _list(self, path: str, query: Mapping[str, str], graph: str) -> Answer:
        page = self._continued(path, query) if "$skiptoken" in query else self._begun(path, query)
        if isinstance(page, Answer):
            return page
        end = page.offset + page.size
        found = (self._find(path, i) for i in page.ids[page.offset : end])
        document: dict[str, Json] = {
            "@odata.context": f"{graph}/$metadata#users",
            "value": [project(user, page.select) for user in found if user is not None],
        }
        if end < len(page.ids):
            token = urlsafe_b64encode(self._entropy(24)).decode()
            with self._lock:
                self._links[token] = replace(page, offset=end)
            document["@odata.nextLink"] = f"{graph}{path}?$skiptoken={token}"
        return Answer(200, document)

    def _begun(self, path: str, query: Mapping[str, str]) -> _Page | Answer:
        for name in _UNSUPPORTED:
            if name in query:
                what = f"The query parameter '{name}' is not supported by the test tenant."
                return self._stationery.graph_error(400, what, "Request_UnsupportedQuery")
        select = parse_select(query, self._stationery)
        condition = parse_filter(query["$filter"], self._stationery) if "$filter" in query else Filter()
        size = self._size(query)
        for parsed in (select, condition, size):
            if isinstance(parsed, Answer):
                return parsed
        assert isinstance(condition, Filter)  # noqa: S101  told to the type checker
        assert isinstance(size, int)  # noqa: S101  likewise
        assert not isinstance(select, Answer)  # noqa: S101  likewise
        ids = () if self._faults.empty else self._store.deleted() if path != "/users" else self._store.live()
        users = (self._find(path, i) for i in ids)
        return _Page(path, tuple(u.id for u in users if u is not None and condition.holds(u)), select, size)

    def _continued(self, path: str, query: Mapping[str, str]) -> _Page | Answer:
        with self._lock:
            page = self._links.get(query["$skiptoken"])
        if page is None or page.path != path:
            return self._stationery.graph_error(
                400, "Specified page token value has expired or is not valid.", "Directory_ExpiredPageToken"
            )
        return page

    def _size(self, query: Mapping[str, str]) -> int | Answer:
        text = query.get("$top")
        if text is None:
            return self._page_size
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
            what = f"Invalid page size specified: '{text}'. Must be between 1 and {MAX_PAGE} inclusive."
            return self._stationery.graph_error(400, what, "Request_UnsupportedQuery")
        return int(text)

    def _find(self, path: str, user_id: str) -> User | None:
        if path == "/users":
            return self._store.find(user_id)
        user = self._store.find_deleted(user_id)
        return None if user is None else _as_deleted(user)

    def _entity(self, user: User, query: Mapping[str, str], context: str, annotations: Mapping[str, Json]) -> Answer:
        select = parse_select(query, self._stationery)
        if isinstance(select, Answer):
            return select
        return Answer(200, {"@odata.context": context, **annotations, **project(user, select)})

    def _missing(self, user_id: str) -> Answer:
        what = f"Resource '{user_id}' does not exist or one of its queried reference-property objects are not present."
        return self._stationery.graph_error(404, what, "Request_ResourceNotFound")


def _as_deleted(user: User) -> User:
    """Return a soft-deleted user as Entra shows it: the name carries the id, so that a new user may take it."""
    when = f"{user.deleted:%Y-%m-%dT%H:%M:%SZ}"
    name = user.id.replace("-", "") + str(user.properties["userPrincipalName"])
    return replace(user, properties={**user.properties, "userPrincipalName": name, "deletedDateTime": when})
