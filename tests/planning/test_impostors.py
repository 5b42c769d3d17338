"""Names made to be taken for somebody else's stand among the dangerous; nothing is refused for them."""

from __future__ import annotations

import string
from collections import defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.demo.people import generate
from reconciler.directory.port import Entry
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.lookalikes import _TABLE, hidden, looks, mixed
from reconciler.model.plan import Action
from reconciler.planning.impostors import look_alikes
from reconciler.state.model import Claim
from tests.render.nasty import ORDINARY, anything

from . import builder
from .builder import account, guest, only, plan


def warnings(**attributes: object) -> tuple[str, ...]:
    return only(plan([guest(1, **attributes)], []), Action.CREATE).warnings


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Аdministrator Fabrikam", "U+0410"),  # a Cyrillic A
        ("Alice Sсhmidt", "U+0441"),  # a Cyrillic c
        ("Alice Сох", "U+0421"),  # a whole word of Cyrillic that reads as Latin
        ("Sοphia", "U+03BF"),  # a Greek omicron
        ("Աlice", "U+0531"),
    ],
)
def test_a_letter_of_another_alphabet_in_a_word_is_named(name: str, code: str) -> None:
    assert any("displayName mixes alphabets" in w and code in w for w in warnings(displayName=name))


@pytest.mark.parametrize(
    "name",
    [
        *ORDINARY,
        "Иванов, Ivan (Contoso)",
        "Сара Иванова",
        "Սառա Գալդունց (Tailspin Toys)",
        "Сара (Contoso)",
        "Анна-Maria",
        "山田A子さん",
        "Ａｌｉｃｅ",
        "علی\u200cرضا",
        "Root Beer Inc.",
        "Root, Peter",
        "Savvas, Eva (Contoso)",
        "Søren Lønberg, Administration",
        "Zoë Wójcik – Auditor",
        "Adminah Okafor",
    ],
)
def test_names_in_any_script_and_in_two_are_not_suspected(name: str) -> None:
    assert warnings(displayName=name) == ()


@pytest.mark.parametrize(
    "name",
    [
        "Administrator",
        "administrator (Fabrikam)",
        "ADM1N",
        "Dornain Admins",
        "Domain-Admins",
        "Admın",
        "ｋｒｂｔｇｔ",
        "Аdmin",
        "Administrátor",
        "Help\u200bDesk",
        "Администратор",
        "Administrator, Contoso",
        "Contoso, Administrator",
        "Contoso，ADM1NISTRATOR (Fabrikam)",
        "Operators, Account",
        "Contoso | Help Desk",
        "IT Support – Contoso",
        "Global Administrator / Fabrikam",
        "Administratør",
        "Ađmin",
        "Domain Admins̵",
        "Ħelp Desk",
    ],
)
def test_a_name_that_administrators_have_is_named(name: str) -> None:
    assert any("displayName reads like the name of an administrator" in w for w in warnings(displayName=name))


def test_a_surname_is_compared_with_nobody() -> None:
    assert warnings(surname="Root", givenName="Admin") == ()


def test_the_name_of_a_privileged_account_in_the_tree_is_named_with_its_sid() -> None:
    other = Guest(builder.gid(7), {"displayName": "Petra Kern-Roth", "userPrincipalName": "adm-pkr@contoso.test"})
    held = account(other, 1700, joined=False, dn=f"CN=adm-petra,{builder.OU}", protected=("adminCount",))
    made = plan([guest(1, displayName="Petra Kem-Roth"), guest(2, displayName="Petra Kern")], [held])
    found = {c.label: c.warnings for c in made.changes}

    assert found["Petra Kem-Roth"] == ("displayName reads like a name of the privileged account S-1-5-21-1-2-3-1700",)
    assert found["Petra Kern"] == ()


def test_a_name_that_the_importer_found_to_look_like_an_administrators_is_named_with_the_sid() -> None:
    guests = [guest(1, displayName="Реtra Kern (Fabrikam)"), guest(2, displayName="Petra Kerner")]
    admin = Entry("g", "S-1-5-21-1-2-3-500", DN("CN=adm7,CN=Users,DC=contoso,DC=test"), {"displayName": "Petra Kern"})
    claims = look_alikes(plan(guests, []), lambda: [admin])
    found = {c.label: c.warnings for c in plan(guests, [], claims=tuple(claims)).changes}

    assert claims == [Claim("displayName", "Реtra Kern", admin.sid)]
    assert found["Реtra Kern (Fabrikam)"][0] == (
        "displayName reads like a name of the privileged account S-1-5-21-1-2-3-500, outside the OUs"
    )
    assert found["Petra Kerner"] == ()


def test_such_a_claim_takes_no_name_from_anybody() -> None:
    made = plan([guest(1, displayName="Petra")], [], claims=(Claim("displayName", "Petra", "S-1-5-21-1-2-3-500"),))

    assert (len(made.changes), made.conflicts) == (1, ())


def test_a_name_that_is_turned_round_or_borrows_a_stroked_letter_is_a_privileged_persons_all_the_same() -> None:
    admin = Entry("g", "S-1-5-21-1-2-3-500", DN("CN=adm7,CN=Users,DC=contoso,DC=test"), {"displayName": "Eva Wallin"})
    guests = [guest(1, displayName="VVallin, Eva"), guest(2, displayName="Eva Wałlin"), guest(3, displayName="Eva, Jo")]
    claims = look_alikes(plan(guests, []), lambda: [admin])

    assert [c.value for c in claims] == ["Eva VVallin", "Eva Wałlin"]
    found = {c.label: c.dangerous for c in plan(guests, [], claims=tuple(claims)).changes}
    assert found == {"VVallin, Eva": True, "Eva Wałlin": True, "Eva, Jo": False}


def test_of_2000_generated_people_of_43_locales_nobody_is_suspected() -> None:
    people = generate(2000, seed=3)
    guests = [guest(n, displayName=p.display_name, surname=p.surname) for n, p in enumerate(people)]

    assert [c.label for c in plan(guests, []).changes if c.warnings] == []


def test_where_no_name_is_written_the_domain_is_not_asked() -> None:
    one = guest(1)

    assert look_alikes(plan([one], [account(one, 1100)]), lambda: pytest.fail("asked")) == []


@pytest.mark.parametrize(
    "name", ["Alice\u202ecilA", "Alice\u200b", "Alice\nBob", "\x1b[31mAlice", "Al\u00adice", "Alice\u3164"]
)
def test_a_character_that_nobody_can_see_is_named(name: str) -> None:
    assert any("cannot be seen (U+" in w for w in warnings(displayName=name))


def test_a_change_with_a_warning_is_dangerous_and_is_planned_all_the_same() -> None:
    change = only(plan([guest(1, displayName="Administrator")], []), Action.CREATE)

    assert change.dangerous
    assert not only(plan([guest(1)], []), Action.CREATE).dangerous


def test_an_update_is_warned_of_for_the_name_it_writes_alone() -> None:
    before = guest(1, displayName="Administrator")
    renamed, moved_on = guest(1, displayName="Аlice"), guest(1, displayName="Administrator", mail="other@adatum.com")

    assert only(plan([renamed], [account(before, 1100)]), Action.UPDATE).warnings != ()
    assert only(plan([moved_on], [account(before, 1100)]), Action.UPDATE).warnings == ()


@settings(deadline=None, max_examples=200)
@given(anything)
def test_the_answers_are_for_any_text_and_of_our_own_words(text: str) -> None:
    assert mixed(text) is None or not text.isascii()
    assert (found := hidden(text)) is None or found in text
    made = plan([guest(1, displayName=text or None)], [])
    for warning in (w for c in made.changes for w in c.warnings):
        assert warning.isascii()
        assert warning.isprintable()


@settings(deadline=None, max_examples=200)
@given(st.text(string.ascii_letters, min_size=1), st.randoms(use_true_random=False))
def test_a_name_looks_the_same_whatever_letters_it_borrows_and_whatever_is_hidden_in_it(
    name: str, chance: Random
) -> None:
    others: dict[str, list[str]] = defaultdict(list)
    for row in _TABLE.split():
        latin, _, some = row.partition(":")
        others[latin] += some
    disguised = "".join(chance.choice([c, *others[c], f"{c}\u0301", f"\u200b{c}", f"{c}-"]) for c in name)

    assert looks(disguised) == looks(name)
