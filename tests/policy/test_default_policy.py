"""The policy that ships: the account it gives a guest, attribute for attribute."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Rule
from reconciler.model.schema import validate_value
from reconciler.policy.model import EvaluationError
from tests.policy.policies import DEFAULT, GUEST_ID, guest, load

POLICIES = Path(__file__).parents[2] / "policies"
FULL = guest(displayName="Alex Müller", givenName="Alex", surname="Müller", mail="alex@fabrikam.com")


def placed(of: Guest) -> DN | None:
    rules = load(DEFAULT).placement
    return next((p.ou for p in rules if p.when is None or p.when.test(of)), None)


def test_this_repository_runs_the_policy_that_ships() -> None:
    package = resources.files("reconciler.policy")

    assert package.joinpath("default.yaml").read_text("utf-8") == DEFAULT
    assert package.joinpath("schema.json").read_bytes() == (POLICIES / "guest-policy.schema.json").read_bytes()
    assert DEFAULT.startswith("# yaml-language-server: $schema=guest-policy.schema.json\n")


def test_given_a_guest_with_everything_then_every_flow_of_the_table_is_set() -> None:
    assert {f.attribute: f.expression.value(FULL) for f in load(DEFAULT).flows} == {
        "sAMAccountName": "7c9e6679-7425-40de-9",
        "userPrincipalName": "alex_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        "displayName": "Alex Müller",
        "givenName": "Alex",
        "sn": "Müller",
        "mail": "alex@fabrikam.com",
        "employeeType": "Guest",
        "adminDescription": f"User_{GUEST_ID}",
    }


def test_given_a_guest_with_nothing_but_an_identity_then_the_rest_is_cleared() -> None:
    values = {f.attribute: f.expression.value(guest()) for f in load(DEFAULT).flows}

    assert [name for name, value in values.items() if value is None] == ["displayName", "givenName", "sn", "mail"]


def test_a_new_account_starts_as_the_original_design_has_it() -> None:
    initial = load(DEFAULT).initial

    assert initial.cn.value(FULL) == GUEST_ID
    assert initial.uac == 262656
    assert initial.password_length == 64
    assert initial.flows == ()


def test_what_it_gives_is_what_a_directory_takes() -> None:
    policy = load(DEFAULT)

    for flow in policy.flows:
        value = flow.expression.value(FULL)
        assert value is not None
        assert validate_value(policy.attribute(flow.attribute), value) is None


@pytest.mark.parametrize(
    ("who", "in_scope"),
    [
        (guest(), True),
        (guest(userType="Member"), False),
        (Guest(GUEST_ID, {"userPrincipalName": "a@b", "accountEnabled": True}), False),
    ],
)
def test_guests_are_in_scope_and_nobody_else(who: Guest, *, in_scope: bool) -> None:
    assert load(DEFAULT).scope.test(who) is in_scope


@pytest.mark.parametrize(
    ("who", "ou"),
    [
        (FULL, "OU=Fabrikam,OU=Guests,DC=contoso,DC=test"),
        (guest(mail="alex@fabrikam.com.evil.test"), "OU=Guests,DC=contoso,DC=test"),
        (guest(), "OU=Guests,DC=contoso,DC=test"),
    ],
)
def test_the_first_placement_that_holds_wins(who: Guest, ou: str) -> None:
    assert placed(who) == DN(ou)


def test_the_anchor_is_the_first_join_and_names_the_guest() -> None:
    policy = load(DEFAULT)

    assert policy.anchor.attribute == "adminDescription"
    assert policy.anchor.expression.value(FULL) == f"User_{GUEST_ID}"
    assert [j.attribute for j in policy.joins] == ["adminDescription", "userPrincipalName"]


def test_only_what_it_uses_is_imported() -> None:
    policy = load(DEFAULT)

    assert policy.guest_attributes == (
        *("accountEnabled", "displayName", "givenName", "mail", "surname", "userPrincipalName", "userType"),
    )
    assert policy.account_attributes == (
        *("adminDescription", "displayName", "employeeType", "givenName", "mail", "sAMAccountName", "sn"),
        *("userAccountControl", "userPrincipalName"),
    )


def test_lifecycle_and_guards_are_the_designed_ones() -> None:
    policy = load(DEFAULT)
    life = policy.lifecycle

    assert (life.blocked_disable, life.left_disable, life.returned_restore) == (True, True, True)
    assert life.left_move == DN("OU=Departed,OU=Guests,DC=contoso,DC=test")
    assert life.left_delete_after == timedelta(days=30)
    assert {a: (g.max, g.percent) for a, g in policy.guards.items()} == {
        Action.CREATE: (5000, None),
        Action.UPDATE: (None, 30),
        Action.MOVE: (None, 10),
        Action.DISABLE: (50, 5),
        Action.DELETE: (10, 1),
    }


def test_every_rule_names_its_line() -> None:
    policy = load(DEFAULT)
    lines = DEFAULT.splitlines()

    def line(rule: Rule) -> str:
        assert rule.file == "policies/guests.yaml"
        return lines[rule.line - 1].strip()

    mail = next(f for f in policy.flows if f.attribute == "mail")
    assert mail.expression.rule.name == "flows.mail"
    assert line(mail.expression.rule).startswith("mail: guest.mail")
    assert (policy.joins[1].expression.rule.name, policy.placement[0].rule.name) == ("join[1]", "placement[0]")
    assert line(policy.joins[1].expression.rule).startswith("- {account: userPrincipalName")
    assert line(policy.placement[0].rule).startswith("- {when:")
    assert line(policy.initial.uac_rule).startswith("userAccountControl:")
    assert line(policy.initial.password_rule).startswith("unicodePwd:")
    assert line(policy.lifecycle.rules["lifecycle.left"]).startswith("left:")
    assert line(policy.guards[Action.DELETE].rule).startswith("delete:")
    assert policy.scope.rule.name == "scope.include"


def test_a_guest_whose_state_was_tampered_with_is_a_conflict_not_a_crash() -> None:
    policy = load(DEFAULT)
    flows = {f.attribute: f.expression for f in policy.flows}

    with pytest.raises(EvaluationError, match="the guest has no userPrincipalName, which Entra always gives"):
        flows["userPrincipalName"].value(Guest(GUEST_ID, {}))
    with pytest.raises(EvaluationError, match="the guest's mail is not text"):
        flows["mail"].value(guest(mail=("a", "b")))
    with pytest.raises(EvaluationError, match="the guest's mail is not text"):
        policy.placement[0].when.test(guest(mail="\ud800@fabrikam.com"))  # type: ignore[union-attr]
