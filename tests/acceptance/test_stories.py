"""What goes wrong once in the life of an installation, lived through as a person would: nothing is lost, and it is said why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.demo.people import generate
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations, git

from .diary import NOON, Diary
from .expected import accounts, held, sids, wanted

pytestmark = pytest.mark.samba
POLICY = "policies/guests.yaml"


@dataclass
class Story:
    """One installation whose guests have their accounts, and what a person does to it."""

    diary: Diary
    samba: Controller
    ou: str

    @property
    def ops(self) -> Operations:
        return self.diary.ops

    def edit(self, path: str, *edits: tuple[str, str], message: str = "a change") -> str:
        """Edit a file, commit and push that; return the commit."""
        file = self.ops.directory / path
        text = file.read_text()
        for old, new in edits:
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text)
        git(self.ops.directory, "checkout", "-q", "--", "state")
        return self.ops.commit(message)

    def acknowledge(self, counts: dict[str, int]) -> None:
        """Write the one acknowledgement into the policy."""
        file = self.ops.directory / POLICY
        kept = [line for line in file.read_text().splitlines() if not line.startswith("acknowledge:")]
        until = self.diary.now.date()
        block = f'acknowledge: [{{counts: {json.dumps(counts)}, reason: meant, until: "{until}"}}]'
        file.write_text("\n".join([*kept, block]) + "\n")
        git(self.ops.directory, "checkout", "-q", "--", "state")
        self.ops.commit("that many are meant")

    def held(self) -> dict[str, dict[str, str]]:
        return held(self.samba, self.ou)

    def refused(self, actions: Sequence[str]) -> str:
        """Propose, merge and apply a plan that the guards must refuse; return what is said."""
        before = self.held()
        plan = self.diary.proposed(expect=3)
        assert sorted(g["action"] for g in plan["guards"] if g["refused"]) == sorted(actions)
        _, said = self.diary.reconcile("apply", "--yes", expect=3)
        assert self.held() == before
        assert not re.search("refs/reconcile/lock", git(self.ops.remote, "for-each-ref"))
        return said

    def nothing_to_do(self) -> None:
        plan = self.diary.planned()
        assert (plan["changes"], plan["conflicts"]) == ([], [])
        assert accounts(self.samba, self.ou) == wanted(self.ops)


Begin = Callable[..., Story]


@pytest.fixture
def begin(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> Begin:
    """Return what makes an installation with so many guests, who have their accounts, and whose accounts are imported."""

    def made(people: Any = 6, *edits: tuple[str, str]) -> Story:
        story = Story(Diary(operations(people), capsys), samba, samba_ou.text)
        if edits:
            story.edit(POLICY, *edits)
        created = len(story.diary.proposed()["changes"])
        assert created == len(story.ops.tenant.guests())
        assert story.diary.applied() == {"done": created}
        story.diary.reconcile("snapshot")
        story.ops.commit("an import that knows the accounts")
        return story

    return made


# --- everybody is gone


def test_everybody_is_really_deleted_in_entra(begin: Begin) -> None:
    story = begin()
    everybody = [user.id for user in story.ops.tenant.guests()]
    for guest in everybody:
        story.ops.tenant.soft_delete(guest)
    said = story.refused(["disable", "move"])
    assert "disable guard: 6 planned, at most 1 allowed" in said
    assert "acknowledge: [{counts: {disable: 6, move: 6}" in said
    for guest in everybody:
        story.ops.tenant.restore(guest)
    story.nothing_to_do()


def test_a_typo_that_puts_everybody_out_of_scope_is_refused_and_reverted(begin: Begin) -> None:
    story = begin()
    typo = story.edit(POLICY, ('guest.userType == "Guest"', 'guest.userType == "Geust"'))
    said = story.refused(["disable", "move"])
    assert "disable guard: 6 planned, at most 1 allowed" in said
    plan = json.loads((story.ops.directory / "state/plan.json").read_bytes())
    assert {c["cause"] for c in plan["changes"]} == {"left: out of the policy's scope"}
    git(story.ops.directory, "revert", "--no-edit", typo)
    git(story.ops.directory, "push", "-q", "origin", "main")
    story.nothing_to_do()


def test_acknowledged_exactly_it_goes_past_and_a_revert_yields_the_inverse(begin: Begin) -> None:
    story = begin()
    before = story.held()
    typo = story.edit(POLICY, ('guest.userType == "Guest"', 'guest.userType == "Geust"'))
    story.acknowledge({"disable": 6, "move": 5})
    story.refused(["disable", "move"])
    story.acknowledge({"disable": 6, "move": 6})
    story.diary.proposed()
    assert story.diary.applied() == {"done": 12}
    gone = story.held()
    assert {e["userAccountControl"] for e in gone.values()} == {"262658"}
    assert all(f",OU=Departed,{story.ou}" in e["distinguishedName"] for e in gone.values())

    git(story.ops.directory, "revert", "--no-edit", typo)
    git(story.ops.directory, "push", "-q", "origin", "main")
    story.diary.now += timedelta(days=1)
    plan = story.diary.planned(expect=3)
    assert sorted(c["action"] for c in plan["changes"]) == ["enable"] * 6 + ["move"] * 6
    story.acknowledge({"move": 6})
    story.diary.proposed()
    assert story.diary.applied() == {"done": 12}
    assert story.held() == before
    story.nothing_to_do()


def test_what_a_revert_cannot_undo_is_named(begin: Begin) -> None:
    flow = "  employeeType: guest.userType\n"
    story = begin(4, ("update: {percent: 30}", "update: {percent: 100}"), (flow, ""))
    wider = story.edit(POLICY, ("\nflows:\n", f"\nflows:\n{flow}"))
    story.diary.proposed()
    assert story.diary.applied() == {"done": 4}
    story.diary.reconcile("snapshot")
    story.ops.commit("an import that knows the types")
    git(story.ops.directory, "revert", "--no-edit", wider)
    out, _ = story.diary.reconcile("plan")
    words = " ".join(out.split())
    assert "employeeType is in no rule of this policy any more: what accounts hold there stays" in words
    git(story.ops.directory, "checkout", "-q", "--", "state")
    story.nothing_to_do()


# --- what is there has another name


def test_the_base_ou_is_renamed(begin: Begin) -> None:
    story = begin()
    before = {cn: e["objectSid"] for cn, e in story.held().items()}
    parent = DN(story.ou)
    renamed = f"OU=Partners {parent.name},{parent.parent}"
    with story.samba.administrator() as administrator:
        administrator.move(story.ou, DN(renamed).rdn, parent.parent.text)
    clean = git(story.ops.directory, "status", "--porcelain")
    _, said = story.diary.reconcile("snapshot", expect=1)
    assert f"There is no {story.ou}" in said
    assert "directory.ous" in said
    assert git(story.ops.directory, "status", "--porcelain") == clean

    story.edit("reconcile.yaml", (story.ou, renamed))
    story.edit(POLICY, (story.ou, renamed))
    story.ou = renamed
    story.nothing_to_do()
    assert sids(story.samba, renamed) == before
    story.ops.tenant.invite({"mail": f"new-{parent.name}@adatum.com"})
    story.diary.proposed()
    assert story.diary.applied() == {"done": 1}


def test_names_that_swap_and_pass_on_in_one_round(begin: Begin) -> None:
    """The UPN is the mail address here: two swap theirs, and one passes from a third guest to a fourth."""
    people = [replace(p, mail=f"{p.id[:8]}@adatum.com") for p in generate(4, seed=77)]
    flow = "  userPrincipalName: guest.userPrincipalName\n"
    by_mail = "  userPrincipalName: 'has(guest.mail) ? guest.mail : guest.userPrincipalName'\n"
    story = begin(people, (flow, by_mail), ("update: {percent: 30}", "update: {percent: 100}"))
    before = sids(story.samba, story.ou)
    one, two, giver, taker = people
    tenant = story.ops.tenant
    tenant.update(one.id, mail=two.mail)
    tenant.update(two.id, mail=one.mail)
    tenant.update(taker.id, mail=giver.mail)
    tenant.update(giver.id, mail=f"new-{giver.id[:8]}@adatum.com")
    plan = story.diary.proposed()
    assert [c["action"] for c in plan["changes"]] == ["update"] * 4
    order = [c["guest"] for c in plan["changes"]]
    assert order.index(giver.id) < order.index(taker.id)
    assert story.diary.applied() == {"done": 4}
    assert sids(story.samba, story.ou) == before
    now = {cn: e["userPrincipalName"] for cn, e in story.held().items()}
    assert now == {user.id: user.properties["mail"] for user in tenant.guests()}
    assert story.diary.planned()["changes"] == []


# --- what is lost


@pytest.mark.parametrize("lost", ["state", "state/accounts"])
def test_lost_accounts_are_joined_again_by_their_anchors(begin: Begin, lost: str) -> None:
    story = begin()
    ops = story.ops
    leaver, moved = (user.id for user in ops.tenant.guests()[:2])
    ops.tenant.soft_delete(leaver)
    story.diary.proposed(expect=0)
    story.diary.applied()
    with story.samba.administrator() as administrator:
        rdn, _, _ = story.held()[moved]["distinguishedName"].partition(",")
        administrator.move(story.held()[moved]["distinguishedName"], f"{rdn} by hand", story.ou)
    before = story.held()
    git(ops.directory, "rm", "-qr", lost)
    ops.commit("lost")
    if lost != "state":
        _, said = story.diary.reconcile("plan", expect=1)
        assert "reconcile snapshot --full" in said
    plan = json.loads((story.diary.reconcile("snapshot", "--full"), story.diary.reconcile("plan", "--json"))[1][0])
    assert plan["changes"] == []
    assert plan["managed"] == (5 if lost == "state" else 6)
    assert story.held() == before
    ops.tenant.update(moved, displayName="After the loss")
    assert [(c["action"], c["sid"]) for c in story.diary.planned()["changes"]] == [
        ("update", before[f"{moved} by hand"]["objectSid"])
    ]


# --- what takes time


def test_a_hold_leaves_everything_as_it_is_until_its_day(begin: Begin) -> None:
    story = begin(40)
    person, account, free = (user.id for user in story.ops.tenant.guests()[:3])
    sid, day = story.held()[account]["objectSid"], NOON.date()
    held_lines = (
        f'hold:\n  - {{guest: {person}, reason: case 4711, until: "{day}"}}\n'
        f'  - {{account: {sid}, reason: legal, until: "{day}"}}\n'
    )
    story.edit(POLICY, ("\nguards:\n", f"\n{held_lines}guards:\n"))
    story.ops.tenant.update(person, accountEnabled=False)
    story.ops.tenant.soft_delete(account)
    story.ops.tenant.update(free, displayName="Goes on")
    plan = story.diary.proposed()
    assert [(c["action"], c["guest"]) for c in plan["changes"]] == [("update", free)]
    assert {h["subject"]: h["what"] for h in plan["held"]} == {
        person: f"held until {day}: case 4711",
        account: f"held until {day}: legal",
    }
    assert story.diary.applied() == {"done": 1}
    story.diary.now += timedelta(days=1)
    later = story.diary.proposed()
    assert {(c["action"], c["guest"]) for c in later["changes"]} == {
        ("disable", person),
        ("disable", account),
        ("move", account),
    }
    assert later["held"] == []


def test_a_first_import_comes_in_batches_each_whole_in_itself(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> None:
    ops = operations(25)
    story = Story(Diary(ops, capsys), samba, samba_ou.text)
    story.edit("reconcile.yaml", ("batch: 5000", "batch: 10"))
    everybody = wanted(ops)
    for made, left in ((10, 15), (20, 5), (25, 0)):
        plan = story.diary.proposed()
        assert (plan["complete"], plan["deferred"]) == (left == 0, left)
        assert [c["action"] for c in plan["changes"]] == ["create"] * (10 if left else 5)
        assert story.diary.applied() == {"done": 10 if left else 5}
        there = accounts(samba, samba_ou.text)
        assert len(there) == made
        assert there.items() <= everybody.items()
    story.nothing_to_do()
