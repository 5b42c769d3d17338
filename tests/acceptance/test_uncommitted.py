"""What happens to an account between an apply and the next import that is committed, which need not come soon."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.administrator import Administrator
from reconciler.directory.ldap.decode import guid, sid
from reconciler.git.notes import REF
from reconciler.model.dn import DN
from tests.support.operations import Operations, git

from .diary import Diary
from .expected import accounts, held, sids, wanted

pytestmark = pytest.mark.samba
DISABLED = "262658"


class Gap:
    """An installation with accounts of which no import is committed."""

    def __init__(self, ops: Operations, samba: Controller, ou: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.ops, self.samba, self.ou, self.diary = ops, samba, ou, Diary(ops, capsys)
        samba.allow_reanimation(Login(ops.env["RECONCILE_LDAP_USER"], ops.env["RECONCILE_LDAP_PASSWORD"]), ou)
        self.round()

    @property
    def guest(self) -> str:
        return min(user.id for user in self.ops.tenant.guests())

    @property
    def account(self) -> dict[str, str]:
        return held(self.samba, self.ou)[self.guest]

    def round(self) -> list[str]:
        """Import, propose, merge and apply; return what was done."""
        self.diary.now += timedelta(minutes=10)
        plan = self.diary.proposed()
        assert self.diary.applied() == {"done": len(plan["changes"])}
        return [c["action"] for c in plan["changes"]]

    def by_hand(self, act: Callable[[Administrator, dict[str, str]], None]) -> None:
        self.diary.now += timedelta(minutes=10)
        with self.samba.administrator() as administrator:
            act(administrator, self.account)

    def disable(self) -> None:
        self.by_hand(lambda hand, a: hand.replace(a["distinguishedName"], "userAccountControl", [DISABLED]))

    def delete(self) -> None:
        self.by_hand(lambda hand, a: hand.delete(a["distinguishedName"]))

    def planned(self) -> dict[str, Any]:
        """Import and plan, twice: over what is committed, and over that import; return the plan."""
        plan, again = self.diary.planned(), self.diary.planned()
        git(self.ops.directory, "checkout", "-q", "--", "state")
        git(self.ops.directory, "clean", "-qfd", "state")
        assert [(c["action"], c["sid"]) for c in again["changes"]] == [(c["action"], c["sid"]) for c in plan["changes"]]
        assert [c["kind"] for c in again["conflicts"]] == [c["kind"] for c in plan["conflicts"]]
        return plan

    def forge(self, action: str, account: dict[str, str], **fields: object) -> None:
        """Push a receipt that tells of one change alone, of the first guest's and this account, as whoever may push can."""
        outcome = {"change": f"{action}:{self.guest}", "result": "done", "detail": ""}
        told = [{**outcome, "sid": account["sid"], "guid": account["guid"]}]
        receipt = {**self.ops.receipts()[-1], "outcomes": told, "ended": f"{self.diary.now:%Y-%m-%dT%H:%M:%SZ}"}
        self.note(json.dumps({"f" * 64: {**receipt, **fields}}))

    def note(self, text: str) -> None:
        """Push a note in the place of what is on the last commit."""
        ops = self.ops.directory
        git(ops, "fetch", "-q", "origin", f"+{REF}:{REF}")
        git(ops, "notes", "--ref", REF, "add", "-f", "-m", text, "HEAD")
        git(ops, "push", "-q", "origin", REF)

    def receipt_of(self, guest: str) -> dict[str, str]:
        """Return what the last receipt that names a guest's account says of it."""
        outcomes = [o for r in self.ops.receipts() for o in r["outcomes"] if o["change"].endswith(guest)]
        found: dict[str, str] = outcomes[-1]
        return found


@pytest.fixture
def gap(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> Gap:
    return Gap(operations(3), samba, samba_ou.text, capsys)


def test_an_account_that_was_enabled_and_is_disabled_by_hand_stays_disabled(gap: Gap) -> None:
    gap.ops.tenant.update(gap.guest, accountEnabled=False)
    assert gap.round() == ["disable"]
    gap.ops.tenant.update(gap.guest, accountEnabled=True)
    assert gap.round() == ["enable"]
    committed = git(gap.ops.directory, "rev-parse", "HEAD")
    gap.disable()
    plan = gap.planned()
    assert (plan["changes"], plan["conflicts"]) == ([], [])
    assert git(gap.ops.directory, "rev-parse", "origin/main") == committed, (
        "no import of the enabled account is committed"
    )
    gap.ops.tenant.update(gap.guest, displayName="Goes on")
    assert gap.round() == ["update"]
    assert gap.account["userAccountControl"] == DISABLED
    assert gap.planned()["changes"] == []


def test_a_returner_whose_restored_account_is_disabled_by_hand_stays_disabled(gap: Gap) -> None:
    gap.ops.tenant.soft_delete(guest := gap.guest)
    assert sorted(gap.round()) == ["disable", "move"]
    with gap.samba.administrator() as administrator:
        administrator.delete(held(gap.samba, gap.ou)[guest]["distinguishedName"])
    gap.ops.tenant.restore(guest)
    assert gap.round() == ["restore"]
    assert gap.account["userAccountControl"] == "262656"
    gap.disable()
    assert gap.planned()["changes"] == []


@pytest.mark.parametrize("receipt", ["kept", "lost"])
def test_a_new_account_that_is_deleted_by_hand_is_brought_back_with_its_sid(gap: Gap, receipt: str) -> None:
    before = sids(gap.samba, gap.ou)
    gap.delete()
    if receipt == "lost":
        git(gap.ops.remote, "update-ref", "-d", REF)
        git(gap.ops.directory, "update-ref", "-d", "refs/reconcile/notes")
        assert [c["action"] for c in gap.planned()["changes"]] == ["create"]
        return
    assert [(c["action"], c["sid"]) for c in gap.planned()["changes"]] == [("restore", before[gap.guest])]
    assert gap.round() == ["restore"]
    assert sids(gap.samba, gap.ou) == before
    assert accounts(gap.samba, gap.ou) == wanted(gap.ops)
    assert gap.planned()["changes"] == []


def test_a_new_account_that_is_moved_out_is_a_conflict_that_says_so(gap: Gap) -> None:
    with gap.samba.administrator() as administrator:
        out = administrator.ou(f"OU=Out of {DN(gap.ou).name},{gap.samba.base}")
    gap.by_hand(lambda hand, a: hand.move(a["distinguishedName"], DN(a["distinguishedName"]).rdn, out))
    plan = gap.planned()
    assert plan["changes"] == []
    assert [(c["subject"], c["kind"]) for c in plan["conflicts"]] == [(gap.guest, "outside-ous")]


def test_without_the_remote_it_is_said_and_what_was_fetched_counts(gap: Gap) -> None:
    before = sids(gap.samba, gap.ou)
    gap.delete()
    git(gap.ops.directory, "remote", "set-url", "origin", str(gap.ops.root / "nowhere"))
    _, said = gap.diary.reconcile("snapshot")
    assert said.count("The receipts cannot be fetched (git ls-remote failed") == 1
    plan = json.loads(gap.diary.reconcile("plan", "--json")[0])
    assert [(c["action"], c["sid"]) for c in plan["changes"]] == [("restore", before[gap.guest])]


# --- a forged receipt: it can take something away, and give nothing


def outsider(gap: Gap, name: str, where: str, **attributes: str) -> dict[str, str]:
    """Make an account by hand; return its SID, GUID and DN."""
    with gap.samba.administrator() as administrator:
        dn = administrator.user(f"CN={name},{where}", {"sAMAccountName": name, **attributes})
        raw = administrator.read(dn, "objectSid", "objectGUID")
    return {"sid": sid(raw["objectSid"][0]), "guid": guid(raw["objectGUID"][0]), "dn": dn}


def test_a_forged_receipt_gives_no_guest_the_deleted_account_of_another(gap: Gap) -> None:
    boss = outsider(gap, f"boss{gap.guest[:8]}", gap.ou)
    with gap.samba.administrator() as administrator:
        administrator.delete(boss["dn"])
    gap.delete()
    gap.forge("create", boss)
    assert [(c["action"], c["sid"]) for c in gap.planned()["changes"]] == [("create", None)]


def test_a_deleted_account_of_before_the_import_is_not_taken_for_a_new_one(gap: Gap) -> None:
    """Its name is this guest's. It was not made by what was applied since."""
    old = {"sid": gap.account["objectSid"], "guid": gap.receipt_of(gap.guest)["guid"]}
    gap.delete()
    gap.ops.tenant.update(gap.guest, accountEnabled=False)
    gap.diary.reconcile("snapshot", "--full")
    state = gap.ops.directory / "state/accounts"
    git(gap.ops.directory, "rm", "-qrf", "--ignore-unmatch", "state/accounts")
    shutil.rmtree(state, ignore_errors=True)
    manifest = gap.ops.directory / "state/manifest.yaml"
    manifest.write_text(re.sub(r"accounts: \d+", "accounts: 0", manifest.read_text()))
    gap.ops.commit("an import that knows of no account")
    gap.ops.tenant.update(gap.guest, accountEnabled=True)
    gap.forge("create", old, serial=99)
    changes = gap.planned()["changes"]
    assert [(c["action"], c["sid"]) for c in changes if c["guest"] == gap.guest] == [("create", None)]


def test_a_forged_receipt_joins_no_account_that_lacks_the_anchor(gap: Gap) -> None:
    with gap.samba.administrator() as administrator:
        staff = administrator.ou(f"OU=Staff of {DN(gap.ou).name},{gap.samba.base}")
    member = outsider(gap, f"m{gap.guest[:8]}", staff)
    gap.delete()
    gap.forge("create", member)
    gap.planned()
    gap.diary.reconcile("snapshot")
    state = "".join(f.read_text() for f in (gap.ops.directory / "state/accounts").rglob("*.yaml"))
    assert member["sid"] not in state


def test_a_forged_receipt_of_an_enabling_enables_nobody(gap: Gap) -> None:
    account = {"sid": gap.account["objectSid"], "guid": gap.receipt_of(gap.guest)["guid"]}
    gap.disable()
    gap.forge("enable", account)
    assert gap.planned()["changes"] == []
    gap.by_hand(lambda hand, a: hand.replace(a["distinguishedName"], "userAccountControl", ["262656"]))
    gap.ops.tenant.update(gap.guest, accountEnabled=False)
    assert gap.round() == ["disable"]
    gap.ops.tenant.invite({"mail": "another@adatum.com"})
    assert gap.round() == ["create"]
    gap.forge("enable", account)
    gap.ops.tenant.update(gap.guest, accountEnabled=True)
    gap.diary.now += timedelta(minutes=10)
    assert gap.planned()["changes"] == [], "kept disabled: that is all a forger gets"


@pytest.mark.parametrize("note", ["no JSON", '{"d": {"v": 1, "ended": "yesterday"}}', '{"d": 7}', "[]"])
def test_a_damaged_receipt_stops_no_import(gap: Gap, note: str) -> None:
    gap.note(note)
    assert gap.planned()["changes"] == []
