"""An expression on the text of an entry gives what the engine gives on the guest: equal values, and undecided where it fails."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from reconciler.incremental.columns import UndecidedError, column, text_of, valid_column
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.schema import BY_NAME, Attribute, attribute, validate_value
from reconciler.model.values import Value
from reconciler.policy.expressions import Engine
from reconciler.policy.model import EvaluationError
from reconciler.policy.pieces import pieces, tells_guests_apart

LAW = profile(deadline=None)
RULE = Rule("flows.x", "policies/guests.yaml", 1)
ENGINE = Engine()
IDS = st.uuids(version=4).map(str)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PROPERTIES: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {"userPrincipalName": TEXT, "accountEnabled": st.booleans()},
    optional={
        "mail": TEXT | st.integers(0, 3) | st.booleans() | st.just(("a", "b")),
        "givenName": TEXT,
        "userType": st.sampled_from(["Guest", "Member"]),
        "otherMails": st.lists(TEXT, min_size=1, max_size=2, unique=True).map(lambda some: tuple(sorted(some))) | TEXT,
    },
)
EXPRESSIONS = [
    "guest.id",
    "guest.id.substring(0, 20)",
    "guest.id.substring(3)",
    "guest.id.substring(0, 0)",
    "guest.id.substring(36)",
    "guest.id.substring(0, 36)",
    "guest.id.substring(37)",
    "guest.id.substring(9, 3)",
    '"User_" + guest.id',
    '"é\\"\\\\" + guest.id.substring(0, 4) + "-" + guest.id + "\\u202e"',
    '"constant"',
    "guest.id + guest.mail",
    "guest.mail",
    "guest.otherMails",
    "guest.accountEnabled",
    "guest.userPrincipalName",
    'guest.userType == "Guest"',
    'has(guest.mail) && guest.mail.endsWith("a")',
    'guest.mail.endsWith("a")',
    "guest.givenName.lowerAscii()",
    'has(guest.givenName) ? guest.givenName.upperAscii() : ""',
    "[guest.userPrincipalName, guest.id]",
    "size(guest.userPrincipalName)",
    "guest.id.replace('-', '')",
]


def texts_of(values: dict[str, Value]) -> dict[str, str]:
    return {name: text_of(value) for name, value in values.items()}


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_a_column_gives_what_the_engine_gives(source: str) -> None:
    expression = ENGINE.compile(source, RULE)
    quick = column(expression)

    @LAW
    @given(IDS, PROPERTIES)
    def law(guest_id: str, values: dict[str, Value]) -> None:
        guest, texts = Guest(guest_id, values), texts_of(values)
        for _ in range(2):  # what is remembered is the same
            try:
                expected = text_of(expression.value(guest))
            except EvaluationError:
                with pytest.raises(UndecidedError):
                    quick(guest_id, texts)
                continue
            assert quick(guest_id, texts) == expected

    law()


@pytest.mark.parametrize(
    "name", ["cn", "sAMAccountName", "displayName", "givenName", "otherMailbox", "countryCode", "c"]
)
def test_a_value_that_the_account_could_not_hold_is_never_taken_for_valid(name: str) -> None:
    held = attribute(name)
    long = st.sampled_from(
        ["a" * 64, "a" * 65, "é" * 64, "😀" * 32, "😀" * 33, "x" * 21, "a.", "a@b", "a\nb", " ", "\\" * 40]
    )

    @LAW
    @given(
        IDS,
        st.sampled_from(
            [
                "guest.id",
                "guest.id.substring(0, 20)",
                '"." + guest.id.substring(0, 2) + "."',
                "guest.givenName",
                "guest.otherMails",
            ]
        ),
        TEXT | long,
    )
    @example("7c9e6679-7425-40de-944b-e07fc1f90ae7", "guest.givenName", "a\x00b")
    def law(guest_id: str, source: str, text: str) -> None:
        values: dict[str, Value] = {"givenName": text, "otherMails": (text,)}
        expression = ENGINE.compile(source, RULE)
        try:
            quick = valid_column(expression, held)(guest_id, texts_of(values))
        except UndecidedError:
            return
        value = expression.value(Guest(guest_id, values))
        assert quick == text_of(value)
        assert value is not None
        assert validate_value(held, value) is None

    law()  # fmt: skip


def test_what_is_valid_is_mostly_decided() -> None:
    for source, name in (
        ("guest.id.substring(0, 20)", "sAMAccountName"),
        ("guest.givenName", "givenName"),
        ('"User_" + guest.id', "adminDescription"),
    ):
        quick = valid_column(ENGINE.compile(source, RULE), BY_NAME[name.casefold()])
        assert quick("7c9e6679-7425-40de-944b-e07fc1f90ae7", {"givenName": ' "Zoë"'})


def test_an_empty_value_is_undecided_only_where_the_account_needs_one() -> None:
    empty = ENGINE.compile("guest.givenName", RULE)
    assert valid_column(empty, Attribute("givenName"))("x", {}) == ""
    with pytest.raises(UndecidedError):
        valid_column(empty, Attribute("cn", required=True))("x", {})


@pytest.mark.parametrize(
    ("source", "apart"),
    [
        ("guest.id", True),
        ('"User_" + guest.id', True),
        ("guest.id.substring(0, 36)", False),
        ("guest.id.substring(0, 35)", False),
        ("guest.id.substring(0, 18) + guest.id.substring(18)", False),
        ("guest.id.upperAscii()", False),
        ("guest.mail", False),
    ],
)
def test_which_expressions_tell_guests_apart_beyond_doubt(source: str, apart: bool) -> None:
    assert tells_guests_apart(pieces(ENGINE.compile(source, RULE).syntax.shape)) is apart
