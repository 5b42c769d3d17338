"""Accounts that other tools made, on a real domain controller: reported, taken over with their SIDs, and otherwise left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.demo.people import Person, generate
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support import made_elsewhere as made
from tests.support.operations import ROOT, Operations, git

from .expected import held

pytestmark = pytest.mark.samba
Make = Callable[..., Operations]
ANCHOR = "adminDescription"
MAKERS: dict[str, tuple[made.Maker, str]] = {
    "mim": (made.mim, "mim"),
    "mim-rules-extension": (made.rules_extension, "mim-rules-extension"),
    "b2bsync": (made.b2bsync, "b2bsync"),
    "powershell-sample": (made.powershell_sample, "powershell-sample"),
    "older-mim": (made.older_mim, "mim-mail-upn"),
}
"""By the name of their policy in docs/examples: what makes the accounts, and the pattern they are known by."""
UAC = ("262656", "66048", "262658", "514", "546")
"""What the makers leave: enabled with and without a smart card, disabled in three ways. 546 is also what a half-made one has."""


def fifty(ou: DN) -> list[Person]:
    """Fifty guests with mail whose names no other test's guests have, and who can all be named as every maker names."""
    tag = ou.name[-6:]
    tagged = (
        replace(
            p,
            user_principal_name=f"{tag}.{p.user_principal_name}",
            mail=f"{tag}.{p.mail}",
            display_name=f"{p.display_name} {tag}",
        )
        for p in generate(150, seed=int(tag, 16))
        if p.mail
    )
    return _distinct(p for p in tagged if len(p.display_name) <= 64)[:50]


def _distinct(people: Iterator[Person]) -> list[Person]:
    found: dict[tuple[str, str], Person] = {}
    sams: set[str] = set()
    for person in people:
        sam = made.powershell_sample(person)[1]["sAMAccountName"].casefold()
        if sam not in sams and not any(person.display_name.casefold() == name for name, _ in found):
            sams.add(sam)
            found[person.display_name.casefold(), sam] = person
    return list(found.values())


def furnish(samba: Controller, ou: DN, people: Sequence[Person], maker: made.Maker, *, anchored: bool = False) -> None:
    """Make the accounts as the tool would have, over a connection of the administrator's."""
    with samba.administrator() as administrator:
        for number, person in enumerate(people):
            cn, attributes = maker(person)
            mark = {ANCHOR: f"User_{person.id}"} if anchored else {}
            dn = administrator.user(ou.child("CN", cn).text, {**attributes, **mark})
            uac = UAC[number % len(UAC)]
            if uac != "546":
                administrator.password(dn, "Aa1-long-enough-for-anybody")
                administrator.replace(dn, "userAccountControl", [uac])


def follow(ops: Operations, example: str, ou: DN, *edits: tuple[str, str]) -> None:
    """Give the installation the policy that docs/examples has for a maker."""
    text = (ROOT / f"docs/examples/{example}.yaml").read_text("utf-8").replace("OU=Guests,DC=contoso,DC=test", ou.text)
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    (ops.directory / "policies/guests.yaml").write_text(text)
    ops.commit("the policy for what is there")


def by_sid(samba: Controller, ou: DN, *without: str) -> dict[str, dict[str, str]]:
    found = held(samba, ou.text).values()
    return {e["objectSid"]: {k: v for k, v in e.items() if k not in without} for e in found}


def written(where: Path) -> tuple[str, dict[str, str]]:
    """Every ref and every file's hash: what a command could have changed but git's own cache of the working tree."""
    found = [p for p in sorted(where.rglob("*")) if p.is_file() and ".git" not in p.relative_to(where).parts]
    hashes = {str(p.relative_to(where)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}
    return git(where, "for-each-ref"), hashes


def adopt(ops: Operations) -> dict[str, Any]:
    report: dict[str, Any] = ops.reconcile("adopt", "--json").json
    return report


@pytest.mark.parametrize("name", MAKERS)
def test_fifty_accounts_of_each_maker_are_taken_over_with_their_sids_and_nothing_else_changes(
    name: str, operations: Make, samba: Controller, samba_ou: DN
) -> None:
    maker, pattern = MAKERS[name]
    people = fifty(samba_ou)
    assert len(people) == 50
    furnish(samba, samba_ou, people, maker)
    ops = operations(people)
    follow(ops, name, samba_ou)
    before = by_sid(samba, samba_ou)

    ops.reconcile("snapshot")
    untouched = written(ops.directory)
    report = adopt(ops)
    said = ops.reconcile("adopt").out

    assert written(ops.directory) == untouched
    assert report["summary"]["joins"] == report["summary"]["accounts"] == 50
    assert report["summary"]["by_maker"] == {pattern: 50}
    later = [p for p in people if name == "older-mim" and maker(p)[0] != p.id]
    assert report["summary"]["by_rule"] == {"join[1]": 50 - len(later), **({"join[2]": len(later)} if later else {})}
    assert report["summary"]["by_attribute"] == {ANCHOR: 50}
    assert {j["sid"] for j in report["joins"]} == set(before)
    assert "50  would be taken over, with their SIDs" in said

    plan = ops.reconcile("plan", "--json").json
    assert {(c["action"], *c["attributes"]) for c in plan["changes"]} == {("join", ANCHOR)}
    assert len(plan["changes"]) == 50
    assert (plan["conflicts"], plan["unmanaged"]) == ([], [])
    ops.reconcile("propose")
    ops.merge()
    assert ops.reconcile("apply", "--yes", "--json").json["counts"] == {"done": 50}

    assert by_sid(samba, samba_ou, ANCHOR) == before
    marks = {sid: entry[ANCHOR] for sid, entry in by_sid(samba, samba_ou).items()}
    assert marks == {j["sid"]: f"User_{j['guest']}" for j in report["joins"]}
    upns = {p.id: maker(p)[1]["userPrincipalName"] for p in people}
    assert {j["guest"]: before[j["sid"]]["userPrincipalName"] for j in report["joins"]} == upns
    after = ops.plan()
    assert (after["changes"], after["conflicts"], after["managed"]) == ([], [], 50)
    assert adopt(ops)["summary"]["joined"] == 50


@pytest.mark.parametrize("name", MAKERS)
def test_with_the_anchor_there_already_the_plan_is_empty_at_once(
    name: str, operations: Make, samba: Controller, samba_ou: DN
) -> None:
    people = fifty(samba_ou)
    furnish(samba, samba_ou, people, MAKERS[name][0], anchored=True)
    ops = operations(people)
    follow(ops, name, samba_ou)
    before = by_sid(samba, samba_ou)
    plan = ops.plan()
    assert (plan["changes"], plan["conflicts"], plan["managed"]) == ([], [], 50)
    summary = adopt(ops)["summary"]
    assert (summary["joined"], summary["joins"], summary["creates"]) == (50, 0, 0)
    ops.reconcile("snapshot", "--full")
    assert ops.reconcile("plan", "--json").json["changes"] == []
    assert by_sid(samba, samba_ou) == before


def test_e_mail_addresses_as_upns_become_entras_where_the_policy_flows_them(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    people = fifty(samba_ou)
    furnish(samba, samba_ou, people, made.older_mim)
    ops = operations(people)
    upn = "  userPrincipalName: guest.userPrincipalName\n"
    follow(
        ops,
        "older-mim",
        samba_ou,
        (upn, ""),
        ("\nflows:\n", f"\nflows:\n{upn}"),
        ("{account: cn, guest: guest.id}", "{account: employeeID, guest: guest.id}"),
    )
    before = by_sid(samba, samba_ou, ANCHOR, "userPrincipalName")
    ops.reconcile("snapshot")
    report = adopt(ops)
    assert report["summary"]["by_rule"] == {"join[2]": 50}
    assert report["summary"]["by_attribute"] == {ANCHOR: 50, "userPrincipalName": 50}
    assert ops.loop() == {"done": 100}
    after = by_sid(samba, samba_ou)
    assert {
        sid: {k: v for k, v in e.items() if k not in (ANCHOR, "userPrincipalName")} for sid, e in after.items()
    } == before
    assert {e["userPrincipalName"] for e in after.values()} == {p.user_principal_name for p in people}
    assert ops.plan()["changes"] == []


def test_what_matches_twice_is_a_conflict_with_both_sides_named_and_the_rest_goes_on(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    twin, other, double, fine, gone = fifty(samba_ou)[:5]
    other = replace(other, mail=twin.mail)
    furnish(samba, samba_ou, [replace(twin, id=gone.id)], lambda p: (str(p.mail), made.older_mim(p)[1]))
    furnish(samba, samba_ou, [double, fine], lambda p: (p.id, made.mim(p)[1]))
    ops = operations([twin, other, double, fine])
    copy = replace(double, user_principal_name=f"copy.{double.user_principal_name}", id=double.id)
    furnish(
        samba, DN(f"OU=Fabrikam,{samba_ou}"), [copy], lambda p: (p.id, {**made.mim(p)[1], "sAMAccountName": p.id[1:20]})
    )
    follow(ops, "older-mim", samba_ou)
    with samba.administrator() as administrator:
        old = administrator.user(f"CN=orphan,{samba_ou}", {"sAMAccountName": gone.id[:18], ANCHOR: f"User_{gone.id}"})
        orphan, shared = administrator.sid(old), administrator.sid(samba_ou.child("CN", str(twin.mail)).text)
        both = {administrator.sid(f"CN={double.id},{where}") for where in (samba_ou, f"OU=Fabrikam,{samba_ou}")}
    before = by_sid(samba, samba_ou, ANCHOR)
    ops.reconcile("snapshot")
    report = adopt(ops)

    sides = {
        (frozenset(g["guest"] for g in c["guests"]), frozenset(a["sid"] for a in c["accounts"])): c
        for c in report["conflicts"]
    }
    assert set(sides) == {
        (frozenset({twin.id, other.id}), frozenset({shared})),
        (frozenset({double.id}), frozenset(both)),
    }
    for (guests, accounts), conflict in sides.items():
        assert conflict["kind"] == "ambiguous-join"
        assert all(sid in conflict["what"] for sid in accounts)
        assert len(guests) == 1 or all(g in conflict["what"] for g in guests)
    assert [(o["sid"], o["names"]) for o in report["orphans"]] == [(orphan, gone.id)]
    assert [j["guest"] for j in report["joins"]] == [fine.id]
    said = ops.reconcile("adopt").out
    assert all(text in said for text in (shared, twin.id, other.id, *both, double.id, orphan, gone.id))
    assert ops.loop() == {"done": 1}
    assert by_sid(samba, samba_ou, ANCHOR) == before


def test_a_takeover_is_checked_again_at_the_account_and_a_blocked_guests_is_disabled_after_it(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    first, second, third, blocked = fifty(samba_ou)[:4]
    furnish(samba, samba_ou, [first, second, third], made.powershell_sample)
    with samba.administrator() as administrator:
        cn, attributes = made.powershell_sample(blocked)
        administrator.user(samba_ou.child("CN", cn).text, attributes, "Aa1-long-enough-for-anybody")
    ops = operations([first, second, third, replace(blocked, account_enabled=False)])
    upn = "  - {account: userPrincipalName, guest: guest.userPrincipalName}\n"
    also = "  - {account: displayName, guest: guest.displayName}\n"
    follow(ops, "powershell-sample", samba_ou, (upn, upn + also), ("  join:", "  disable: {max: 1}\n  join:"))
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    with samba.administrator() as administrator:
        dns = [samba_ou.child("CN", made.powershell_sample(p)[0]).text for p in (first, second)]
        administrator.replace(dns[0], ANCHOR, [f"User_{third.id}"])
        administrator.replace(dns[1], "userPrincipalName", [f"moved.{second.user_principal_name}"])
    done = ops.reconcile("apply", "--yes", "--json", expect=5).json
    assert done["counts"] == {"done": 3, "stale": 2}
    stale = {o["change"] for o in done["outcomes"] if o["result"] == "stale"}
    assert stale == {f"join:{first.id}", f"join:{second.id}"}
    now = {e["userPrincipalName"]: e for e in held(samba, samba_ou.text).values()}
    assert now[blocked.user_principal_name]["userAccountControl"] == "514"
    assert now[blocked.user_principal_name][ANCHOR] == f"User_{blocked.id}"
    assert now[first.user_principal_name][ANCHOR] == f"User_{third.id}"
    assert ANCHOR not in now[f"moved.{second.user_principal_name}"]


def test_more_takeovers_than_the_guard_allows_are_refused_until_acknowledged(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    people = fifty(samba_ou)[:3]
    furnish(samba, samba_ou, people, made.b2bsync)
    ops = operations(people)
    follow(ops, "b2bsync", samba_ou, ("join: {max: 1000}", "join: {max: 2}"))
    ops.reconcile("snapshot")
    assert "The join guard would refuse that plan: 3 planned, at most 2 allowed" in " ".join(
        ops.reconcile("adopt").out.split()
    )
    ops.reconcile("plan", expect=3)
    with (ops.directory / "policies/guests.yaml").open("a") as policy:
        policy.write('\nacknowledge:\n  - {counts: {join: 3}, reason: takeover, until: "2099-12-31"}\n')
    git(ops.directory, "checkout", "-q", "state")
    ops.commit("the takeover is meant")
    assert ops.loop() == {"done": 3}
