"""The directory port's reading half."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.directory.port import PEOPLES_NAMES, Changes, Domain, Entry
from reconciler.errors import DirectoryUnavailableError, NotFoundError
from reconciler.model.dn import DN
from reconciler.model.schema import Attribute, attribute

from . import decode, filters, request, root
from .entries import Entries, is_group
from .owners import CHUNK, chunks, kind, owners
from .protected import Along, Groups, protected_users
from .refusals import visible
from .session import Session
from .wire import Found

_FOREST = ""
"""The base under which a global catalog searches every domain of the forest."""


class LdapReader:
    """Reads one domain over one connection, which no other thread may use at the same time.

    `catalog` opens another one to the same controller's global catalog. `kinds` knows the attributes' kinds.
    """

    def __init__(
        self, session: Session, catalog: Callable[[], Session], kinds: Callable[[str], Attribute] = attribute
    ) -> None:
        self._kinds = kinds
        self._session = session
        self._open_catalog = catalog
        self._catalog: Session | None = None
        self._names = root.naming(session)
        self._sid = root.domain_sid(session, self._names.domain)
        self._groups: Groups | None = None
        self._along: Along | None = None
        self._asked: dict[tuple[str, ...], Entries] = {}
        self._source_of_authority: bool | None = None
        self._recycle_bin = False

    @property
    def base(self) -> DN:
        """The domain's DN, as its controller says it."""
        return DN(self._names.domain)

    def domain(self) -> Domain:
        """Return who this controller is and how far its database has come."""
        return root.domain(self._session)

    def accounts(
        self, ous: Sequence[DN], attributes: Sequence[str], progress: Callable[[int], None] = lambda _n: None
    ) -> Iterator[Entry]:
        """Yield every user under the OUs, once."""
        for ou in ous:
            if not self.exists(ou):
                raise NotFoundError(
                    f"There is no {visible(ou.text)}, or it is not visible to this account.",
                    "Create the OU, or correct directory.ous in reconcile.yaml.",
                )
        entries, seen = self._entries(attributes), set[str]()
        for ou in _outermost(ous):
            for page in self._session.pages(ou.text, filters.USER, entries.requested):
                fresh = [e for e in map(entries.entry, page) if e.guid not in seen]
                seen.update(e.guid for e in fresh)
                progress(len(seen))
                yield from fresh

    def changes(self, attributes: Sequence[str], since: int) -> Changes:
        """Return what has a uSNChanged of more than `since`, domain-wide."""
        groups, newer = protected_users(self._session, self._names, self._sid), filters.above(since)
        entries = self._entries(attributes, groups)
        base, graves = self._names.domain, self._names.deleted_objects
        live = self._session.search(base, filters.both(filters.USER, newer), entries.requested)
        users = {e.guid: e for e in map(entries.entry, live)}
        deleted: dict[str, Entry] = {}
        sees_deleted = root.deleted_seen(self._session, self._names)
        if sees_deleted:
            where = filters.both(filters.USER_OR_TOMBSTONE, newer, filters.TOMBSTONE)
            found = self._session.search(graves, where, entries.requested, deleted=True)
            deleted = {e.guid: e for e in map(entries.entry, found)}
        containers = any(self._session.search(base, filters.both(filters.CONTAINER, newer)))
        regrouped = self._session.search(base, filters.both(filters.GROUP, newer))
        return Changes(
            entries=tuple(e for e in users.values() if e.guid not in deleted),
            deleted=tuple(deleted.values()),
            containers=containers,
            sees_deleted=sees_deleted,
            protection=any(DN(found.dn) in groups.names for found in regrouped),
        )

    def find(self, guids: Iterable[str], attributes: Sequence[str]) -> dict[str, Entry]:
        """Return the users with these GUIDs wherever in the domain they are, deleted ones included."""
        asked = list(guids)
        if not asked:
            return {}
        found: dict[str, Entry] = {}
        for chunk in chunks(asked, CHUNK):
            any_of = filters.either(filters.equals("objectGUID", decode.guid_bytes(guid)) for guid in chunk)
            items, groups = self._with_groups(filters.both(filters.USER_OR_TOMBSTONE, any_of), attributes)
            entries = self._entries(attributes, groups)
            found |= {entry.guid: entry for entry in map(entries.entry, items)}
        return found

    def owners(self, attribute: str, values: Sequence[str]) -> dict[str, str]:
        """Return which of these names are taken, and by whom; userPrincipalName in the whole forest."""
        names = kind(attribute)
        owned = owners(self._session, self._names.domain, names, values)
        if attribute.casefold() == "userprincipalname" and self._names.global_catalog and values:
            catalog = self._forest()
            if catalog is not None:
                owned = owners(catalog, _FOREST, names, values) | owned
        return owned

    def administrators(self) -> Iterator[Entry]:
        """Yield every user of the domain with adminCount 1."""
        entries = self._entries(PEOPLES_NAMES)
        where = filters.both(filters.USER, filters.equals("adminCount", "1"))
        for page in self._session.pages(self._names.domain, where, entries.requested):
            yield from map(entries.entry, page)

    def read(self, dn: DN, attributes: Sequence[str]) -> Entry | None:
        """Return the user with this DN, or None; raise DirectoryError for an object of another kind."""
        if not dn.text:  # the root DSE is no object of the domain
            return None
        found = self._session.read(dn.text, self._entries(attributes, Groups()).requested)
        return self._entries(attributes).entry(found) if found else None

    def exists(self, dn: DN) -> bool:
        """Whether there is an object with this DN."""
        return bool(dn.text) and self._session.read(dn.text, ()) is not None

    def close(self) -> None:
        """Give the connections back."""
        for session in filter(None, (self._session, self._catalog)):
            session.close()

    def _entries(self, attributes: Sequence[str], groups: Groups | None = None) -> Entries:
        if groups is None:
            groups = self._groups = protected_users(self._session, self._names, self._sid)
        asked = tuple(attributes)
        if asked not in self._asked:
            self._asked[asked] = self._reading(asked)
        return self._asked[asked].among(groups)

    def _reading(self, attributes: tuple[str, ...]) -> Entries:
        if self._source_of_authority is None:
            self._source_of_authority = root.in_schema(self._session, self._names, "msDS-ObjectSoa")
            self._recycle_bin = root.recycle_bin(self._session, self._names)
        return Entries(
            self._session,
            attributes,
            Groups(),
            self._kinds,
            source_of_authority=self._source_of_authority,
            recycle_bin=self._recycle_bin,
        )

    def _with_groups(self, where: str, attributes: Sequence[str]) -> tuple[list[Found], Groups]:
        """Return what matches, with the groups of protected users as they are in the same moment."""
        if self._groups is None:
            self._along = None
        elif self._along is None or self._along.groups is not self._groups:
            self._along = Along.of(self._groups, self._sid)
        along, asked = self._along, request.encode_filter(where)
        condition = request.either(asked, along.condition) if along else asked
        requested = self._entries(attributes, Groups()).requested
        found = list(self._session.search(self._names.domain, condition, requested, deleted=True))
        now = along.now([item for item in found if is_group(item)]) if along else None
        if now is None:
            now = protected_users(self._session, self._names, self._sid)
        self._groups = now
        return [item for item in found if not is_group(item)], now

    def _forest(self) -> Session | None:
        """The global catalog, or None where it cannot be reached and this domain is the whole forest anyway."""
        if self._catalog is None:
            try:
                self._catalog = self._open_catalog()
            except DirectoryUnavailableError:
                if root.domains_in_forest(self._session, self._names) > 1:
                    raise
        return self._catalog


def _outermost(ous: Sequence[DN]) -> list[DN]:
    """Leave out every OU that lies in another one."""
    distinct = list(dict.fromkeys(ous))
    return [ou for ou in distinct if not any(ou != other and ou.within(other) for other in distinct)]
