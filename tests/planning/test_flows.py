"""Given a guest and the default policy, the account gets the original flow table, attribute for attribute."""

from __future__ import annotations

from reconciler.model.plan import Action

from .builder import OU, account, gid, guest, only, plan, policy


def test_a_new_guest_gets_the_original_flow_table() -> None:
    change = only(plan([guest(7)], []), Action.CREATE)
    assert change.dn.text == f"CN={gid(7)},{OU}"
    assert {d.attribute: d.after for d in change.deltas if not d.secret} == {
        "adminDescription": f"User_{gid(7)}",
        "displayName": "Guest 7",
        "employeeType": "Guest",
        "givenName": "Guest",
        "mail": "guest7@adatum.com",
        "sAMAccountName": gid(7)[:20],
        "sn": "Number 7",
        "userAccountControl": 262656,
        "userPrincipalName": "guest7_adatum.com#EXT#@contoso.onmicrosoft.com",
    }
    assert [d.attribute for d in change.deltas if d.secret] == ["unicodePwd"]


def test_placement_is_first_match() -> None:
    change = only(plan([guest(7, mail="x@fabrikam.com")], []), Action.CREATE)
    assert change.dn.parent.text == f"OU=Fabrikam,{OU}"


def test_an_account_as_the_policy_wants_it_needs_nothing() -> None:
    made = plan([guest(7)], [account(guest(7), 1105)])
    assert not made.changes
    assert not made.conflicts


def test_a_changed_value_is_an_update_with_before_after_and_the_policy_line() -> None:
    change = only(plan([guest(7, displayName="New")], [account(guest(7), 1105)]), Action.UPDATE)
    (delta,) = change.deltas
    assert (delta.attribute, delta.before, delta.after, delta.rule.name) == (
        "displayName",
        "Guest 7",
        "New",
        "flows.displayName",
    )
    assert delta.rule.line > 1


def test_an_emptied_source_clears_the_value() -> None:
    change = only(plan([guest(7, mail=None)], [account(guest(7), 1105)]), Action.UPDATE)
    assert [(d.attribute, d.after) for d in change.deltas] == [("mail", None)]


def test_placement_and_userAccountControl_are_never_touched_after_creation() -> None:  # noqa: N802
    elsewhere = account(guest(7), 1105, dn=f"CN={gid(7)},OU=Fabrikam,{OU}", uac=262656 | 0x10000)
    assert not plan([guest(7)], [elsewhere]).changes


def test_cn_under_flows_renames() -> None:
    by = policy(**{"  cn: guest.id\n": "", "\nflows:": "\nflows:\n  cn: guest.id + '-x'"})
    change = only(plan([guest(7)], [account(guest(7), 1105)], by), Action.RENAME)
    assert change.to is not None
    assert change.to.text == f"CN={gid(7)}-x,{OU}"


def test_a_value_too_long_for_ad_is_a_conflict_and_never_cut() -> None:
    made = plan([guest(7, givenName="x" * 65)], [])
    assert not made.changes
    (conflict,) = made.conflicts
    assert conflict.kind == "illegal-value"
    assert "64" in conflict.what
    assert "65" in conflict.what


def test_a_failing_expression_is_a_conflict_of_that_guest_alone() -> None:
    by = policy(**{"has(guest.mail) && guest.mail.endsWith": "guest.mail.endsWith"})
    made = plan([guest(1, mail=None), guest(2)], [], by)
    assert [c.guest for c in made.changes] == [gid(2)]
    assert [(c.subject, c.kind) for c in made.conflicts] == [(gid(1), "expression")]
