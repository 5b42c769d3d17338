"""How guests and accounts stand in their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from reconciler.model.account import Account
from reconciler.model.guest import Guest

from .canonical import dump
from .entries import AccountText, GuestText, account_entries, guest_entries
from .fast_records import account_record, guest_record
from .paths import account_path, guest_path, sid_key
from .records import accounts_document, guests_document, read_accounts, read_guests
from .shards import Form, Text
from .strict import decode


def _guest_texts(data: bytes, path: str) -> Mapping[str, Text] | None:
    text = decode(data)
    found = None if text is None else guest_entries(text, path)
    return None if found is None else {entry.id: entry for entry in found}


def _account_texts(data: bytes, path: str) -> Mapping[str, Text] | None:
    text = decode(data)
    found = None if text is None else account_entries(text, path)
    return None if found is None else {entry.sid: entry for entry in found}


def guest_form(check: Callable[[Mapping[str, Guest]], None]) -> Form[Guest]:
    """Return the form of guests; `check` raises StateError for those it is given that lack what they must have."""

    def read(data: bytes, path: str) -> dict[str, Guest]:
        guests = read_guests(data, path)
        check(guests)
        return guests

    def record(text: Text) -> Guest | None:
        guest = guest_record(cast("GuestText", text))
        if guest is not None:
            check({guest.id: guest})
        return guest

    return Form(
        path_of=guest_path,
        read=read,
        entries=_guest_texts,
        record=record,
        dump=lambda guests: dump(guests_document(guests)),
        order=str,
    )


GUEST_FORM = guest_form(lambda _found: None)
ACCOUNT_FORM: Form[Account] = Form(
    path_of=account_path,
    read=read_accounts,
    entries=_account_texts,
    record=lambda text: account_record(cast("AccountText", text)),
    dump=lambda accounts: dump(accounts_document(accounts)),
    order=sid_key,
)
