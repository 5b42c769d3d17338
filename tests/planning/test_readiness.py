"""A plan that leaves an active guest's account unfit for single sign-on says so, on the change, among the dangerous."""

from __future__ import annotations

import pytest

from reconciler.model.plan import Action

from .builder import DEFAULT, DISABLED, NORMAL, account, guest, only, plan, policy

_DISABLE_AT_CREATION = {"[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]": "[NORMAL_ACCOUNT, SMARTCARD_REQUIRED, ACCOUNTDISABLE]"}
_SENSITIVE_AT_CREATION = {"[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]": "[NORMAL_ACCOUNT, SMARTCARD_REQUIRED, NOT_DELEGATED]"}
_OTHER_UPN = {
    "userPrincipalName: guest.userPrincipalName\n  display": "userPrincipalName: 'guest.id + \"@contoso.test\"'\n  display"
}


def test_the_default_policy_warns_of_nothing() -> None:
    assert only(plan([guest(1)], []), Action.CREATE).warnings == ()
    changed = account(guest(1), 1001, attributes={"displayName": "old"})
    assert only(plan([guest(1)], [changed]), Action.UPDATE).warnings == ()


@pytest.mark.parametrize(
    ("replacements", "words"),
    [
        (_DISABLE_AT_CREATION, "stays disabled"),
        (_SENSITIVE_AT_CREATION, "NOT_DELEGATED"),
        (_OTHER_UPN, "guest1_adatum.com#EXT#@contoso.onmicrosoft.com"),
    ],
)
def test_an_account_created_unfit_is_warned_of(replacements: dict[str, str], words: str) -> None:
    (warning,) = only(plan([guest(1)], [], policy(**replacements)), Action.CREATE).warnings
    assert words in warning


@pytest.mark.parametrize(("flags", "words"), [(DISABLED, "stays disabled"), (NORMAL | 0x100000, "marked as sensitive")])
def test_an_update_of_an_unfit_account_is_warned_of_and_dangerous(flags: int, words: str) -> None:
    unfit = account(guest(1), 1001, uac=flags, attributes={"displayName": "old"})
    change = only(plan([guest(1)], [unfit]), Action.UPDATE)
    assert [words in w for w in change.warnings] == [True]
    assert change.dangerous


def test_accounts_that_are_not_for_single_sign_on_may_be_sensitive() -> None:
    without = policy(**{"scope:": "sign_in: {identity: none}\nscope:"})
    sensitive = account(guest(1), 1001, uac=NORMAL | 0x100000, attributes={"displayName": "old"})
    assert only(plan([guest(1)], [sensitive], without), Action.UPDATE).warnings == ()


def test_a_plan_that_enables_the_account_again_warns_of_nothing() -> None:
    back = account(guest(1), 1001, uac=DISABLED, attributes={"displayName": "old"}, suspended=True)
    made = plan([guest(1)], [back])
    assert {c.action for c in made.changes} == {Action.UPDATE, Action.ENABLE}
    assert [c.warnings for c in made.changes] == [(), ()]


def test_whoever_is_blocked_is_disabled_without_a_warning() -> None:
    blocked = guest(1, accountEnabled=False)
    made = plan([blocked], [account(blocked, 1001, attributes={"displayName": "old"})])
    assert {w for c in made.changes for w in c.warnings} == set()


def test_an_update_that_puts_the_upn_right_warns_of_nothing() -> None:
    stray = account(guest(1), 1001, attributes={"userPrincipalName": "stray@contoso.test"})
    assert only(plan([guest(1)], [stray]), Action.UPDATE).warnings == ()


def test_one_guest_is_warned_of_once() -> None:
    unfit = account(
        guest(1), 1001, uac=DISABLED, joined=False, attributes={"displayName": "old", "adminDescription": None}
    )
    made = plan([guest(1)], [unfit])
    assert {c.action for c in made.changes} == {Action.JOIN, Action.UPDATE}
    assert sorted(len(c.warnings) for c in made.changes) == [0, 1]


@pytest.mark.parametrize(
    ("identity", "upn", "warned"),
    [
        ("upn", "guest.id + '@contoso.test'", True),
        ("none", "guest.id + '@contoso.test'", False),
        (
            "sam-account-name",
            "guest.id + '@contoso.test'",
            False,
        ),  # Entra was not seen to know one: nothing can be told
        ("on-premises-upn", "guest.id + '@contoso.test'", False),
        ("upn-user-part", "guest.userPrincipalName", True),  # the sAMAccountName is part of the id
    ],
)
def test_what_must_match_is_what_the_applications_are_set_to(identity: str, upn: str, warned: bool) -> None:
    text = DEFAULT.replace(
        "userPrincipalName: guest.userPrincipalName\n  display", f"userPrincipalName: {upn}\n  display"
    )
    made = plan([guest(1)], [], policy(text + f"\nsign_in: {{identity: {identity}}}\n"))
    assert bool(only(made, Action.CREATE).warnings) == warned


def test_a_user_part_that_is_the_account_name_matches() -> None:
    text = DEFAULT.replace("guest.id.substring(0, 20)", "guest.userPrincipalName.substring(0, 6)")
    by = policy(text + "\nsign_in: {identity: upn-user-part}\n")
    short = guest(1, userPrincipalName="guest1@contoso.onmicrosoft.com")
    assert only(plan([short], [], by), Action.CREATE).warnings == ()
