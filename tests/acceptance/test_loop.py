"""The whole loop on a real domain controller: Graph to AD, and nothing left to do."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations

from .expected import accounts, held, sids, wanted

pytestmark = pytest.mark.samba


def test_a_thousand_guests_go_from_graph_to_ad(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(1000)
    assert len(ops.tenant.guests()) == 1000
    started = time.monotonic()
    counts = ops.loop()
    assert counts == {"done": 1000}
    assert accounts(samba, samba_ou.text) == wanted(ops)
    plan = ops.plan()
    assert (plan["changes"], plan["conflicts"]) == ([], [])
    assert plan["managed"] == 1000
    samba.dbcheck()
    (receipt,) = ops.receipts()
    assert len({o["change"] for o in receipt["outcomes"]}) == 1000
    print(f"1,000 guests in {time.monotonic() - started:.0f} s")


def test_the_sid_stays_through_rename_move_update_and_another_upn(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(40)
    ops.loop()
    before = sids(samba, samba_ou.text)
    first, second, third, fourth = (u.id for u in ops.tenant.guests()[:4])
    ops.tenant.update(first, displayName="Another Name", surname="Another")
    ops.tenant.update(second, userPrincipalName="new_adatum.com#EXT#@contoso.onmicrosoft.com")
    ops.tenant.soft_delete(third)
    ops.tenant.update(fourth, accountEnabled=False)
    ops.loop()
    after = held(samba, samba_ou.text)
    assert {cn: e["objectSid"] for cn, e in after.items()} == before
    assert f"OU=Departed,{samba_ou}" in after[third]["distinguishedName"]
    assert after[third]["userAccountControl"] == after[fourth]["userAccountControl"] == "262658"
    assert after[second]["userPrincipalName"] == "new_adatum.com#EXT#@contoso.onmicrosoft.com"
    ops.tenant.restore(third)
    ops.tenant.update(fourth, accountEnabled=True)
    ops.loop()
    assert sids(samba, samba_ou.text) == before
    assert accounts(samba, samba_ou.text) == wanted(ops)
    assert ops.plan()["changes"] == []


def test_a_policy_that_names_accounts_otherwise_renames_them_and_keeps_their_sids(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(3)
    ops.loop()
    before = {e["sAMAccountName"]: e["objectSid"] for e in held(samba, samba_ou.text).values()}
    policy = ops.directory / "policies/guests.yaml"
    text = (
        policy.read_text()
        .replace("\nflows:", "\nflows:\n  cn: guest.id + ' a,b+c#'")
        .replace("  cn: guest.id\n", "")
        .replace("update: {percent: 30}", "update: {percent: 100}")
    )
    policy.write_text(text)
    ops.commit("names with a suffix")
    assert ops.loop() == {"done": 3}
    after = held(samba, samba_ou.text)
    assert {cn[-7:] for cn in after} == {" a,b+c#"}
    assert {e["sAMAccountName"]: e["objectSid"] for e in after.values()} == before
    assert ops.plan()["changes"] == []
