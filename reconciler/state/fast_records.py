"""Records from canonical shards: what `records` reads by the slower way, from the text of the entries."""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern
from typing import cast

from reconciler.model.account import Account, Missing
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value

from .entries import (
    AccountText,
    GuestText,
    account_entries,
    attribute_texts,
    guest_entries,
    list_items,
    protections,
)
from .fields import is_time
from .strict import decode, scalar, unquote

_PLAIN_DN = re.compile(r"[A-Za-z]+=[^,\\ ][^,\\]*+(?:,[A-Za-z]+=[^,\\ ][^,\\]*+)*+")
"""DNs that need no parsing to be known for one: each part has a type and a value, and nothing is escaped."""


def fast_guests(data: bytes, path: str) -> dict[str, Guest] | None:
    """Return a shard's guests, None where they are not surely what `records.read_guests` would find."""
    text = decode(data)
    entries = None if text is None else guest_entries(text, path)
    if entries is None:
        return None
    guests = {entry.id: guest_record(entry) for entry in entries}
    return None if None in guests.values() else cast("dict[str, Guest]", guests)


def fast_accounts(data: bytes, path: str) -> dict[str, Account] | None:
    """Return a shard's accounts, None where they are not surely what `records.read_accounts` would find."""
    text = decode(data)
    entries = None if text is None else account_entries(text, path)
    if entries is None:
        return None
    accounts = {entry.sid: account_record(entry) for entry in entries}
    return None if None in accounts.values() else cast("dict[str, Account]", accounts)


def guest_record(entry: GuestText) -> Guest | None:
    """Return one guest, None for what is for the slower reader to judge."""
    values = _values(entry.attributes)
    if values is None or not isinstance(values.get("accountEnabled", True), bool):
        return None
    if entry.removed and not sure_time(entry.removed_at):
        return None
    return Guest(
        entry.id, values, cast("Removal", intern(entry.removed)) if entry.removed else None, entry.removed_at or None
    )


def account_record(entry: AccountText) -> Account | None:
    """Return one account, None for what is for the slower reader to judge."""
    values = _values(entry.attributes)
    dn = account_dn(entry.dn)
    if values is None or dn is None or type(values.get("userAccountControl", 0)) is not int:
        return None
    if entry.departed and not sure_time(entry.departed):
        return None
    return Account(
        sid=entry.sid,
        guid=entry.guid,
        dn=dn,
        attributes=values,
        protected=tuple(sorted(protections(entry.protected))) if entry.protected else (),
        guest=entry.guest or None,
        departed=entry.departed or None,
        suspended=bool(entry.suspended),
        adopted=bool(entry.adopted),
        missing=cast("Missing", intern(entry.missing)) if entry.missing else None,
    )


def account_dn(quoted: str) -> DN | None:
    """Return the DN that a quoted string holds, None where it is none."""
    text = unquote(quoted)
    if _PLAIN_DN.fullmatch(text):
        return DN(text)
    try:
        return DN.parse(text)
    except ValueError:
        return None


def _values(block: str) -> dict[str, Value] | None:
    texts = attribute_texts(block)
    return None if texts is None else {intern(name): value(text) for name, text in texts.items()}


def value(text: str) -> Value:
    """Return the value that `attribute_texts` found."""
    return scalar(text[1:]) if text[0] == " " else tuple(sorted(list_items(text)))


@lru_cache(maxsize=1024)
def sure_time(text: str) -> bool:
    """Whether text that looks like a time is one of the calendar."""
    return is_time(text)
