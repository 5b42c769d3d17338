"""Guests and accounts as they stand in a shard: record to document and back.

Attributes are nested under `attributes:`, so that none, whatever a directory calls it, can pass for a field of ours.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal

from .canonical import Node, load
from .fast_records import fast_accounts, fast_guests
from .fields import Fields, Source, attributes
from .paths import account_path, guest_path, is_guid, is_sid, sid_key

LEADING = ("userPrincipalName", "userType", "accountEnabled")


def guests_document(guests: Iterable[Guest]) -> dict[str, Node]:
    """Return a shard of guests, sorted by id."""
    return {guest.id: _guest_node(guest) for guest in sorted(guests, key=lambda g: g.id)}


def accounts_document(accounts: Iterable[Account]) -> dict[str, Node]:
    """Return a shard of accounts, sorted by SID as numbers."""
    return {account.sid: _account_node(account) for account in sorted(accounts, key=lambda a: sid_key(a.sid))}


def read_guests(data: bytes, path: str) -> dict[str, Guest]:
    """Return a shard's guests; raise StateError (`file:line`) for damage and for an id that does not belong in it.

    A canonical shard is read entry by entry, thirty times as fast; both ways give the same.
    """
    fast = fast_guests(data, path)
    return slow_guests(data, path) if fast is None else fast


def slow_guests(data: bytes, path: str) -> dict[str, Guest]:
    """Return a shard's guests, whether canonical or not."""
    source = Source(path, data)
    guests = {}
    for key, node in load(data, path).items():
        if not is_guid(key) or guest_path(key) != path:
            raise source.error((key,), "not the id of a guest that belongs in this file")
        guests[key] = _guest(key, Fields(source, node, key))
    return guests


def read_accounts(data: bytes, path: str) -> dict[str, Account]:
    """Return a shard's accounts; raise StateError like `read_guests`."""
    fast = fast_accounts(data, path)
    return slow_accounts(data, path) if fast is None else fast


def slow_accounts(data: bytes, path: str) -> dict[str, Account]:
    """Return a shard's accounts, whether canonical or not."""
    source = Source(path, data)
    accounts = {}
    for key, node in load(data, path).items():
        if not is_sid(key) or account_path(key) != path:
            raise source.error((key,), "not the SID of an account that belongs in this file")
        accounts[key] = _account(key, Fields(source, node, key))
    return accounts


def _guest_node(guest: Guest) -> Node:
    return {
        "removed": guest.removed,
        "removedAt": guest.removed_at,
        "attributes": attributes(guest.attributes, LEADING) or None,
    }


def _guest(key: str, fields: Fields) -> Guest:
    removed: Removal | None = fields.one_of("removed", "changed", "deleted")
    removed_at = fields.time("removedAt")
    if (removed is None) != (removed_at is None):
        raise fields.refuse("removed", "removed and removedAt go together")
    values = fields.values("attributes")
    enabled = values.get("accountEnabled")
    if enabled is not None and not isinstance(enabled, bool):  # "false" would pass for a guest who may sign in
        raise fields.refuse("attributes", "accountEnabled is neither true nor false")
    fields.close()
    return Guest(key, values, removed, removed_at)


def _account_node(account: Account) -> Node:
    return {
        "objectGUID": account.guid,
        "distinguishedName": account.dn.text,
        "guest": account.guest,
        "departed": account.departed,
        "suspended": account.suspended or None,
        "adopted": account.adopted or None,
        "missing": account.missing,
        "protected": sorted(account.protected),
        "attributes": attributes(account.attributes) or None,
    }


def _account(key: str, fields: Fields) -> Account:
    guid = fields.string("objectGUID")
    if not is_guid(guid):
        raise fields.refuse("objectGUID", "not a GUID in lower case")
    guest = fields.optional("guest")
    if guest is not None and not is_guid(guest):
        raise fields.refuse("guest", "not a guest's id: a GUID in lower case")
    values = fields.values("attributes")
    if type(values.get("userAccountControl", 0)) is not int:
        raise fields.refuse("attributes", "userAccountControl is not a whole number")
    account = Account(
        sid=key,
        guid=guid,
        dn=_dn(fields),
        attributes=values,
        protected=tuple(sorted(fields.strings("protected"))),
        guest=guest,
        departed=fields.time("departed"),
        suspended=fields.flag("suspended"),
        adopted=fields.flag("adopted"),
        missing=fields.one_of("missing", "deleted", "expired", "invisible"),
    )
    fields.close()
    return account


def _dn(fields: Fields) -> DN:
    text = fields.string("distinguishedName")
    try:
        return DN.parse(text)
    except ValueError as error:
        raise fields.refuse("distinguishedName", "not a distinguished name") from error
