"""A controller restored from an older backup: properly, with a new invocationId, or as an image behind the directory's back."""

from __future__ import annotations

import base64
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from reconciler.demo.samba.process import Server
from reconciler.demo.samba.template import samba as samba_binary
from reconciler.errors import DirectoryUnavailableError
from reconciler.model.dn import DN
from tests.support.operations import Operations, git, installation
from tests.support.samba import fresh_ou

from .expected import accounts, held, wanted

pytestmark = pytest.mark.samba


@pytest.fixture
def other() -> Iterator[Controller]:
    """A controller that nobody else needs: its database is replaced."""
    with Controller() as controller:
        yield controller
        controller.server.stop()  # it is another one by now


def started(controller: Controller) -> None:
    """Start a stopped controller again, at the same address."""
    controller.server = Server(samba_binary(), controller.conf)
    deadline = time.monotonic() + 30
    while True:
        try:
            with controller.administrator():
                return
        except DirectoryUnavailableError:
            assert time.monotonic() < deadline
        time.sleep(0.05)


def restored(controller: Controller, backup: Path, *, properly: bool) -> None:
    controller.server.stop()
    shutil.rmtree(controller.root / "private")
    shutil.copytree(backup, controller.root / "private")
    if properly:
        service = (
            f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{controller.base}"
        )
        fresh = base64.b64encode(uuid.uuid4().bytes).decode()
        controller.change(f"dn: {service}\nchangetype: modify\nreplace: invocationId\ninvocationId:: {fresh}\n")
    started(controller)


@pytest.mark.parametrize("properly", [True, False], ids=["properly", "as an image"])
def test_a_controller_is_restored_from_an_older_backup(properly: bool, tmp_path: Path, other: Controller) -> None:
    ou = fresh_ou(other)
    backup = tmp_path / "backup"
    with installation(tmp_path / "ops", other, ou, 3) as ops:
        ops.loop()
        other.server.stop()
        shutil.copytree(other.root / "private", backup, ignore=lambda _, names: [n for n in names if n == "ldapi"])
        started(other)
        newest = {ops.tenant.invite({"mail": f"after-{n}-{ou.name}@adatum.com"}) for n in range(2)}
        ops.loop()
        ops.reconcile("snapshot")
        ops.commit("an import that knows all five")
        restored(other, backup, properly=properly)
        there = held(other, ou.text)
        assert len(there) == 3

        said = ops.reconcile("snapshot", expect=0 if properly else 1).err
        if properly:
            assert "Another controller, or a restored one: reading every account." in said
        else:
            assert "its database went back in time without a new invocationId" in said
            assert "Nothing was written" in said
            assert git(ops.directory, "status", "--porcelain") == ""
            ops.reconcile("snapshot", "--full")  # somebody has checked the controller, and trusts it
        plan = ops.reconcile("plan", "--json").json
        assert plan["changes"] == [], "not seeing an account proves nothing: nobody gets a second one"
        assert {(c["subject"], c["kind"]) for c in plan["conflicts"]} == {(guest, "invisible") for guest in newest}
        assert held(other, ou.text) == there
        settled(ops, ou, other, plan["conflicts"])


def settled(ops: Operations, ou: DN, samba: Controller, conflicts: list[dict[str, str]]) -> None:
    """Do what the conflicts say, as somebody who has looked and found the accounts gone."""
    for conflict in conflicts:
        sid = conflict["what"].split(" ")[1]
        assert f"delete its entry {sid} from state/accounts" in conflict["remedy"]
        assert "reconcile snapshot --full" in conflict["remedy"]
        (file,) = [p for p in (ops.directory / "state/accounts").rglob("*.yaml") if f'"{sid}":' in p.read_text()]
        head, _, rest = file.read_text().partition(f'"{sid}":\n')
        others = rest.splitlines(keepends=True)
        following = next((n for n, line in enumerate(others) if not line.startswith(" ")), len(others))
        file.write_text(head + "".join(others[following:]))
        if not file.read_text().strip():
            file.unlink()
    ops.commit("accounts that are gone")
    ops.reconcile("snapshot", "--full")
    assert sorted(c["action"] for c in ops.reconcile("plan", "--json").json["changes"]) == ["create"] * len(conflicts)
    ops.reconcile("propose")
    ops.merge()
    ops.reconcile("apply", "--yes")
    assert accounts(samba, ou.text) == wanted(ops)
