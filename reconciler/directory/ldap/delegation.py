"""Who takes part in a sign-in by delegation, read from one domain and its forest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

from reconciler.errors import DirectoryError
from reconciler.verify.facts import LOCKOUT, PASSWORD_EXPIRED, Party

from . import decode, filters, root
from .entries import in_groups
from .owners import CHUNK, chunks
from .protected import protected_users
from .reader import LdapReader
from .refusals import visible
from .session import Session
from .wire import Found

_ATTRIBUTES = (
    *("objectGUID", "objectSid", "sAMAccountName", "userPrincipalName", "userAccountControl", "accountExpires"),
    *("msDS-User-Account-Control-Computed", "memberOf", "primaryGroupID", "isDeleted", "servicePrincipalName"),
    *("msDS-AllowedToDelegateTo", "msDS-AllowedToActOnBehalfOfOtherIdentity"),
)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF})
_ANYONE = "(objectClass=user)"
"""Users, computers and managed service accounts, deleted or not: connectors and services are often computers."""


class Delegation(LdapReader):
    """Reads the facts of delegation over one connection, and the forest's names through its global catalog."""

    @property
    def url(self) -> str:
        """The controller that answers."""
        return self._session.url

    def parties(self, guids: Iterable[str]) -> dict[str, Party]:
        """Return the accounts with these GUIDs, deleted ones included."""
        found: dict[str, Party] = {}
        for chunk in chunks(guids, CHUNK):
            any_of = filters.either(filters.equals("objectGUID", decode.guid_bytes(guid)) for guid in chunk)
            where = filters.both(_ANYONE, any_of)
            for item in self._session.search(self._names.domain, where, _ATTRIBUTES, deleted=True):
                found[decode.guid(item.one("objectGUID") or b"")] = self._party(item)
        return found

    def named(self, names: Iterable[str], *, by_upn: bool) -> dict[str, tuple[Party, ...]]:
        """Return who has each of these names."""
        attribute = "userPrincipalName" if by_upn else "sAMAccountName"
        asked = list(dict.fromkeys(names))
        holders: dict[str, dict[str, Party]] = defaultdict(dict)
        for chunk in chunks(asked, CHUNK):
            where = filters.both(_ANYONE, filters.either(filters.equals(attribute, name) for name in chunk))
            for found in self._everywhere(where) if by_upn else self._here(where):
                holders[found.text(attribute).casefold()].setdefault(found.dn, self._party(found))
        return {name: tuple(holders[name.casefold()].values()) for name in asked if name.casefold() in holders}

    def principal(self, principal: str) -> Party | None:
        """Return the account that signs in under a Kerberos principal: by account name, else by UPN."""
        name = principal.rpartition("@")[0] or principal
        for attribute, value in (
            ("sAMAccountName", name),
            ("userPrincipalName", principal),
            ("userPrincipalName", name),
        ):
            where = filters.both(_ANYONE, filters.equals(attribute, value))
            for found in self._here(where):
                return self._party(found)
        return None

    def serving(self, spn: str) -> tuple[Party, ...]:
        """Return every account of the forest with this service principal name."""
        where = filters.both(_ANYONE, filters.equals("servicePrincipalName", spn))
        return tuple(self._party(found) for found in self._everywhere(where))

    def skew(self, now: datetime) -> timedelta:
        """Return how far `now` is ahead of the controller's clock, to a second or so."""
        answer = self._session.read("", ["currentTime"])
        said = answer.text("currentTime") if answer else ""
        try:
            theirs = datetime.strptime(said, "%Y%m%d%H%M%S.%fZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise DirectoryError(
                f"{visible(self.url)} does not tell the time: {visible(said)}", "Name an Active Directory controller."
            ) from error
        return now - theirs

    def _here(self, where: str) -> Iterator[Found]:
        return self._session.search(self._names.domain, where, _ATTRIBUTES)

    def _everywhere(self, where: str) -> Iterator[Found]:
        """Yield what this domain has, with everything it holds, then what only the forest's other domains have."""
        catalog = self._forest_of_several()
        seen = set[str]()
        beyond = catalog.search("", where, _ATTRIBUTES) if catalog else iter(())
        for found in chain(self._here(where), beyond):
            if (key := found.dn.casefold()) not in seen:
                seen.add(key)
                yield found

    def _forest_of_several(self) -> Session | None:
        if not self._names.global_catalog or root.domains_in_forest(self._session, self._names) <= 1:
            return None
        return self._forest()

    def _party(self, found: Found) -> Party:
        if self._groups is None:
            self._groups = protected_users(self._session, self._names, self._sid)
        computed = int(found.text("msDS-User-Account-Control-Computed") or 0)
        flags = found.text("userAccountControl")
        return Party(
            sid=decode.sid(found.one("objectSid") or b""),
            dn=found.dn,
            sam=found.text("sAMAccountName") or None,
            upn=found.text("userPrincipalName") or None,
            uac=int(flags) if flags else None,
            locked=bool(computed & LOCKOUT),
            expires=_expiry(found.text("accountExpires")),
            password_expired=bool(computed & PASSWORD_EXPIRED),
            protected_users=in_groups(self._session, found, self._groups),
            deleted=found.text("isDeleted") == "TRUE",
            spns=_texts(found, "servicePrincipalName"),
            allowed_to=_texts(found, "msDS-AllowedToDelegateTo"),
            trusted_by=_trusted(found.one("msDS-AllowedToActOnBehalfOfOtherIdentity"), found.dn),
        )


def _texts(found: Found, name: str) -> tuple[str, ...]:
    return tuple(sorted(raw.decode("utf-8", "replace") for raw in found.values.get(name.lower(), ())))


def _expiry(filetime: str) -> datetime | None:
    """Return accountExpires as a time ([MS-ADA1] 2.1): 100-nanosecond steps since 1601, two values for never."""
    ticks = int(filetime or 0)
    if ticks in _NEVER:
        return None
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def _trusted(raw: bytes | None, dn: str) -> tuple[str, ...]:
    """Return the SIDs that the descriptor's access list allows anything ([MS-DTYP] 2.4.6). Raises DirectoryError."""
    if raw is None:
        return ()
    from .descriptor import parse

    try:
        entries = parse(raw).entries or ()
    except ValueError as error:
        raise DirectoryError(
            f"{visible(dn)}: msDS-AllowedToActOnBehalfOfOtherIdentity cannot be read: {error}",
            "Clear it, or set it again with Set-ADUser -PrincipalsAllowedToDelegateToAccount.",
        ) from error
    return tuple(sorted({entry.sid for entry in entries if entry.allow}))
