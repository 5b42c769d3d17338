"""What a change of the policy, or its revert, does not bring to accounts that are there is named."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.model.plan import Plan
from reconciler.model.speculation import Unreached
from reconciler.planning.encode import encode
from reconciler.planning.speculate import Base, speculate
from reconciler.policy.model import Policy
from reconciler.state.model import State

from . import builder
from .builder import DEFAULT, NORMAL, OU, account, guest, policy

BEFORE = policy()
FABRIKAM = f"OU=Fabrikam,{OU}"
ELSEWHERE = DEFAULT.replace("@fabrikam.com", "@adatum.com")
SMARTCARD_NOT_NEEDED = DEFAULT.replace("[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]", "[NORMAL_ACCOUNT]")
ONCE = DEFAULT.replace("  employeeType: guest.userType\n", "").replace(
    "  cn: guest.id\n", "  cn: guest.id\n  employeeType: '\"Partner\"'\n"
)


def made(state: State, after: Policy, before: Policy | None = BEFORE) -> Plan:
    settings = builder.settings()
    return speculate(state, after, settings, (), Base("c0ffee", before, settings, "it has no policy"))


def told(state: State, after: Policy, before: Policy | None = BEFORE) -> list[tuple[str, str, int]]:
    return [(u.attribute, u.rule.name, u.accounts) for u in unreached(made(state, after, before))]


def unreached(plan: Plan) -> tuple[Unreached, ...]:
    assert plan.speculation is not None
    return plan.speculation.unreached


def standing(n: int = 4, **changes: object) -> State:
    guests = [guest(i) for i in range(1, n + 1)]
    return builder.state(guests, [account(g, 1100 + i, **changes) for i, g in enumerate(guests)])  # type: ignore[arg-type]


def test_a_changed_placement_names_how_many_accounts_stay_where_they_are_and_three_of_them() -> None:
    [stays] = unreached(made(standing(), policy(ELSEWHERE)))

    assert (stays.attribute, stays.rule.name, stays.accounts) == ("placement", "placement[0]", 4)
    assert [(s.guest, s.delta.before, s.delta.after) for s in stays.examples] == [
        (builder.gid(i), OU, FABRIKAM) for i in (1, 2, 3)
    ]


def test_its_revert_names_the_accounts_that_were_made_in_between_and_no_others() -> None:
    guests = [guest(1), guest(2)]
    between = account(guests[1], 1101, dn=f"CN={guests[1].id},{FABRIKAM.upper()}")
    state = builder.state(guests, [account(guests[0], 1100), between])

    assert told(state, BEFORE, policy(ELSEWHERE)) == [("placement", "placement[1]", 1)]


def test_an_account_that_an_administrator_moved_is_no_news_when_the_placement_is_as_before() -> None:
    guests = [guest(1)]
    state = builder.state(guests, [account(guests[0], 1100, dn=f"CN=x,OU=Moved,{OU}")])
    suffix = DEFAULT.replace("displayName: guest.displayName", "displayName: guest.displayName + ' (x)'")

    assert told(state, policy(suffix)) == []


def test_a_changed_flag_names_the_accounts_that_keep_theirs_and_no_bit_of_an_administrators() -> None:
    one, other, done = guest(1), guest(2), guest(3)
    pinned = account(other, 1101, uac=NORMAL | 0x10000)
    state = builder.state([one, other, done], [account(one, 1100), pinned, account(done, 1102, uac=512)])
    [stays] = unreached(made(state, policy(SMARTCARD_NOT_NEEDED)))

    assert (stays.attribute, stays.accounts) == ("userAccountControl", 2)
    assert [(s.delta.before, s.delta.after) for s in stays.examples] == [
        (NORMAL, 512),
        (NORMAL | 0x10000, 512 | 0x10000),
    ]


def test_an_initial_value_names_the_accounts_that_hold_another() -> None:
    assert told(standing(), policy(ONCE)) == [("employeeType", "initial.employeeType", 4)]
    assert told(standing(attributes={"employeeType": "Partner"}), policy(ONCE)) == []


def test_who_has_left_is_out_of_sight_or_held_by_nobody_is_not_counted() -> None:
    gone, there = guest(1, removed="changed"), guest(2)
    lost = replace(account(there, 1101), missing="invisible")
    loose = account(guest(3), 1102, joined=False)

    assert told(builder.state([gone, there, guest(3)], [account(gone, 1100), lost, loose]), policy(ELSEWHERE)) == []


def test_a_value_that_cannot_be_decided_is_not_guessed() -> None:
    nameless = guest(1, mail=None)
    after = DEFAULT.replace('has(guest.mail) && guest.mail.endsWith("@fabrikam.com")', 'guest.mail == "x"')

    assert told(builder.state([nameless], [account(nameless, 1100)]), policy(after)) == []


def test_the_document_has_it_and_the_verdict_does_not_say_that_both_policies_ask_for_the_same() -> None:
    from reconciler.render.plan_markdown import markdown

    plan = made(standing(), policy(ELSEWHERE))
    encoded = encode(plan)
    [row] = json.loads(encoded.text)["speculation"]["unreached"]
    page = markdown(plan, encoded.digest, encoded.changes_digest)

    assert (row["attribute"], row["accounts"], row["rule"]["name"]) == ("placement", 4, "placement[0]")
    assert row["examples"][0] == {"guest": builder.gid(1), "label": "Guest 1", "before": OU, "after": FABRIKAM}
    assert "**No account is affected.** What differs counts for new accounts alone." in page
    assert "4 accounts stay where they are" in page


def test_without_a_policy_to_compare_with_nothing_is_named() -> None:
    assert told(standing(), policy(ELSEWHERE), None) == []
