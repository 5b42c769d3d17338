"""What becomes of accounts made by others: told, and planned just so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.demo.people import Person, generate
from reconciler.model.account import HALF_MADE, Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Plan
from reconciler.planning.adoption import Adoption, adoption
from reconciler.planning.anchors import named_guest
from reconciler.planning.makers import Maker, maker
from reconciler.policy.model import Policy
from tests.support import made_elsewhere as made

from .builder import DEFAULT, DISABLED, OU, account, gid, guest, plan, policy, settings, state

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
MAKERS: dict[str, tuple[made.Maker, Maker]] = {
    "mim": (made.mim, Maker.MIM),
    "mim-rules-extension": (made.rules_extension, Maker.MIM_EXTENSION),
    "b2bsync": (made.b2bsync, Maker.B2BSYNC),
    "powershell-sample": (made.powershell_sample, Maker.SAMPLE),
    "older-mim": (made.older_mim, Maker.MIM_MAIL),
}
PEOPLE = [p for p in generate(80, seed=5) if p.mail and len(p.display_name) <= 64]
LEFT_TO_MAKERS = policy(
    DEFAULT.replace("  sAMAccountName: guest.id.substring(0, 20)\n", "").replace(
        "\ninitial:\n", "\ninitial:\n  sAMAccountName: guest.id.substring(0, 20)\n"
    )
)


def example(name: str) -> Policy:
    return policy((EXAMPLES / f"{name}.yaml").read_text("utf-8"))


def from_entra(person: Person) -> Guest:
    return Guest(person.id, {k: v for k, v in person.properties.items() if v is not None and k != "id"})


def by(maker_of: made.Maker, person: Person, rid: int, **changes: Any) -> Account:
    cn, attributes = maker_of(person)
    held = {"userAccountControl": 262656, **attributes, **changes.pop("attributes", {})}
    sid, guid = f"S-1-5-21-1-2-3-{rid}", f"00000000-0000-0000-0000-{rid:012d}"
    return Account(sid, guid, DN(OU).child("CN", cn), held, **changes)


def mine(n: int, rid: int, **attributes: Any) -> Account:
    """An account that guest n's names are on, but nobody's anchor."""
    return account(guest(n), rid, joined=False, attributes={"adminDescription": None, **attributes})


def stranger(rid: int, **attributes: Any) -> Account:
    names = {"sAMAccountName": f"s{rid}", "userPrincipalName": f"s{rid}@contoso.test"}
    return account(
        guest(90), rid, joined=False, dn=f"CN=s{rid},{OU}", attributes={"adminDescription": None, **names, **attributes}
    )


def report(guests: Sequence[Guest], accounts: Sequence[Account], by: Policy | None = None) -> tuple[Adoption, Plan]:
    chosen = by or LEFT_TO_MAKERS
    made_plan = plan(list(guests), list(accounts), chosen)
    return adoption(state(list(guests), list(accounts)), chosen, settings().directory.ous, made_plan), made_plan


# --- the makers


@pytest.mark.parametrize("name", MAKERS)
def test_the_example_for_a_maker_takes_its_accounts_over_and_changes_nothing_but_the_anchor(name: str) -> None:
    maker_of, pattern = MAKERS[name]
    accounts = [by(maker_of, p, 1000 + n) for n, p in enumerate(PEOPLE)]
    found, made_plan = report([from_entra(p) for p in PEOPLE], accounts, example(name))
    assert {(c.action, c.sid, c.guest) for c in made_plan.changes} == {
        (Action.JOIN, a.sid, p.id) for a, p in zip(accounts, PEOPLE, strict=True)
    }
    assert {d.attribute for c in made_plan.changes for d in c.deltas} == {"adminDescription"}
    assert not made_plan.conflicts
    assert found.makers == {pattern: len(PEOPLE)}
    assert found.attributes == {"adminDescription": len(PEOPLE)}
    assert sum(found.rules.values()) == len(found.joins) == found.accounts == len(PEOPLE)


def test_an_account_that_this_program_made_is_not_taken_for_mims() -> None:
    found, _ = report([guest(1)], [account(guest(1), 1100)], policy())
    assert [p.maker for p in found.joined] == [Maker.OURS]


@pytest.mark.parametrize("name", MAKERS)
def test_with_the_anchor_present_there_is_nothing_to_do(name: str) -> None:
    accounts = [
        by(MAKERS[name][0], p, 1000 + n, guest=p.id, adopted=True, attributes={"adminDescription": f"User_{p.id}"})
        for n, p in enumerate(PEOPLE)
    ]
    found, made_plan = report([from_entra(p) for p in PEOPLE], accounts, example(name))
    assert not made_plan.changes
    assert {p.maker for p in found.joined} == {MAKERS[name][1]}
    assert len(found.joined) == len(PEOPLE)
    assert (found.joins, found.disputes, found.orphans, found.creates) == ((), (), (), 0)


@pytest.mark.parametrize("name", MAKERS)
def test_a_makers_pattern_is_known_without_the_guest_too(name: str) -> None:
    maker_of, pattern = MAKERS[name]
    orphans = [by(maker_of, p, 1000 + n) for n, p in enumerate(PEOPLE)]
    known = [maker(a) for a in orphans]
    if pattern is Maker.MIM_MAIL:  # an address as a name tells nothing unless the cn is an id
        assert {k for k, a in zip(known, orphans, strict=True) if a.dn.name in {p.id for p in PEOPLE}} == {pattern}
    else:
        assert set(known) == {pattern}


def test_an_example_makes_new_accounts_that_the_directory_takes() -> None:
    for name in MAKERS:
        made_plan = plan([from_entra(PEOPLE[0])], [], example(name))
        assert [c.action for c in made_plan.changes] == [Action.CREATE], name


def test_the_default_policy_would_rename_what_others_named_and_the_report_says_how_to_leave_it() -> None:
    person = PEOPLE[0]
    found, _ = report([from_entra(person)], [by(made.powershell_sample, person, 1)], policy())
    assert {"sAMAccountName", "adminDescription"} <= set(found.attributes)
    (pair,) = found.joins
    assert {d.attribute: d.after for d in pair.deltas}["sAMAccountName"] == person.id[:20]


# --- what is not clear


def test_two_guests_for_one_account_are_one_dispute_that_names_both_and_the_account() -> None:
    same = {"userPrincipalName": "shared@contoso.test"}
    found, made_plan = report([guest(1, **same), guest(2, **same)], [mine(1, 1, **same)])
    (dispute,) = found.disputes
    assert dispute.kind == "ambiguous-join"
    assert [g.id for g in dispute.guests] == [gid(1), gid(2)]
    assert [a.sid for a in dispute.accounts] == [a.sid for a in found.disputed] == ["S-1-5-21-1-2-3-1"]
    assert all(i in dispute.what for i in (gid(1), gid(2), "S-1-5-21-1-2-3-1"))
    assert not made_plan.changes


def test_two_accounts_for_one_guest_are_one_dispute_that_names_the_guest_and_both() -> None:
    found, made_plan = report([guest(1)], [mine(1, 1), mine(1, 2)])
    (dispute,) = found.disputes
    assert ([g.id for g in dispute.guests], [a.sid[-1] for a in dispute.accounts]) == ([gid(1)], ["1", "2"])
    assert len(found.disputed) == 2
    assert not made_plan.changes


def test_a_second_account_of_somebody_who_has_one_is_a_dispute_about_both() -> None:
    found, made_plan = report([guest(1)], [account(guest(1), 1), mine(1, 2)])
    (dispute,) = found.disputes
    assert (dispute.kind, [a.sid[-1] for a in dispute.accounts]) == ("join-points-elsewhere", ["1", "2"])
    assert len(found.disputed) == found.accounts == 2
    assert not made_plan.changes


def test_an_account_whose_anchor_names_nobody_known_is_an_orphan_with_that_id() -> None:
    found, made_plan = report([guest(1)], [account(guest(1), 1), stranger(2, adminDescription=f"User_{gid(7)}")])
    (orphan,) = found.orphans
    assert (orphan.account.sid[-1], orphan.names) == ("2", gid(7))
    assert [u.sid for u in made_plan.unmanaged] == [orphan.account.sid]


def test_an_account_of_somebody_unknown_is_not_given_to_a_guest_with_the_same_names() -> None:
    old = mine(1, 1, adminDescription=f"User_{gid(7)}")
    found, made_plan = report([guest(1)], [old])
    assert not made_plan.changes
    (dispute,) = found.disputes
    assert dispute.kind == "anchor-names-another"
    assert gid(7) in dispute.what
    assert ([g.id for g in dispute.guests], list(dispute.accounts)) == ([gid(1)], [old])


@pytest.mark.parametrize("text", ["User_", "User_NoSync", f"see ticket {gid(7)}", f"User_{gid(7)} "])
def test_another_text_where_the_anchor_goes_is_no_obstacle_and_is_shown(text: str) -> None:
    found, made_plan = report([guest(1)], [mine(1, 1, adminDescription=text)])
    (change,) = made_plan.changes
    assert (change.action, change.deltas[0].before) == (Action.JOIN, text)
    assert found.joins[0].deltas[0].before == text


def test_an_orphan_tells_which_guest_a_later_rule_finds_for_it() -> None:
    by_cn = policy(
        DEFAULT.replace(
            "  - {account: userPrincipalName, guest: guest.userPrincipalName}\n",
            "  - {account: userPrincipalName, guest: guest.userPrincipalName}\n  - {account: cn, guest: guest.id}\n",
        )
    )
    taken = replace(mine(1, 1), dn=DN(f"CN=alice,{OU}"))
    left = replace(stranger(2), dn=DN(f"CN={gid(1)},{OU}"))
    found, _ = report([guest(1)], [taken, left], by_cn)
    assert [p.account.sid[-1] for p in found.joins] == ["1"]
    (orphan,) = found.orphans
    assert [(r.guest.id, r.rule.name) for r in orphan.rivals] == [(gid(1), "join[2]")]


def test_what_cannot_be_decided_is_in_dispute_with_the_account_it_would_have_been() -> None:
    found, made_plan = report([guest(1, surname="x" * 65)], [mine(1, 1)])
    assert not made_plan.changes
    (dispute,) = found.disputes
    assert (dispute.kind, len(dispute.accounts), len(found.disputed)) == ("illegal-value", 1, 1)


def test_a_name_that_somebody_elses_account_holds_does_not_put_that_account_in_dispute() -> None:
    holder = mine(2, 2, sAMAccountName=gid(1)[:20])
    found, made_plan = report([guest(1), guest(2)], [holder])
    assert [p.account.sid for p in found.joins] == [holder.sid]
    (dispute,) = found.disputes
    assert (dispute.kind, [a.sid for a in dispute.accounts]) == ("name-taken", [holder.sid])
    assert not found.disputed
    assert [c.action for c in made_plan.changes] == [Action.JOIN]


def test_a_name_that_a_joined_account_holds_does_not_put_that_account_in_dispute() -> None:
    holder = account(guest(2), 2, attributes={"sAMAccountName": gid(1)[:20]})
    found, _ = report([guest(1), guest(2)], [holder])
    assert [p.account.sid for p in found.joined] == [holder.sid]
    assert ([d.kind for d in found.disputes], found.disputed) == (["name-taken"], ())


def test_a_protected_account_and_a_held_guest_are_in_dispute() -> None:
    held = policy(**{"\nguards:": f"\nhold:\n  - {{guest: {gid(2)}, reason: audit, until: '2026-03-01'}}\nguards:"})
    strong = replace(mine(1, 1), protected=("adminCount",))
    found, made_plan = report([guest(1), guest(2)], [strong, mine(2, 2)], held)
    assert {d.kind: d.accounts[0].sid[-1] for d in found.disputes} == {"protected": "1", "held": "2"}
    assert not made_plan.changes


# --- what a takeover leaves alone


@pytest.mark.parametrize("uac", [DISABLED, 514, 66050, HALF_MADE, 512])
def test_user_account_control_is_never_touched_before_the_takeover_or_after(uac: int) -> None:
    before = mine(1, 1, userAccountControl=uac)
    _, takeover = report([guest(1)], [before])
    assert {d.attribute for c in takeover.changes for d in c.deltas} == {"adminDescription"}
    attributes = {**before.attributes, "adminDescription": f"User_{gid(1)}"}
    after = replace(before, attributes=attributes, guest=gid(1), adopted=True)
    assert not plan([guest(1)], [after], LEFT_TO_MAKERS).changes


def test_an_account_of_ours_that_was_interrupted_is_still_finished() -> None:
    interrupted = account(guest(1), 1, uac=HALF_MADE)
    assert [c.action for c in plan([guest(1)], [interrupted]).changes] == [Action.CREATE]


def test_a_blocked_guests_account_is_taken_over_and_then_disabled() -> None:
    _, made_plan = report([guest(1, accountEnabled=False)], [mine(1, 1)])
    join, disable = made_plan.changes
    assert (join.action, disable.action, disable.after) == (Action.JOIN, Action.DISABLE, (join.key,))


@pytest.mark.parametrize("surname", ["x" * 65, "Number 1"])
def test_a_blocked_guests_account_is_disabled_even_where_its_values_are_in_conflict(surname: str) -> None:
    blocked = guest(1, accountEnabled=False, surname=surname, userPrincipalName="a@contoso.test")
    held = mine(1, 1, userPrincipalName="guest1@adatum.com", sAMAccountName="x1")
    rival = stranger(2, userPrincipalName="a@contoso.test") if surname == "Number 1" else stranger(2)
    by_mail = policy(
        DEFAULT.replace(
            "account: userPrincipalName, guest: guest.userPrincipalName",
            "account: userPrincipalName, guest: guest.mail",
        )
    )
    made_plan = plan([blocked], [held, rival], by_mail)
    assert made_plan.conflicts
    assert [c.action for c in made_plan.changes] == [Action.JOIN, Action.DISABLE]


def test_an_anchor_under_initial_takes_over_too() -> None:
    line = "  adminDescription: '\"User_\" + guest.id'  # the anchor; also keeps Entra Connect from syncing the account back\n"
    assert line in DEFAULT
    once = policy(DEFAULT.replace(line, "").replace("\ninitial:\n", "\ninitial:\n" + line))
    assert [c.action for c in plan([guest(1)], [mine(1, 1)], once).changes] == [Action.JOIN]
    lost = account(guest(1), 1, attributes={"adminDescription": None})
    assert not plan([guest(1)], [lost], once).changes


def test_a_join_guard_is_optional_and_counts_takeovers() -> None:
    people, accounts = [guest(n) for n in range(3)], [mine(n, n) for n in range(3)]
    assert not plan(people, accounts, LEFT_TO_MAKERS).refused
    few = policy(DEFAULT.replace("\nguards:\n", "\nguards:\n  join: {max: 2}\n"))
    (guard,) = plan(people, accounts, few).refused
    assert (guard.action, guard.count, guard.limit) == (Action.JOIN, 3, 2)


# --- laws


def _text(n: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"upn{i}@contoso.test" for i in range(n)])


@given(st.data())
def test_every_account_is_in_one_place_and_joins_are_those_of_the_plan(data: st.DataObject) -> None:
    upns = data.draw(st.lists(_text(4), max_size=5))
    names = data.draw(st.lists(st.tuples(_text(4), st.sampled_from([None, "User_", *range(7)])), max_size=5))
    guests = [guest(n, userPrincipalName=upn) for n, upn in enumerate(upns)]
    accounts = []
    for rid, (upn, mark) in enumerate(names, 1):
        anchor = f"User_{gid(mark)}" if isinstance(mark, int) else mark
        known = gid(mark) if isinstance(mark, int) and mark < len(guests) and data.draw(st.booleans()) else None
        one = stranger(rid, userPrincipalName=upn, adminDescription=anchor)
        accounts.append(
            replace(one, guest=known, attributes={k: v for k, v in one.attributes.items() if v is not None})
        )
    found, made_plan = report(guests, accounts)
    places = [
        *(p.account.sid for p in (*found.joins, *found.joined)),
        *(a.sid for a in found.disputed),
        *(o.account.sid for o in found.orphans),
    ]
    assert sorted(places) == sorted(a.sid for a in accounts)
    taken = {(c.sid, c.guest) for c in made_plan.changes if c.action is Action.JOIN}
    unjoined = {a.sid for a in accounts if a.guest is None}
    assert {(p.account.sid, p.guest.id) for p in found.joins} == {t for t in taken if t[0] in unjoined}
    assert all(d.accounts for d in found.disputes if d.kind in ("ambiguous-join", "anchor-names-another"))


@given(st.uuids().map(str), st.sampled_from(["{}", "User_{}", "urn:{}:guest"]))
def test_whom_an_anchor_names_is_read_back(guest_id: str, form: str) -> None:
    prefix, suffix = form.split("{}")
    expression = f'\'"{prefix}" + guest.id + "{suffix}"\''
    by_form = policy(DEFAULT.replace("'\"User_\" + guest.id'", expression))
    assert named_guest(form.format(guest_id), by_form) == guest_id
    assert named_guest(form.format(guest_id).upper(), by_form) == guest_id
    assert named_guest(form.format(guest_id) + "x", by_form) is None
    assert named_guest(None, by_form) is None
