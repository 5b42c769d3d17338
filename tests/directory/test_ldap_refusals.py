"""What refusals mean, whoever gives them: Windows and Samba differ in codes, not in meaning."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation import search

from reconciler.directory.ldap import decode, filters
from reconciler.directory.ldap.refusals import Result, bind_refusal, refusal, visible
from reconciler.errors import (
    AccessDeniedError,
    DirectoryError,
    DirectoryUnavailableError,
    NameTakenError,
    NotFoundError,
)
from reconciler.model.schema import attribute
from reconciler.model.values import Value

LDAP3: Any = search
"""Untyped in the stubs."""


class TestMeanings:
    @pytest.mark.parametrize(
        ("code", "diagnostic", "kind"),
        [
            (32, "0000208D: NameErr: DSID-0310028D, problem 2001 (NO_OBJECT)", NotFoundError),
            (68, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS)", NameTakenError),
            (68, "00002071: UpdErr: DSID-031B0EE4, problem 6005 (ENTRY_EXISTS)", NameTakenError),
            (19, "000021C8: AtrErr: DSID-03200EFC, #1: problem 1005 (CONSTRAINT_ATT_TYPE)", NameTakenError),
            (19, "000021C7: AtrErr: DSID-03200EFC, #1: problem 1005 (CONSTRAINT_ATT_TYPE)", NameTakenError),
            (19, "00002082: AtrErr: DSID-03151817, #1: problem 1005 (CONSTRAINT_ATT_TYPE)", DirectoryError),
            (19, "0000052D: AtrErr: DSID-033F1161", DirectoryError),
            (53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM)", DirectoryError),
            (50, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS)", AccessDeniedError),
            (51, "00002024: busy", DirectoryUnavailableError),
            (
                1,
                "000004DC: LdapErr: DSID-0C090A5C, comment: a successful bind must be completed",
                DirectoryUnavailableError,
            ),
            (21, "", DirectoryError),
            (123, "something new", DirectoryError),
        ],
    )
    def test_the_kind_follows_the_meaning(self, code: int, diagnostic: str, kind: type[DirectoryError]) -> None:
        error = refusal("Adding CN=alice", Result(code, "name", diagnostic + "\n\0"))
        assert type(error) is kind
        assert error.remedy
        assert error.code == code
        assert f"result {code}" in error.what
        assert diagnostic in error.what
        assert "CN=alice" in error.what

    @pytest.mark.parametrize("code", [19, 53])
    def test_a_weak_password_has_a_remedy_of_its_own(self, code: int) -> None:
        assert "unicodePwd" in refusal("x", Result(code, "", "0000052D: AtrErr")).remedy

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            ("525", "no such user"),
            ("52e", "wrong user name or password"),
            ("530", "at this time"),
            ("531", "this machine"),
            ("532", "password has expired"),
            ("533", "disabled"),
            ("701", "account has expired"),
            ("773", "must be changed"),
            ("775", "locked out"),
            ("80090346", "channel binding"),
            ("57", "credentials were refused"),
        ],
    )
    def test_a_refused_sign_in_is_told_apart(self, data: str, says: str) -> None:
        said = f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}, v4563\0"
        error = bind_refusal("ldaps://dc1", "svc@contoso.test", Result(49, "invalidCredentials", said))
        assert says in error.what
        assert "svc@contoso.test" in error.what
        assert error.code == 49
        assert error.remedy

    def test_a_bind_that_needs_protection_says_so(self) -> None:
        assert "ldaps://" in bind_refusal("ldap://dc1", "u", Result(8, "strongerAuthRequired", "")).remedy

    @given(st.text(st.characters(exclude_categories=[]), max_size=50))
    def test_nothing_invisible_stays_so(self, text: str) -> None:
        assert visible(text).isprintable() or visible(text) == ""
        if text.isprintable():
            assert visible(text) == text


class TestFilters:
    @given(st.one_of(st.binary(max_size=60), st.text(st.characters(exclude_categories=["Cs"]), max_size=60)))
    def test_any_value_stays_one_value_through_the_library(self, value: str | bytes) -> None:
        parsed = LDAP3.compile_filter(
            LDAP3.parse_filter(filters.equals("cn", value), None, False, False, None, False).elements[0]
        )
        assert parsed.getName() == "equalityMatch"
        expected = value.encode() if isinstance(value, str) else value
        assert bytes(parsed["equalityMatch"]["assertionValue"]) == expected

    @pytest.mark.parametrize("name", ["", "cn=", "a b", "a)(b", "1.2.3", "cn;lang-en", "café"])
    def test_what_is_no_attribute_name_is_refused(self, name: str) -> None:
        with pytest.raises(DirectoryError):
            filters.equals(name, "x")


class TestValues:
    def test_a_sid_is_read_as_windows_writes_it(self) -> None:
        raw = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c8770091c0100")
        assert decode.sid(raw) == "S-1-5-21-2127521184-1604012920-1887927527-72713"
        assert decode.relative(raw[:1] + b"\x04" + raw[2:-4], 72713) == raw
        assert decode.rid(raw) == 72713

    @pytest.mark.parametrize("raw", [b"", b"\x01", b"\x01\x05" + bytes(10), bytes(100)])
    def test_what_is_no_sid_is_refused(self, raw: bytes) -> None:
        with pytest.raises(ValueError, match="not a SID"):
            decode.sid(raw)

    @given(st.uuids())
    def test_a_guid_goes_there_and_back(self, guid: uuid.UUID) -> None:
        assert decode.guid(decode.guid_bytes(str(guid))) == str(guid)
        assert decode.guid_dn(str(guid).upper()) == f"<GUID={guid}>"

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_text_goes_there_and_back(self, text: str) -> None:
        assert decode.value(attribute("displayName"), decode.encode(text), "dn") == text

    @given(st.integers(-(2**31), 2**31 - 1))
    def test_flags_go_there_and_back(self, flags: int) -> None:
        assert decode.value(attribute("userAccountControl"), decode.encode(flags), "dn") == flags

    @pytest.mark.parametrize(
        ("value", "sent"), [(True, [b"TRUE"]), (False, [b"FALSE"]), (None, []), (("b", "a"), [b"b", b"a"])]
    )
    def test_other_values_are_sent_as_ldap_writes_them(self, value: Value | None, sent: list[bytes]) -> None:
        assert decode.encode(value) == sent

    @pytest.mark.parametrize(
        ("name", "raw"), [("sn", b"\xff"), ("sn", b"\xed\xa0\x80"), ("userAccountControl", b"0x2")]
    )
    def test_what_is_not_of_its_kind_names_object_and_attribute(self, name: str, raw: bytes) -> None:
        with pytest.raises(DirectoryError, match=f"CN=alice.*{name}") as caught:
            decode.value(attribute(name), [raw], "CN=alice")
        assert caught.value.remedy
