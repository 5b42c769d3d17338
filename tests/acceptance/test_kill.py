"""Kill `apply` anywhere: one more run, at once and without `unlock`, and the directory is as if nothing had happened."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable

import pytest

from reconciler.demo.people import generate
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations

from .expected import accounts, wanted

pytestmark = pytest.mark.samba
ROUNDS = 13
GUARDS = "guards:\n  create: {max: 100000}\n  update: {max: 100000}\n"


NAMED = (
    "modify:1:after",  # in the middle of the swap: one account has stepped aside
    "modify:2:after",  # the other one has taken the name
    "modify:3:before",  # and the first one takes what was given up
    "add:1:after",  # between the steps of a create: added
    "set_password:1:before",
    "set_password:1:after",  # not yet enabled
    "set_password:2:after",
    "add:2:before",
)


@pytest.mark.parametrize("worker", range(4))
def test_killed_anywhere_one_more_run_converges(
    worker: int, operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    """52 kills in all, each in a round of its own with two creates, a swap of two UPNs and an update.

    Eight are at named points; the others are random, spread over the whole run.
    """
    rng = random.Random(worker)
    ops = operations(generate(4, seed=100 + worker))
    policy = ops.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text().partition("\nguards:")[0] + "\n" + GUARDS)
    ops.commit("guards that a test of many rounds in one day needs")
    ops.loop()
    newcomers = iter(generate(6 + 2 * ROUNDS, seed=100 + worker)[4:])
    points = count_points(ops, newcomers)
    named = NAMED[worker::4]
    strata = ROUNDS - len(named)
    spread = [str(1 + (points * i + rng.randrange(points)) // strata) for i in range(strata)]
    for point in (*named, *spread):
        killed = round_(ops, newcomers, point, samba, samba_ou)
        assert killed, f"point {point} of {points} was never reached"


def drift(ops: Operations, newcomers: object) -> None:
    """Two creates, a swap of two UPNs, a rename: 5 changes."""
    first, second, third = sorted(ops.tenant.guests(), key=lambda u: u.id)[:3]
    for _ in range(2):
        ops.tenant.invite(next(newcomers))  # type: ignore[call-overload]
    names = first.properties["userPrincipalName"], second.properties["userPrincipalName"]
    aside = "aside_x.test#EXT#@contoso.onmicrosoft.com"
    ops.tenant.update(first.id, userPrincipalName=aside)
    ops.tenant.update(second.id, userPrincipalName=names[0])
    ops.tenant.update(first.id, userPrincipalName=names[1])
    ops.tenant.update(third.id, displayName=f"Name {random.random()}")
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()


def count_points(ops: Operations, newcomers: object) -> int:
    drift(ops, newcomers)
    done = ops.start("apply", "--yes", program=("-m", "tests.support.killable", "0")).finish()
    return int(done.err.rpartition("points: ")[2])


def round_(ops: Operations, newcomers: object, point: str, samba: Controller, samba_ou: DN) -> bool:
    """Drift, kill at the point, run once more; return whether the kill hit."""
    drift(ops, newcomers)
    receipts = len(ops.receipts())
    killed = ops.start("apply", "--yes", program=("-m", "tests.support.killable", point)).finish(expect=None)
    again = ops.reconcile("apply", "--yes", expect=None)
    assert (
        again.code == (0 if len(ops.receipts()) > receipts and killed.code == -signal.SIGKILL else 4) or again.code == 4
    ), again.err
    assert accounts(samba, samba_ou.text) == wanted(ops), f"killed at point {point}"
    found = ops.receipts()
    assert len(found) == receipts + 1, f"killed at point {point}: {again.err}"
    outcomes = [o["change"] for o in found[-1]["outcomes"]]
    assert len(outcomes) == len(set(outcomes)) == 5
    assert all(o["result"] in ("done", "already") for o in found[-1]["outcomes"])
    assert ops.plan()["changes"] == []
    return killed.code == -signal.SIGKILL
