"""What a change of the policy would do, told apart from what is pending anyway; and what cannot be known yet."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import NotImportedError, StalePlanError
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Plan
from reconciler.model.speculation import Effect, Radius
from reconciler.planning.encode import encode, stored_digest
from reconciler.planning.never_imported import UnplannableError
from reconciler.planning.speculate import Base, speculate
from reconciler.policy.model import Policy
from reconciler.state.model import State

from . import builder
from .builder import DEFAULT, OU, account, guest, policy

BEFORE = policy()


def made(state: State, after: Policy, before: Policy | None = BEFORE, **changes: object) -> Plan:
    given_settings = builder.settings(**changes)
    return speculate(state, after, given_settings, (), Base("c0ffee", before, given_settings, "it has no policy"))


def radius(plan: Plan) -> Radius:
    assert plan.speculation is not None
    assert plan.speculation.radius is not None
    return plan.speculation.radius


def unknown(plan: Plan) -> list[str]:
    assert plan.speculation is not None
    return [u.what for u in plan.speculation.unknown]


def kinds(plan: Plan) -> list[tuple[str, str | None, tuple[str, ...], int]]:
    return [(k.effect.value, k.action, k.attributes, k.accounts) for k in radius(plan).kinds]


def standing(n: int = 6) -> tuple[list[Guest], list[Account]]:
    guests = [guest(i) for i in range(1, n + 1)]
    return guests, [account(g, 1100 + i) for i, g in enumerate(guests)]


SUFFIX = DEFAULT.replace("displayName: guest.displayName", "displayName: guest.displayName + ' (x)'")


def test_the_same_policy_affects_nobody() -> None:
    plan = made(builder.state(*standing()), BEFORE)

    assert radius(plan).accounts == 0
    assert unknown(plan) == []


def test_a_changed_flow_affects_the_accounts_it_changes_and_names_its_line() -> None:
    plan = made(builder.state(*standing()), policy(SUFFIX))

    line = SUFFIX[: SUFFIX.index("displayName: guest")].count("\n") + 1
    assert kinds(plan) == [("new", "update", ("displayName",), 6)]
    assert [(r.name, r.line) for r in radius(plan).kinds[0].rules] == [("flows.displayName", line)]
    assert radius(plan).places == ((OU, 6),)


def test_there_are_five_examples_of_as_many_guests() -> None:
    plan = made(builder.state(*standing()), policy(SUFFIX))

    assert len({e.change.guest for e in radius(plan).examples}) == 5


def test_what_is_pending_without_the_change_does_not_count() -> None:
    guests, accounts = standing()
    drifted = replace(accounts[0], attributes={**accounts[0].attributes, "mail": "by-hand@contoso.test"})
    plan = made(builder.state([*guests, guest(9)], [drifted, *accounts[1:]]), BEFORE)

    assert radius(plan).accounts == 0
    assert {c.action for c in plan.changes} == {Action.UPDATE, Action.CREATE}


def test_an_update_that_comes_otherwise_shows_only_what_differs() -> None:
    guests, accounts = standing(1)
    drifted = replace(accounts[0], attributes={**accounts[0].attributes, "mail": "by-hand@contoso.test"})
    plan = made(builder.state(guests, [drifted]), policy(SUFFIX))

    assert kinds(plan) == [("otherwise", "update", ("displayName",), 1)]
    assert [d.attribute for d in radius(plan).examples[0].change.deltas] == ["displayName"]
    assert [d.attribute for d in plan.changes[0].deltas] == ["displayName", "mail"]


def test_what_is_no_longer_done_counts_and_is_dangerous_when_it_was() -> None:
    blocked = guest(1, accountEnabled=False)
    text = DEFAULT.replace("blocked: {disable: true}", "blocked: {disable: false}")
    plan = made(builder.state([blocked], [account(blocked, 1100)]), policy(text))

    assert kinds(plan) == [("gone", "disable", (), 1)]
    assert radius(plan).kinds[0].dangerous
    assert radius(plan).examples[0].effect is Effect.GONE
    assert plan.changes == ()


def test_a_new_account_that_goes_elsewhere_counts_once() -> None:
    text = DEFAULT.replace("@fabrikam.com", "@adatum.com")
    plan = made(builder.state([guest(1)], []), policy(text))

    assert kinds(plan) == [("otherwise", "create", (), 1)]
    assert radius(plan).places == ((f"OU=Fabrikam,{OU}", 1),)


def test_a_new_conflict_counts() -> None:
    guests = [guest(1, mail=None), guest(2)]
    text = DEFAULT.replace("employeeType: guest.userType", "employeeType: guest.mail.lowerAscii()")
    plan = made(builder.state(guests, [account(g, 1100 + i) for i, g in enumerate(guests)]), policy(text))

    assert ("new", None, (), 1) in kinds(plan)
    assert radius(plan).conflicts == {(guests[0].id, "expression")}


def test_moved_lines_affect_nobody() -> None:
    plan = made(builder.state([guest(1)], []), policy("# one more line\n" + DEFAULT))

    assert radius(plan).accounts == 0


def test_the_radius_counts_what_the_batch_leaves_for_later() -> None:
    guests = [guest(i) for i in range(1, 8)]
    plan = made(builder.state(guests, []), policy(SUFFIX), batch=2)

    assert (radius(plan).accounts, plan.count(Action.CREATE), plan.deferred) == (7, 2, 5)


def test_a_flow_that_reads_what_was_never_imported_is_named_and_not_guessed() -> None:
    text = DEFAULT.replace("mail: guest.mail", "mail: guest.mail\n  department: guest.department")
    plan = made(builder.state(*standing()), policy(text))

    assert plan.changes == ()
    assert len(unknown(plan)) == 1
    assert "flows.department (policies/guests.yaml:" in unknown(plan)[0]
    assert "reads department of guests, which was never imported" in unknown(plan)[0]


def test_a_flow_that_writes_what_was_never_imported_is_named_and_not_guessed() -> None:
    text = DEFAULT.replace("mail: guest.mail", "mail: guest.mail\n  title: guest.companyName")
    plan = made(builder.state(*standing()), policy(text))

    assert plan.changes == ()
    assert "writes title, which was never imported from the accounts" in unknown(plan)[0]


def test_a_placement_that_reads_what_was_never_imported_makes_conflicts_of_new_guests_alone() -> None:
    guests, accounts = standing()
    text = DEFAULT.replace('has(guest.mail) && guest.mail.endsWith("@fabrikam.com")', 'guest.department == "x"')
    plan = made(builder.state([*guests, guest(9)], accounts), policy(text))

    assert [c.subject for c in plan.conflicts] == [builder.gid(9)]
    assert "reads department of guests, which was never imported" in plan.conflicts[0].what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('guest.userType == "Guest"', 'guest.department != "x"'),
        (
            "userPrincipalName: guest.userPrincipalName",
            """userPrincipalName: "guest.id + (has(guest.creationType) ? guest.creationType : '')" """,
        ),
    ],
)
def test_where_everything_rests_on_what_was_never_imported_there_is_no_plan(old: str, new: str) -> None:
    with pytest.raises(UnplannableError, match="never imported"):
        made(builder.state(*standing()), policy(DEFAULT.replace(old, new)))


def test_a_wider_scope_and_new_names_are_named_as_unknown() -> None:
    text = DEFAULT.replace('guest.userType == "Guest"', 'guest.userType != "Member"').replace(
        "sAMAccountName: guest.id.substring(0, 20)", "sAMAccountName: guest.id.substring(0, 19)"
    )
    plan = made(builder.state(*standing()), policy(text))

    assert any("scope.include" in words and "after the next import" in words for words in unknown(plan))
    assert any(words.startswith("6 names are wanted") for words in unknown(plan))


def test_without_a_policy_to_compare_with_there_is_a_plan_and_no_radius() -> None:
    plan = made(builder.state(*standing()), policy(SUFFIX), before=None)

    assert plan.speculation is not None
    assert plan.speculation.radius is None
    assert plan.count(Action.UPDATE) == 6
    assert "cannot be told apart" in unknown(plan)[0]


def test_an_import_of_other_units_is_refused_as_for_any_plan() -> None:
    other = replace(builder.settings().directory, ous=(DN(f"OU=Else,{OU}"),))
    with pytest.raises(NotImportedError, match="other OUs"):
        made(builder.state(*standing()), BEFORE, directory=other)


def test_such_a_plan_has_a_digest_of_its_own_and_is_never_taken_for_one_to_apply() -> None:
    state = builder.state([guest(1)], [])
    plan = made(state, BEFORE)
    encoded = encode(plan)

    assert json.loads(encoded.text)["speculative"] is True
    assert encoded.digest != encode(replace(plan, speculation=None)).digest
    with pytest.raises(StalePlanError, match="speculative"):
        stored_digest(encoded.text)


@settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)))
def test_with_the_policies_exchanged_what_is_new_is_gone(have: set[int], drifted: set[int]) -> None:
    """Law: the radius depends on the two policies and the state, and is the same size seen from either side."""
    guests = [guest(i) for i in range(1, 13)]
    accounts = [
        account(g, 1000 + i, attributes={"displayName": "by hand"} if i in drifted else {})
        for i, g in enumerate(guests, 1)
        if i in have
    ]
    state, other = builder.state(guests, accounts), policy(SUFFIX)
    there = radius(made(state, other))
    back = radius(made(state, BEFORE, before=other))
    flipped = {"new": "gone", "gone": "new", "otherwise": "otherwise"}

    assert there.accounts == back.accounts
    assert {(flipped[k.effect.value], k.action, k.accounts) for k in there.kinds} == {
        (k.effect.value, k.action, k.accounts) for k in back.kinds
    }
