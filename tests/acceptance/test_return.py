"""A guest who returns after the account was deleted gets the same account back, with its SID."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from reconciler.demo.samba import Controller
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from tests.support.operations import Operations

from .expected import accounts, held, sids, wanted

pytestmark = pytest.mark.samba


@pytest.mark.parametrize("killed_at", [None, "reanimate:1:after", "set_password:1:before"])
def test_a_deleted_account_is_brought_back_with_its_sid(
    killed_at: str | None, operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(3)
    # Deleted objects may be listed and brought back by few; the domain's administrator is one of them.
    ops.env |= {"RECONCILE_LDAP_USER": samba.admin_user, "RECONCILE_LDAP_PASSWORD": samba.admin_password}
    ops.loop()
    before = sids(samba, samba_ou.text)
    guest = ops.tenant.guests()[0].id
    ops.reconcile("snapshot")
    ops.reconcile("plan")
    ops.commit("an import that knows the accounts")
    with samba.administrator() as administrator:
        administrator.delete(held(samba, samba_ou.text)[guest]["distinguishedName"])
    plan = ops.plan()
    assert [(c["action"], c["sid"]) for c in plan["changes"]] == [("restore", before[guest])]
    ops.reconcile("propose")
    ops.merge()
    if killed_at:
        killed = ops.start("apply", "--yes", program=("-m", "tests.support.killable", killed_at)).finish(expect=None)
        assert killed.code == -signal.SIGKILL
        assert held(samba, samba_ou.text)[guest]["userAccountControl"] == str(HALF_MADE), (
            "marked and disabled, or deleted"
        )
    assert ops.reconcile("apply", "--yes", "--json").json["counts"] == {"done": 1}
    assert sids(samba, samba_ou.text) == before
    assert accounts(samba, samba_ou.text) == wanted(ops)
    assert ops.plan()["changes"] == []
