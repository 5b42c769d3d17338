"""From access lists to findings, where no controller at hand shows the like: what is hidden is not taken for well."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.directory.ldap.descriptor import Ace, Descriptor
from reconciler.doctor.finding import Finding, Verdict
from reconciler.doctor.rights import access, judge
from reconciler.doctor.rights.access import USER, Token
from reconciler.doctor.rights.names import Attribute, Names
from reconciler.doctor.rights.seen import Holder, Opinion, Places, Seen
from reconciler.model.dn import DN
from tests.policy.policies import DEFAULT, load

POLICY = load(DEFAULT)
BASE, OU = DN("DC=contoso,DC=test"), DN("OU=Guests,DC=contoso,DC=test")
ME = Token("me", "S-1-5-21-1-2-3-1000", "CN=me", frozenset({"S-1-5-21-1-2-3-1000", "S-1-5-21-1-2-3-1101"}), True)
BELOW = 0xA
NOTHING = Descriptor(None, ())


def seen(
    ou: Descriptor | None = NOTHING,
    *,
    base: Descriptor | None = NOTHING,
    sample: Descriptor | None = None,
    opinions: Sequence[Opinion] = (),
    names: Names | None = None,
) -> Seen:
    return Seen(
        token=ME,
        names=names or Names(),
        places=Places(BASE, (OU,), (OU,)),
        holders=(Holder(BASE, base), Holder(OU, ou)),
        samples=(Holder(OU.child("CN", "guest"), sample),) if sample else (),
        opinions=tuple(opinions),
        netbios="CONTOSO",
        samba=False,
    )


def one(what: str, found: Seen, *, reader: bool = False) -> Finding:
    [finding] = [f for f in (judge.reader if reader else judge.writer)(found, POLICY) if f.check.id == f"rights.{what}"]
    return finding


def owner_rights(mask: int) -> Descriptor:
    return Descriptor(None, (Ace(True, mask, access.OWNER_RIGHTS, BELOW, None, USER),))


@pytest.mark.parametrize(
    ("ou", "verdict"),
    [
        (None, Verdict.UNKNOWN),
        (NOTHING, Verdict.FAIL),
        (owner_rights(0x20000), Verdict.PASS),
        (owner_rights(0x20000 | access.WRITE_DACL), Verdict.FAIL),
    ],
)
def test_an_owner_is_limited_only_by_an_entry_that_is_seen_to_limit(ou: Descriptor | None, verdict: Verdict) -> None:
    assert one("writer-owner", seen(ou)).verdict is verdict


def test_the_reading_account_passes_over_hidden_lists_only_where_the_controller_spoke() -> None:
    assert one("reader-writes", seen(), reader=True).verdict is Verdict.PASS
    assert one("reader-writes", seen(None), reader=True).verdict is Verdict.UNKNOWN
    spoke = Opinion(OU, frozenset(), frozenset(), 0)
    assert one("reader-writes", seen(None, opinions=[spoke]), reader=True).verdict is Verdict.PASS
    says = Opinion(OU, frozenset(), frozenset({"description"}), 0)
    assert one("reader-writes", seen(None, opinions=[says]), reader=True).verdict is Verdict.FAIL


def test_where_the_schema_is_hidden_it_cannot_be_told_what_may_be_written() -> None:
    assert one("writer-disable", seen()).verdict is Verdict.UNKNOWN
    assert one("writer-create", seen()).verdict is Verdict.FAIL


@pytest.mark.parametrize(("group", "verdict"), [("DnsAdmins", Verdict.FAIL), ("Helpdesk", Verdict.PASS)])
def test_a_privileged_group_without_a_number_of_its_own_is_known_by_name(group: str, verdict: Verdict) -> None:
    named = Names(sids={"S-1-5-21-1-2-3-1101": group, ME.sid: "me"})
    assert one("privileged", seen(names=named)).verdict is verdict


@pytest.mark.parametrize(
    ("flags", "mask", "verdict"),
    [
        (0, access.READ, Verdict.PASS),
        (0x80, access.READ, Verdict.FAIL),
        (0x80, access.READ | access.CONTROL, Verdict.PASS),
    ],
)
def test_a_confidential_attribute_takes_more_than_reading(flags: int, mask: int, verdict: Verdict) -> None:
    mail = Attribute("mail", "bf967961-0de6-11d0-a285-00aa003049e2", None, flags, True, None)
    may = Descriptor(None, (Ace(True, mask, ME.sid),))
    assert one("reads", seen(sample=may, names=Names({"mail": mail}))).verdict is verdict
