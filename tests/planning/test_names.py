"""Names that must be unique: who gives one up goes first, who swaps steps aside, who cannot have it is a conflict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.plan import Action, Change
from reconciler.planning.names import steps
from reconciler.state.model import Claim

from .builder import DEPARTED, DISABLED, account, gid, guest, plan, policy

UPN = "userPrincipalName"


def upn(n: int) -> str:
    return f"guest{n}_adatum.com#EXT#@contoso.onmicrosoft.com"


def test_a_name_passes_on_once_it_is_given_up() -> None:
    made = plan(
        [guest(1, userPrincipalName=upn(2)), guest(2, userPrincipalName=upn(3))],
        [account(guest(1), 1101), account(guest(2), 1102)],
    )
    assert [c.guest for c in made.changes] == [gid(2), gid(1)]
    assert made.changes[1].after == (f"update:{gid(2)}",)
    assert not made.conflicts


def test_who_takes_the_name_of_an_account_that_is_deleted_waits_for_that() -> None:
    """The deletion itself may have to wait: an account that lost its anchor gets it back first."""
    gone = account(
        guest(1),
        1101,
        dn=f"CN={gid(1)},{DEPARTED}",
        uac=DISABLED,
        departed="2026-01-01T06:00:00Z",
        attributes={"adminDescription": None},
    )
    made = plan([guest(1, "deleted"), guest(2, userPrincipalName=upn(1))], [gone])
    assert [(c.action, c.after) for c in made.changes] == [
        (Action.JOIN, ()),
        (Action.DELETE, (f"join:{gid(1)}",)),
        (Action.CREATE, (f"delete:{gid(1)}",)),
    ]


def test_two_that_swap_need_one_to_step_aside() -> None:
    made = plan(
        [guest(1, userPrincipalName=upn(2)), guest(2, userPrincipalName=upn(1))],
        [account(guest(1), 1101), account(guest(2), 1102)],
    )
    first, second = made.changes
    assert [d.via for c in made.changes for d in c.deltas].count(None) == 1
    assert first.after == (f"via:{second.key}",)
    assert second.after == (first.key,)
    assert next(d.via for d in second.deltas) == f"reconcile-{second.guid}@swap.invalid"


def test_names_collide_as_windows_folds_them() -> None:
    by = policy(
        **{
            "sAMAccountName: guest.id.substring(0, 20)": "sAMAccountName: 'has(guest.displayName) ? string(guest.displayName) : guest.id'"
        }
    )
    made = plan([guest(1, displayName="Müller"), guest(2, displayName="MULLER"), guest(3, displayName="Other")], [], by)
    assert [c.guest for c in made.changes] == [gid(3)]
    assert {(c.subject, c.kind) for c in made.conflicts} == {(gid(1), "name-taken"), (gid(2), "name-taken")}
    assert gid(2) in made.conflicts[0].what


def test_a_name_taken_outside_the_ous_is_a_conflict_with_its_owner() -> None:
    made = plan([guest(1), guest(2)], [], claims=(Claim(UPN, upn(1), "S-1-5-21-1-2-3-500"),))
    assert [c.guest for c in made.changes] == [gid(2)]
    assert "S-1-5-21-1-2-3-500" in made.conflicts[0].what


def test_who_may_not_take_a_new_name_keeps_the_old_one_that_another_counted_on() -> None:
    made = plan(
        [guest(1, userPrincipalName=upn(2)), guest(2, userPrincipalName=upn(3))],
        [account(guest(1), 1101), account(guest(2), 1102)],
        claims=(Claim(UPN, upn(3), "S-1-5-21-1-2-3-500"),),
    )
    assert not made.changes
    assert {c.subject for c in made.conflicts} == {gid(1), gid(2)}


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
def test_any_exchange_of_names_can_be_carried_out_in_the_planned_order(order: list[int], moves: list[bool]) -> None:
    wanted = {n: order[n] for n in range(6)}
    guests = [guest(n, userPrincipalName=upn(wanted[n] if wanted[n] != n or moves[n] else n)) for n in range(6)]
    made = plan(guests, [account(guest(n), 1100 + n) for n in range(6)])
    held = {gid(n): upn(n) for n in range(6)}
    assert not made.conflicts
    for change in made.changes:
        for delta in change.deltas:
            if delta.via is not None:
                held[change.guest] = str(delta.via)
    done: set[str] = set()
    for change in made.changes:
        assert all(need.removeprefix("via:") in done or need.startswith("via:") for need in change.after)
        wants = str(change.deltas[0].after)
        assert wants not in held.values(), "somebody still has it"
        held[change.guest] = wants
        done.add(change.key)
    assert held == {gid(n): upn(order[n]) for n in range(6)}


def test_a_create_takes_its_names_and_a_finished_one_does_not() -> None:
    change: Change = plan([guest(1)], []).changes[0]
    assert {s.takes[0] for s in steps(change) if s.takes} == {"sAMAccountName", UPN, "distinguishedName"}
    assert change.action is Action.CREATE
