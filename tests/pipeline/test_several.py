"""Two operations directories in one repository: one job and one pull request each, and the trouble of one is its own."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.cli.init import Answers, scaffold
from reconciler.demo.samba import Controller
from tests.acceptance.expected import accounts, wanted
from tests.support.operations import git
from tests.support.samba import fresh_ou

from .conftest import World, environments
from .runner import Environment

pytestmark = pytest.mark.samba


def split(here: World, samba: Controller) -> tuple[dict[str, str], dict[str, str]]:
    """Make two directories of the one at the top, each with an OU, a scope and environments of its own.

    Guests whose mail begins with `two` are those of the second. Return the OU and the name of each.
    """
    top = here.ops.directory
    settings = (top / "reconcile.yaml").read_text()
    policy = (top / "policies/guests.yaml").read_text()
    ous = {"one": here.ou, "two": fresh_ou(samba).text}
    scopes = {
        "one": "\"guest.userType == 'Guest' && !guest.userPrincipalName.startsWith('two')\"",
        "two": "guest.userType == 'Guest' && guest.userPrincipalName.startsWith('two')",
    }
    with samba.administrator() as administrator:
        administrator.ou(f"OU=Fabrikam,{ous['two']}")
    for directory, ou in ous.items():
        scaffold(top / directory, Answers())
        (top / directory / "reconcile.yaml").write_text(settings.replace(here.ou, ou))
        (top / directory / "policies/guests.yaml").write_text(
            policy.replace(here.ou, ou).replace('guest.userType == "Guest"', scopes[directory])
        )
    for path in ("reconcile.yaml", "policies", "state"):
        whole = top / path
        shutil.rmtree(whole) if whole.is_dir() else whole.unlink()
    here.ops.commit("two directories")
    listed = json.loads(here.ops.reconcile("targets", "--json").out)["targets"]
    assert [target["directory"] for target in listed] == ["one", "two"]
    here.repository.environments.clear()
    for target, ou in zip(listed, ous.values(), strict=True):
        writer = samba.writer(f"w-{secrets.token_hex(4)}", ou)
        made = environments(samba, here.ops, writer, (target["plan"], target["apply"]))
        here.repository.environments.update(made)
    return ous, {target["directory"]: target["name"] for target in listed}


def test_each_directory_has_its_own_job_and_pull_request_and_its_own_trouble(
    world: Callable[[int], World], samba: Controller
) -> None:
    here = world(2)
    for number in (1, 2):
        here.ops.tenant.invite({"mail": f"two{number}@adatum.com", "displayName": f"Two {number}"})
    ous, names = split(here, samba)
    one, two = (f"({names[d]})" for d in ("one", "two"))

    planned = here.scheduled("plan").results
    assert planned == dict.fromkeys(["targets", f"reconcile/propose {one}", f"reconcile/propose {two}"], "success")
    branches = [pull["head"]["ref"] for pull in here.hub.pulls]
    assert sorted(branches) == [f"reconcile/plan-{names[d]}" for d in ("one", "two")]
    first, second = (branches.index(f"reconcile/plan-{names[d]}") + 1 for d in ("one", "two"))

    checked = here.checked(first)
    assert set(checked.results.values()) == {"success"}
    assert {f"reconcile/check {one}", f"reconcile/check {two}", "reconcile/plan"} < set(checked.results)
    here.hub.approve(first)
    here.merge(first)
    assert here.pushed().results == {"targets": "success", f"reconcile/apply {one}": "success"}
    everybody = wanted(here.ops)
    mine = {cn for cn, entry in everybody.items() if not entry["userPrincipalName"].startswith("two")}
    assert accounts(samba, ous["one"]) == {cn: everybody[cn] for cn in mine}
    assert accounts(samba, ous["two"]) == {}

    reading = here.repository.environments[f"plan-{names['two']}"]
    wrong = Environment({**reading.secrets, "RECONCILE_LDAP_READER_PASSWORD": "wrong"}, {})
    here.repository.environments[f"plan-{names['two']}"] = wrong
    here.ops.tenant.invite({"mail": "late@adatum.com", "displayName": "Late"})
    troubled = here.scheduled("plan").results
    assert troubled[f"reconcile/propose {two}"] == "failure"
    assert troubled[f"reconcile/propose {one}"] == "success"
    here.repository.environments[f"plan-{names['two']}"] = replace(reading)

    here.checked(second)
    here.hub.approve(second)
    here.merge(second)
    last = here.pushed()
    assert last.results == {"targets": "success", f"reconcile/apply {two}": "success"}, last.log
    assert accounts(samba, ous["two"]) == {cn: everybody[cn] for cn in set(everybody) - mine}
    assert git(here.ops.directory, "status", "--porcelain") == ""


def test_a_mistake_in_one_directory_fails_the_check_and_leaves_the_others_plan_alone(
    world: Callable[[int], World], samba: Controller
) -> None:
    here = world(1)
    _, names = split(here, samba)
    policy = here.ops.directory / "two/policies/guests.yaml"
    policy.write_text(policy.read_text().replace("guest.displayName", "guest.displayname"))
    done = here.checked(here.propose("typo"), actor="ada").results
    assert done[f"reconcile/check ({names['one']})"] == "success"
    assert done[f"reconcile/check ({names['two']})"] == done["reconcile/plan"] == "failure"

    here.merge(1)
    planned = here.scheduled("plan").results
    assert planned[f"reconcile/propose ({names['one']})"] == "success"
    assert planned[f"reconcile/propose ({names['two']})"] == "failure"
