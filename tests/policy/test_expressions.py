"""Expressions over a guest: what they give, when they fail, and what they never say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.graph.attributes import CATALOGUE
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.values import Value
from reconciler.policy.absence import why_empty
from reconciler.policy.expressions import Compiled, Engine
from reconciler.policy.messages import CompileError, Fault
from reconciler.policy.model import EvaluationError
from tests.policy.policies import GUEST_ID, guest

RULE = Rule("flows.x", "p.yaml", 1)
ENGINE = Engine()


def compiled(source: str) -> Compiled:
    return ENGINE.compile(source, RULE)


@pytest.mark.parametrize(
    ("source", "who", "value"),
    [
        ("guest.id", guest(), GUEST_ID),
        ("guest.mail", guest(mail="a@b"), "a@b"),
        ("guest.mail", guest(), None),
        ("guest.mail", guest(mail=""), None),
        ("has(guest.mail) ? guest.mail : 'none'", guest(), "none"),
        ("has(guest.mail) ? guest.mail : 'none'", guest(mail=""), "none"),
        ("guest.mail == null ? 'none' : 'some'", guest(), "none"),
        ("guest.otherMails", guest(otherMails=("b@x", "a@x")), ("a@x", "b@x")),
        ("guest.otherMails", guest(), None),
        ("[guest.mail, guest.displayName]", guest(displayName="A"), ("A",)),
        ("[guest.mail]", guest(), None),
        ("guest.otherMails + guest.otherMails", guest(otherMails=("a",)), ("a",)),
        ("guest.otherMails.map(m, m.upperAscii())", guest(otherMails=("a", "b")), ("A", "B")),
        ("guest.otherMails.filter(m, m.endsWith('x'))", guest(otherMails=("ax", "b")), ("ax",)),
        ("guest.accountEnabled", guest(), True),
        ("guest.onPremisesSyncEnabled", guest(), None),
        ("has(guest.country) && guest.country == 'DE' ? 276 : 0", guest(country="DE"), 276),
        ("guest.displayName.trim().lowerAscii()", guest(displayName=" Alex "), "alex"),
        ("guest.displayName.split(' ')[1]", guest(displayName="Alex Müller"), "Müller"),
        ("guest.displayName.replace('ü', 'ue')", guest(displayName="Müller"), "Mueller"),
        ("'%s (%s)'.format([guest.displayName, guest.companyName])", guest(displayName="A", companyName="F"), "A (F)"),
        ("guest.extensionAttribute7", guest(extensionAttribute7="x"), "x"),
    ],
)
def test_an_expression_gives(source: str, who: Guest, value: Value | None) -> None:
    assert compiled(source).value(who) == value


@pytest.mark.parametrize(
    ("source", "who", "why"),
    [
        ("guest.mail.endsWith('x')", guest(), "it uses mail, which the guest does not have"),
        (
            "guest.surname + ', ' + guest.givenName",
            guest(surname="M"),
            "it uses givenName, which the guest does not have",
        ),
        (
            "guest.onPremisesSyncEnabled && true",
            guest(),
            "it uses onPremisesSyncEnabled, which the guest does not have",
        ),
        ("guest.otherMails[0]", guest(), "it asks for an item that the list does not have"),
        ("guest.displayName.substring(0, 99)", guest(displayName="secret"), "it cuts a text at a place past its end"),
        ("{'a': 'b'}[guest.displayName]", guest(displayName="secret"), "it asks a map for a key that is not there"),
        (
            '"x".matches(guest.displayName) ? "a" : "b"',
            guest(displayName="secret["),
            "its pattern is not a regular expression",
        ),
        (
            "string(timestamp(guest.displayName))",
            guest(displayName="secret"),
            "it reads a text as a time that is none such as 2026-01-31T00:00:00Z",
        ),
        (
            "string(duration(guest.displayName))",
            guest(displayName="secret"),
            "it reads a text as a duration that is none such as 24h",
        ),
        ("guest.displayName.charAt(50)", guest(displayName="secret"), "it asks for a character past the end of a text"),
        (
            'string(guest.displayName.indexOf("x", 50))',
            guest(displayName="secret"),
            "it begins to search past the end of a text",
        ),
        ("int(guest.displayName)", guest(displayName="secret"), "it converts a text that is not of that form"),
        ("guest.mail", guest(mail=5), "the guest's mail is not text"),
        ("'x' + guest.mail", guest(mail=5), "the guest's mail is not text"),
        (
            "guest.accountEnabled ? 1 : 2",
            guest(accountEnabled="yes"),
            "the guest's accountEnabled is not true or false",
        ),
        ("guest.otherMails", guest(otherMails="a@b"), "the guest's otherMails is not a list of texts"),
    ],
)
def test_an_expression_that_fails_says_why_without_the_guests_values(source: str, who: Guest, why: str) -> None:
    with pytest.raises(EvaluationError) as failed:
        compiled(source).value(who)

    assert (failed.value.why, failed.value.rule) == (why, RULE)


def test_one_damaged_attribute_fails_only_what_reads_it() -> None:
    damaged, sound = compiled("'x' + guest.mail"), compiled("'x' + guest.displayName")
    who = guest(mail=5, displayName="A")

    with pytest.raises(EvaluationError):
        damaged.value(who)
    assert sound.value(who) == "xA"


def test_a_condition_without_an_answer_is_a_failure() -> None:
    with pytest.raises(EvaluationError, match="the answer is neither true nor false"):
        compiled("guest.onPremisesSyncEnabled").test(guest())


def test_a_literal_that_looks_like_an_attribute_is_not_read() -> None:
    assert compiled("guest.displayName == 'mail' ? 'surname' : guest.id").syntax.reads == {"displayName", "id"}


def test_asking_whether_an_attribute_is_there_reads_it() -> None:
    assert compiled("has(guest.mail) ? 'a' : 'b'").syntax.reads == {"mail"}


@pytest.mark.parametrize(
    "source",
    [
        "(" * 60 + "1" + ")" * 60,
        " + ".join(["guest.id"] * 200),
        "[" * 40 + "]" * 40,
        "guest.id" + ".trim()" * 100,
        "1" * 2001,
        "\x00",
        "guest\x00.id",
    ],
)
def test_what_is_too_large_or_no_expression_is_refused(source: str) -> None:
    with pytest.raises(CompileError):
        compiled(source)


@given(st.text(max_size=40) | st.text("guest.id()[]{}+'\"? :,mail&|!=", max_size=40))
def test_whatever_is_written_it_compiles_or_is_refused_inside_its_text(source: str) -> None:
    faults = mistakes(source)

    assert all(0 <= fault.offset <= len(source) and "\n" not in fault.what for fault in faults or ())
    assert faults is None or faults


def mistakes(source: str) -> tuple[Fault, ...] | None:
    try:
        compiled(source)
    except CompileError as e:
        return e.faults
    return None


texts = st.text(st.characters(codec="utf-8"), max_size=12)
anything = texts | st.text(max_size=3) | st.integers() | st.booleans() | st.lists(texts, max_size=3).map(tuple)
guests = st.builds(
    Guest, st.just(GUEST_ID), st.dictionaries(st.sampled_from(sorted(set(CATALOGUE) - {"id"})), anything, max_size=8)
)


@given(guests, st.sampled_from(sorted(CATALOGUE)))
def test_a_bare_copy_gives_what_cel_gives(who: Guest, attribute: str) -> None:
    short, through_cel = compiled(f"guest.{attribute}"), compiled(f"true ? guest.{attribute} : guest.{attribute}")
    assert short.syntax.copies == attribute
    assert through_cel.syntax.copies is None

    assert outcome(short, who) == outcome(through_cel, who)


def outcome(expression: Compiled, who: Guest) -> tuple[bool, object]:
    """Whether it worked, and the value or the reason."""
    try:
        return True, expression.value(who)
    except EvaluationError as e:
        return False, str(e)


FAILING = [
    compiled(s)
    for s in (
        "guest.mail.substring(5)",
        "{'k': 1}[guest.mail]",
        "int(guest.mail)",
        "guest.mail.split('@')[7]",
        "timestamp(guest.mail) > timestamp(guest.mail)",
    )
]


@given(st.text("ghijklmnopqrstuvwxyz@", min_size=9, max_size=20).map(lambda t: t + "QZQ"), st.sampled_from(FAILING))
def test_a_failure_never_quotes_the_guest(mail: str, expression: Compiled) -> None:
    worked, said = outcome(expression, guest(mail=mail))

    assert worked or "QZQ" not in str(said)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("guest.id", ""),
        ("guest.userPrincipalName", ""),
        ("guest.id.substring(0, 20)", ""),
        ("has(guest.mail) ? guest.mail : guest.id", ""),
        ("has(guest.employeeId) && has(guest.department) ? guest.employeeId + guest.department : guest.id", ""),
        ("guest.mail == null ? guest.id : guest.mail.lowerAscii()", ""),
        ("guest.mail.startsWith('x') ? 'a' : 'b'", "it uses mail, which the guest does not have"),
        ("guest.mail", "it gives nothing when the guest has no mail"),
        ("guest.mail != '' ? guest.mail : guest.id", "it gives nothing when the guest has no mail"),
        ("has(guest.mail) ? guest.surname : guest.id", "it gives nothing when the guest has no surname"),
        (
            "guest.department == 'IT' ? guest.displayName : guest.id",
            "it gives nothing when the guest has no displayName",
        ),
        (
            "has(guest.mail) && guest.mail.endsWith('@fabrikam.com') ? guest.employeeId : guest.id",
            "it gives nothing when the guest has no employeeId",
        ),
        ("has(guest.mail) && guest.mail.endsWith('@x') ? guest.mail.split('@')[0] : guest.id", ""),
        ("''", "it can give nothing"),
        ("guest.userType == 'Guest' ? guest.id : ''", "it can give nothing"),
        ("guest.otherMails.size() > 0 ? guest.otherMails[0] : guest.id", ""),
    ],
)
def test_whether_a_value_can_be_empty_is_found_out_when_the_policy_loads(source: str, why: str) -> None:
    assert why_empty(compiled(source)) == why
