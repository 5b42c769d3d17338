"""Accounts that are never written: the plan says why, and apply looks again, since it may have become so after the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from reconciler.demo.samba import Controller
from reconciler.demo.samba.administrator import Administrator
from reconciler.model.dn import DN
from tests.support.operations import Operations

from .expected import held

pytestmark = pytest.mark.samba
REASONS = ("adminCount", "servicePrincipalName", "Protected Users", "msDS-ObjectSoa")
LIVES = ("active", "blocked", "left")
"""What happens to each protected account's guest: another name, blocked in Entra, deleted there."""


@contextmanager
def protected(samba: Controller, dns: Mapping[str, str], staff: str) -> Iterator[None]:
    """Protect accounts, each in its way; afterwards nothing of that is left."""
    members = f"CN=Protected Users,CN=Users,{samba.base}"
    with samba.administrator() as administrator:
        for name, dn in dns.items():
            protect(administrator, name, dn, members, staff)
        try:
            yield
        finally:
            administrator.replace(members, "member", [])
            for name, dn in dns.items():
                rdn, _, home = dn.partition(",")
                if name.startswith("outside"):
                    administrator.move(f"{rdn},{staff}", rdn, home)
                elif not name.startswith("Protected Users"):
                    administrator.replace(dn, name.partition("/")[0], [])


def protect(administrator: Administrator, name: str, dn: str, members: str, staff: str) -> None:
    match name.partition("/")[0]:
        case "adminCount":
            administrator.replace(dn, "adminCount", ["1"])
        case "servicePrincipalName":
            administrator.replace(dn, "servicePrincipalName", [f"HTTP/{dn[3:11]}.contoso.test"])
        case "Protected Users":
            administrator.extend(members, "member", [dn])
        case "msDS-ObjectSoa":
            administrator.replace(dn, "msDS-ObjectSoa", ["Cloud"])
        case "outside":
            administrator.move(dn, dn.partition(",")[0], staff)


def test_what_is_protected_is_never_written_and_the_plan_says_why(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    cases = [f"{reason}/{life}" for reason in (*REASONS, "outside") for life in LIVES]
    ops = operations(len(cases) + 1)
    policy = ops.directory / "policies/guests.yaml"
    policy.write_text(re.sub(r"percent: \d+", "percent: 100", policy.read_text()))
    ops.commit("guards that are not what this is about")
    ops.loop()
    ops.reconcile("snapshot")
    ops.commit("an import that knows the accounts")
    staff = f"OU=Staff-{samba_ou.name},{samba.base}"
    with samba.administrator() as administrator:
        administrator.ou(staff)
    guests = [user.id for user in ops.tenant.guests()]
    whose = dict(zip(cases, guests, strict=False))
    free = guests[len(cases)]
    dns = {name: held(samba, samba_ou.text)[guest]["distinguishedName"] for name, guest in whose.items()}
    with protected(samba, dns, staff):
        for name, guest in [*whose.items(), ("free/active", free)]:
            live(ops, guest, name.partition("/")[2])
        before = everything(samba, samba_ou, staff)
        plan = ops.plan()
        assert [(c["action"], c["guest"]) for c in plan["changes"]] == [("update", free)]
        told = {c["subject"]: (c["kind"], c["what"]) for c in plan["conflicts"]}
        assert told.keys() == set(whose.values())
        for name, guest in whose.items():
            reason = name.partition("/")[0]
            kind, what = told[guest]
            assert kind == ("outside-ous" if reason == "outside" else "protected")
            assert reason in what
        ops.reconcile("propose")
        ops.merge()
        assert ops.reconcile("apply", "--yes", "--json").json["counts"] == {"done": 1}
        assert everything(samba, samba_ou, staff, without=free) == {k: v for k, v in before.items() if k != free}

    # Nothing of it is left: the next plan goes on. Then it becomes so again, after the plan was made.
    ops.reconcile("snapshot")
    ops.reconcile("propose", expect=None)
    ops.merge()
    now = {name: held(samba, samba_ou.text)[guest]["distinguishedName"] for name, guest in whose.items()}
    with protected(samba, now, staff):
        before = everything(samba, samba_ou, staff)
        done = ops.reconcile("apply", "--yes", "--json", expect=5).json
        ends = {o["change"].partition(":")[2]: o for o in done["outcomes"] if o["result"] == "stale"}
        assert ends.keys() == set(whose.values())
        assert set(done["counts"]) <= {"stale", "skipped"}
        for name, guest in whose.items():
            assert name.partition("/")[0].replace("outside", "outside the configured OUs") in ends[guest]["detail"]
        assert everything(samba, samba_ou, staff) == before


def live(ops: Operations, guest: str, how: str) -> None:
    if how == "blocked":
        ops.tenant.update(guest, accountEnabled=False)
    elif how == "left":
        ops.tenant.soft_delete(guest)
    else:
        ops.tenant.update(guest, displayName="Another")


def everything(samba: Controller, ou: DN, staff: str, without: str = "") -> dict[str, dict[str, str]]:
    found = {**held(samba, ou.text), **held(samba, staff)}
    return {cn: entry for cn, entry in found.items() if cn != without}
