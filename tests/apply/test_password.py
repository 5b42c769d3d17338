"""Passwords that no domain refuses: random, of three kinds, and without the account's names in them."""

from __future__ import annotations

from reconciler.apply.steps import _names, _password
from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Delta, Rule

RULE = Rule("flows.displayName", "policies/guests.yaml", 1)
DELTAS = (Delta("displayName", None, "Li Lee-Kim, Ada", RULE), Delta("sAMAccountName", None, "0C1F-x", RULE))
CHANGE = Change(Action.CREATE, "id", "label", DN("CN=id,DC=contoso,DC=test"), RULE, "new", deltas=DELTAS)


def test_given_a_name_when_its_parts_are_told_then_those_of_three_characters_count() -> None:
    assert _names(CHANGE) == ["0c1f-x", "lee", "kim", "ada"]


def test_given_names_when_passwords_are_made_then_none_holds_one_in_any_case() -> None:
    names = ["a", "7"]  # so short that nearly every other password has one
    made = [_password(64, names) for _ in range(50)]
    assert not [password for password in made if "a" in password.casefold() or "7" in password]
    assert len(set(made)) == len(made)
    assert {len(password) for password in made} == {64}
