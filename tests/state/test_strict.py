"""The fast way through canonical text: it sees what the slow way sees, or leaves the file to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.canonical import dump, quote
from reconciler.state.fast_records import fast_accounts, fast_guests
from reconciler.state.outline import read_outline
from reconciler.state.paths import account_path, guest_path
from reconciler.state.reader import read
from reconciler.state.records import accounts_document, guests_document, slow_accounts, slow_guests

from .records import ALICE, DOMAIN, LAW, a_guest, accounts, an_account, guests, sid
from .test_canonical import DOCUMENTS, HOSTILE
from .test_reader import damaged, yamlish

GUEST_FILE, ACCOUNT_FILE = guest_path(ALICE), account_path(sid(1105))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from([t for t in HOSTILE if t])


def guest_shards() -> st.SearchStrategy[list[Guest]]:
    """Guests that share a file."""

    def moved(some: list[Guest]) -> list[Guest]:
        return [Guest(ALICE[:3] + g.id[3:], g.attributes, g.removed, g.removed_at) for g in some]

    return st.lists(guests(), min_size=1, max_size=4, unique_by=lambda g: g.id[3:]).map(moved)


def account_shards() -> st.SearchStrategy[list[Account]]:
    """Accounts that share a file."""

    def moved(some: list[Account]) -> list[Account]:
        return [replace(a, sid=sid(1105 + 4096 * n)) for n, a in enumerate(some)]

    return st.lists(accounts(), min_size=1, max_size=4).map(moved)


def agree(fast: Callable[[bytes], Any], slow: Callable[[bytes], Any], data: bytes) -> bool:
    """Whether the fast way answered; whatever it answers, the slow way answers too, to the type."""
    found = fast(data)
    if found is None:
        with suppress(StateError):
            slow(data)
        return False
    try:
        expected = slow(data)
    except StateError as error:
        pytest.fail(f"read the fast way, refused the slow way: {error}")
    assert found == expected
    assert repr(found) == repr(expected)
    return True


def outline(data: bytes) -> bool:
    return agree(read_outline, lambda d: read(d, "f"), data)


def guest_file(data: bytes) -> bool:
    return agree(lambda d: fast_guests(d, GUEST_FILE), lambda d: slow_guests(d, GUEST_FILE), data)


def account_file(data: bytes) -> bool:
    return agree(lambda d: fast_accounts(d, ACCOUNT_FILE), lambda d: slow_accounts(d, ACCOUNT_FILE), data)


@LAW
@given(DOCUMENTS)
def test_any_canonical_document_reads_the_same_both_ways(document: dict[str, Any]) -> None:
    assert outline(dump(document)) or not document or "" in str(document)


@LAW
@given(guest_shards())
def test_a_canonical_shard_of_guests_is_read_the_fast_way(some: list[Guest]) -> None:
    fast = guest_file(dump(guests_document(some)))
    assert fast or any(not g.attributes and not g.removed for g in some)


@LAW
@given(account_shards())
def test_a_canonical_shard_of_accounts_is_read_the_fast_way(some: list[Account]) -> None:
    fast = account_file(dump(accounts_document(some)))
    assert fast or any(type(a.attributes.get("userAccountControl", 0)) is not int for a in some)


GOOD_GUESTS = dump(
    guests_document(
        [
            a_guest(ALICE, displayName='Zoë "Z" \u202e', mail="a@x", otherMails=("a", "b")),
            Guest(ALICE[:3] + "0" * 5 + ALICE[8:], {"mail": "b@x"}, "changed", "2026-05-01T12:00:00Z"),
        ]
    )
)
GOOD_ACCOUNTS = dump(
    accounts_document(
        [
            an_account(1105, ALICE, attributes={"userAccountControl": 514, "sn": "x"}, protected=("adminCount",)),
            an_account(1105 + 4096, None, suspended=True, adopted=True, departed="2026-05-01T12:00:00Z"),
        ]
    )
)


def mangled(good: bytes) -> st.SearchStrategy[bytes]:
    """A good file with lines taken out, doubled, swapped or indented, and bytes replaced."""
    lines = good.splitlines(keepends=True)

    def rebuild(order: list[int], places: list[tuple[int, int]]) -> bytes:
        data = bytearray(b"".join(lines[i] for i in order) or good)
        for place, byte in places:
            data[place % len(data)] = byte
        return bytes(data)

    interesting = st.sampled_from([*b'\n "\\:-u0dU\x7f\x85\xe2\x80\xa8'])
    order = st.permutations(range(len(lines))) | st.lists(st.integers(0, len(lines) - 1), max_size=30)
    order |= st.just(list(range(len(lines))))
    return st.builds(rebuild, order, st.lists(st.tuples(st.integers(0, 2000), interesting), max_size=3))


@LAW
@given(mangled(GOOD_GUESTS))
@example(GOOD_GUESTS.replace(b'"Guest"', b"Guest"))
@example(GOOD_GUESTS.replace(b"accountEnabled: true", b'accountEnabled: "false"'))
@example(GOOD_GUESTS.replace(b"T12:", b"T25:"))
@example(GOOD_GUESTS.replace(b'"b@x"', b'"\\ud83d\\ude00"'))
@example(GOOD_GUESTS.replace(b'"b@x"', b'""'))
@example(GOOD_GUESTS.replace(b'"b@x"', '"a\u2028b"'.encode()))
@example(GOOD_GUESTS.replace(b"    mail: ", b'    "mail": "z"\n    mail: '))
@example(GOOD_GUESTS.replace(ALICE.encode(), ALICE.upper().encode()))
@example(GOOD_GUESTS.replace(ALICE.encode(), b"8" + ALICE.encode()[1:]))
@example(GOOD_GUESTS + GOOD_GUESTS)
@example(GOOD_GUESTS[:-1])
def test_guests_not_canonical_are_never_read_otherwise(data: bytes) -> None:
    guest_file(data)
    outline(data)


@LAW
@given(mangled(GOOD_ACCOUNTS))
@example(GOOD_ACCOUNTS.replace(b"514", b"0514"))
@example(GOOD_ACCOUNTS.replace(b"514", b"9223372036854775808"))
@example(GOOD_ACCOUNTS.replace(b"514", b'"514"'))
@example(GOOD_ACCOUNTS.replace(b'"CN=1105,', b'"CN=,'))
@example(GOOD_ACCOUNTS.replace(b'"CN=1105,', b'"CN=1105\\\\,x,'))
@example(GOOD_ACCOUNTS.replace(b"-1105", b"-1106"))
@example(GOOD_ACCOUNTS.replace(b"suspended: true", b"suspended: false"))
def test_accounts_not_canonical_are_never_read_otherwise(data: bytes) -> None:
    account_file(data)
    outline(data)


@LAW
@given(st.binary() | yamlish() | damaged())
def test_no_bytes_whatever_are_read_otherwise(data: bytes) -> None:
    outline(data)
    guest_file(data)
    account_file(data)


def smuggled(text: str) -> Iterable[bytes]:
    """A value put into a canonical file as it stands, quoted rightly, half, and not at all."""
    for attempt in (quote(text), f'"{text}"', text, f'"{text}', quote(text)[:-1]):
        yield GOOD_GUESTS.replace(b'"b@x"', attempt.encode())


@LAW
@given(TEXT)
@example('x"\n    accountEnabled: false\n    userType: "Member')
@example('x"\r    userType: "Member')
@example('x"\x85    userType: "Member')
@example('\\"\n    userType: \\"Member')
@example("x\\")
def test_a_crafted_value_smuggles_nothing_past_the_fast_way(text: str) -> None:
    for data in smuggled(text):
        guest_file(data)  # forged lines are seen by both, or refused


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_stays_one_value(text: str) -> None:
    if text:
        some = [a_guest(ALICE, displayName=text, city="x")]
        data = dump(guests_document(some))
        assert fast_guests(data, GUEST_FILE) == {ALICE: some[0]} == slow_guests(data, GUEST_FILE)


def test_a_canonical_shard_needs_no_yaml_library() -> None:
    code = (
        "import sys; from reconciler.state.records import read_guests; "
        f"read_guests({GOOD_GUESTS!r}, {GUEST_FILE!r}); assert 'yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("part", [0, 9, 10, 3_999_999_999, 4_000_000_000, 4_078_483_442, 4_294_967_295])
def test_any_number_of_32_bits_may_stand_in_a_sid(part: int) -> None:
    account = replace(an_account(), sid=f"S-1-5-21-{part}-1-{part}-1105")
    data = dump(accounts_document([account]))
    assert fast_accounts(data, ACCOUNT_FILE) == {account.sid: account} == slow_accounts(data, ACCOUNT_FILE)


@pytest.mark.parametrize("part", ["4294967296", "4300000000", "10000000000", "01", ""])
def test_no_other_number_may(part: str) -> None:
    data = dump(accounts_document([an_account()])).replace(DOMAIN.encode(), f"S-1-5-21-{part}-1-1".encode())
    assert fast_accounts(data, ACCOUNT_FILE) is None
    with pytest.raises(StateError):
        slow_accounts(data, ACCOUNT_FILE)
