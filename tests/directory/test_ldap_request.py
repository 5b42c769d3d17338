"""A search or a modify is sent as ldap3 itself would encode it, byte for byte, without its help."""

from __future__ import annotations

from typing import Any

import ldap3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.operation.modify import modify_operation
from ldap3.operation.search import search_operation
from ldap3.protocol.controls import build_control
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc4511 import Controls, LDAPMessage, MessageID, ProtocolOp
from ldap3.utils import asn1

from reconciler.directory.ldap import filters, request

ENCODE: Any = asn1.encode  # type: ignore[attr-defined]
OPERATION: Any = search_operation
MODIFY: Any = modify_operation
PAGING: Any = paged_search_control
NAMES = st.sampled_from(["cn", "objectGUID", "memberOf", "msDS-ObjectSoa"])
VALUES = st.binary(min_size=1, max_size=200) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60
)
LEAVES = (
    st.builds(filters.equals, NAMES, VALUES)
    | st.integers(0, 2**63).map(filters.above)
    | st.sampled_from(
        [filters.USER, filters.USER_OR_TOMBSTONE, filters.TOMBSTONE, filters.CONTAINER, "(objectClass=*)"]
    )
)
FILTERS = st.recursive(
    LEAVES,
    lambda inside: (
        st.lists(inside, min_size=1, max_size=4).map(filters.either)
        | st.lists(inside, min_size=1, max_size=4).map(lambda some: filters.both(*some))
        | inside.map(lambda one: f"(!{one})")
    ),
    max_leaves=8,
)
DNS = st.sampled_from(["", "DC=contoso,DC=test", "<WKGUID=18e2,DC=contoso,DC=test>"]) | st.text("CN=ä,", max_size=200)
CONTROLS = st.lists(st.tuples(st.sampled_from(["1.2.840.113556.1.4.417", "1.2.3"]), st.booleans()), max_size=3)
CHANGES = st.dictionaries(
    st.sampled_from(["cn", "userAccountControl", "unicodePwd", "msDS-cloudExtensionAttribute1", "mail;lang-de"]),
    st.lists(
        st.tuples(
            st.sampled_from([request.ADD, request.DELETE, request.REPLACE]),
            st.lists(st.binary(max_size=40) | st.binary(min_size=120, max_size=300), max_size=4),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=4,
)
PAGES = st.none() | st.tuples(st.integers(1, 2**31 - 1), st.binary(max_size=300))


def by_ldap3(
    number: int, base: str, scope: int, where: str, attributes: list[str], controls: list[Any], page: Any
) -> bytes:
    operation = OPERATION(
        base.encode(), where, ldap3.SUBTREE if scope else ldap3.BASE, ldap3.DEREF_NEVER, attributes, 0, 0, False,
        auto_escape=False, auto_encode=False,
    )  # fmt: skip
    built = [build_control(kind, critical, None) for kind, critical in controls]
    paged = [PAGING(True, page[0], page[1] or None)] if page else []
    return message_by_ldap3(number, "searchRequest", operation, [*built, *paged])


def message_by_ldap3(number: int, kind: str, operation: Any, controls: list[Any]) -> bytes:
    message: Any = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, operation)
    sent: Any = Controls()
    for place, control in enumerate(controls):
        sent.setComponentByPosition(place, control)
    if len(sent):
        message["controls"] = sent
    return bytes(ENCODE(message))


@given(
    st.integers(1, 2**31 - 1), DNS, st.sampled_from([request.BASE, request.SUBTREE]), FILTERS,
    st.lists(st.sampled_from(["cn", "mail", "1.1", "msDS-ObjectSoa"]), min_size=1, max_size=30), CONTROLS, PAGES,
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_every_search_of_this_program(
    number: int, base: str, scope: int, where: str, attributes: list[str], controls: list[Any], page: Any
) -> None:
    asked: list[Any] = [(kind, critical, None) for kind, critical in controls]
    if page:
        asked.append(("1.2.840.113556.1.4.319", True, request.paging(*page)))
    operation, sent = request.search(base.encode(), scope, where, attributes, asked)
    ours = request.element(0x30, request.integer(number) + operation + sent)
    assert ours == by_ldap3(number, base, scope, where, attributes, controls, page)


@given(st.integers(1, 2**31 - 1), st.text("CN=ä,<>", max_size=200), CHANGES, CONTROLS)
@settings(max_examples=200, deadline=None)
def test_every_modify_of_this_program(number: int, dn: str, changes: Any, controls: list[Any]) -> None:
    operation, sent = request.modify(dn.encode(), changes, [(kind, critical, None) for kind, critical in controls])
    ours = request.element(0x30, request.integer(number) + operation + sent)
    theirs = MODIFY(dn.encode(), changes, auto_encode=False)
    built = [build_control(kind, critical, None) for kind, critical in controls]
    assert ours == message_by_ldap3(number, "modifyRequest", theirs, built)


def test_nothing_to_modify_is_not_sent() -> None:
    with pytest.raises(ValueError, match="nothing to modify"):
        request.modify(b"CN=a", {"cn": []}, [])


@given(st.lists(FILTERS, min_size=1, max_size=3))
def test_filters_that_are_encoded_already_are_joined_as_if_they_were_one(some: list[str]) -> None:
    assert request.either(*map(request.encode_filter, some)) == request.encode_filter(filters.either(some))


@pytest.mark.parametrize(
    "where",
    [
        "", "cn=a", "(cn=a", "(cn=a))", "(cn=a)(cn=b)", "(|)", "(&)", "(!(cn=a)(cn=b))", "(cn=a*)", "(cn=*a*)", "(cn~=a)", "(cn<=1)",
        "(cn:dn:=a)", "(cn=\\zz)", "(cn=a\\)", "( cn=a)", "(|(cn=a)", "(cn=a\x00)", "(=a)", "(cn>=*)", "()", ")(", "(cn=a)x",
    ],
)  # fmt: skip
def test_what_no_function_of_ours_writes_is_refused_before_it_is_sent(where: str) -> None:
    with pytest.raises(ValueError, match="not a filter of this program"):
        request.encode_filter(where)


@given(st.text("()&|!=*\\a>", max_size=30))
def test_a_filter_is_refused_or_the_one_ldap3_reads(where: str) -> None:
    try:
        ours = request.encode_filter(where)
    except ValueError:
        return
    assert ours in by_ldap3(1, "", 0, where, ["cn"], [], None)


@given(VALUES)
def test_no_value_is_anything_but_a_value(value: str | bytes) -> None:
    raw = value.encode() if isinstance(value, str) else value
    assert request.encode_filter(filters.equals("cn", value)) == request.element(
        0xA3, request.element(4, b"cn") + request.element(4, raw)
    )
