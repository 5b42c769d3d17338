"""What Active Directory takes in an attribute, checked before anything is planned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.schema import BY_NAME, Attribute, attribute, validate_value
from reconciler.model.values import Value, utf16_length
from reconciler.policy.targets import FLAGS, FORBIDDEN_FLAGS, why_forbidden


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("sAMAccountName", "7c9e6679-7425-40de-9", None),
        ("sAMAccountName", "alex example", None),
        ("sAMAccountName", "a" * 21, "has 21 characters (UTF-16); at most 20 are allowed"),
        ("sAMAccountName", "a/b", "contains U+002F (solidus), which is not allowed"),
        ("sAMAccountName", "alex@fabrikam", "contains U+0040 (commercial at), which is not allowed"),
        ("sAMAccountName", "alex\x1b[2J", "contains U+005B (left square bracket), which is not allowed"),
        ("sAMAccountName", "alex\x1b", "contains U+001B (a control character), which is not allowed"),
        ("sAMAccountName", "alex\x7f", "contains U+007F (a control character), which is not allowed"),
        ("sAMAccountName", "alex.", "ends with a dot, which is not allowed"),
        ("sAMAccountName", "  ", "has nothing but spaces and dots"),
        ("cn", "Müller, Alex", None),
        ("cn", "a\nb", "contains U+000A (a control character), which is not allowed"),
        ("cn", " ", "has nothing but spaces"),
        ("userPrincipalName", "alex example_fabrikam.com#EXT#@contoso.test", None),
        ("displayName", "😀" * 128, None),
        ("displayName", "😀" * 129, "has 258 characters (UTF-16); at most 256 are allowed"),
        ("displayName", "a\0b", "contains U+0000 (a control character), which is not allowed"),
        ("displayName", "\ud800", "contains U+D800 (half a surrogate pair), which is not allowed"),
        ("displayName", "", "is empty"),
        ("displayName", 5, "must be text"),
        ("displayName", ("a",), "holds one value and was given several"),
        ("otherMailbox", "a", "holds several values and was given one"),
        ("otherMailbox", (), "is empty"),
        ("otherMailbox", ("a", "b"), None),
        ("proxyAddresses", ("SMTP:a@x", "smtp:a@x"), "was given two values that the directory holds to be equal"),
        ("proxyAddresses", ("x", "y" * 1124), "has 1124 characters (UTF-16); at most 1123 are allowed"),
        ("countryCode", 276, None),
        ("countryCode", 65536, "is 65536; it must be between 0 and 65535"),
        ("countryCode", "276", "must be a whole number"),
        ("countryCode", True, "must be a whole number"),
        ("DISPLAYNAME", "x" * 257, "has 257 characters (UTF-16); at most 256 are allowed"),
        ("contosoOwn", "x" * 100_000, None),
    ],
)
def test_a_value_is_taken_or_refused_with_the_reason(name: str, value: Value, why: str | None) -> None:
    assert validate_value(attribute(name), value) == why


def test_declared_kinds_are_checked_as_well() -> None:
    assert validate_value(Attribute("own", "boolean"), "true") == "must be true or false"
    assert validate_value(Attribute("own", "boolean"), value=True) is None
    assert (
        validate_value(Attribute("own", "integer"), 1 << 31)
        == "is 2147483648; it must be between -2147483648 and 2147483647"
    )


@given(st.sampled_from(sorted(BY_NAME)), st.text(max_size=80))
def test_a_text_that_is_taken_fits_and_a_reason_shows_no_character_as_it_is(name: str, text: str) -> None:
    known = BY_NAME[name]
    if known.kind != "string" or known.multi:
        return

    why = validate_value(known, text)

    if why is None:
        assert known.max is None or utf16_length(text) <= known.max
        assert not set(text) & set(known.illegal + "\0")
    else:
        assert why.isascii()
        assert why.isprintable()


def test_no_attribute_that_a_policy_may_not_set_is_offered_to_it() -> None:
    assert [a.name for a in BY_NAME.values() if why_forbidden(a.name)] == ["userAccountControl"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "objectSid",
            "objectGUID",
            "unicodePwd",
            "memberOf",
            "member",
            "adminCount",
            "servicePrincipalName",
            "sIDHistory",
        ),
        *("msDS-AllowedToDelegateTo", "msDS-AllowedToActOnBehalfOfOtherIdentity", "altSecurityIdentities"),
        *(
            "nTSecurityDescriptor",
            "primaryGroupID",
            "msDS-KeyCredentialLink",
            "pwdLastSet",
            "scriptPath",
            "profilePath",
        ),
        *(
            "homeDirectory",
            "userParameters",
            "logonHours",
            "accountExpires",
            "uidNumber",
            "msTSInitialProgram",
            "userCertificate",
        ),
    ],
)
def test_what_decides_over_security_is_never_a_strangers_to_set(name: str) -> None:
    assert why_forbidden(name)
    assert why_forbidden(name.upper())


def test_a_flag_is_either_allowed_or_refused_and_none_shares_a_bit() -> None:
    bits = [*FLAGS.values(), *(bit for bit, _ in FORBIDDEN_FLAGS.values())]

    assert not FLAGS.keys() & FORBIDDEN_FLAGS.keys()
    assert sum(bits) == 0x7FF3BFB
    assert len(set(bits)) == len(bits)
    assert all(bit & (bit - 1) == 0 for bit in bits)
