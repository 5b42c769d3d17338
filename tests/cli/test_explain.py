"""`reconcile explain`: each value with its guest attribute, flow, policy line and commit, whoever is asked for and however."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.operations import git
from tests.support.reviewed import Reviewed, reviewed


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    """Three guests with their accounts, imported, merged and applied; then a policy line of Ada's, committed."""
    with reviewed(tmp_path_factory.mktemp("explain")) as made:
        made.propose()
        made.approve_and_check(1)
        made.github.merge(1)
        made.pull()
        made.ok("apply", "--yes")
        made.later(hours=1)
        made.propose()
        made.ok("snapshot")
        git(made.directory, "add", "-A")
        git(made.directory, "-c", "user.name=Importer", "commit", "-q", "-m", "an import")
        policy = made.directory / "policies/guests.yaml"
        policy.write_text(policy.read_text().replace("mail: guest.mail", "mail: guest.mail.lowerAscii()"))
        git(made.directory, "-c", "user.name=Ada", "commit", "-q", "-a", "-m", "Mail in lower case")
        yield made


def explained(here: Reviewed, asked: str) -> Any:
    return here.ok("explain", asked, "--json").json


def value(found: Any, attribute: str) -> Any:
    [row] = [row for row in found["values"] if row["attribute"] == attribute]
    return row


def line(here: Reviewed, file: str, number: int) -> str:
    return (here.directory / file).read_text().splitlines()[number - 1]


def test_a_value_names_its_attribute_its_flow_its_line_and_both_commits(here: Reviewed) -> None:
    guest = here.tenant.guests()[0]
    found = explained(here, guest.id)
    mail = value(found, "mail")
    assert (mail["wanted"], mail["actual"]) == (guest.properties["mail"], guest.properties["mail"])
    assert mail["expression"] == "guest.mail.lowerAscii()"
    rule, [read] = mail["rule"], mail["from"]
    assert rule["name"] == "flows.mail"
    assert line(here, rule["file"], rule["line"]).strip() == "mail: guest.mail.lowerAscii()"
    assert (rule["commit"]["author"], rule["commit"]["summary"]) == ("Ada", "Mail in lower case")
    assert rule["commit"]["id"] == git(here.directory, "rev-parse", "HEAD").strip()
    assert (read["attribute"], read["value"]) == ("mail", guest.properties["mail"])
    assert line(here, read["file"], read["line"]).strip() == f'mail: "{guest.properties["mail"]}"'
    assert read["commit"]["summary"] == "reconcile: 3 create"


def test_the_account_says_how_it_was_joined_and_what_was_set_once(here: Reviewed) -> None:
    found = explained(here, here.tenant.guests()[0].id)
    assert found["standing"]["kind"] == "active"
    assert found["join"]["how"] == "established"
    assert line(here, found["join"]["file"], found["join"]["line"]).strip().startswith("guest:")
    assert found["join"]["commit"]["author"] == "Importer"
    assert found["placement"]["rule"]["name"].startswith("placement[")
    assert found["account"]["dn"].endswith(found["placement"]["ou"])
    once = [row["attribute"] for row in found["values"] if not row["kept"]]
    assert once == ["cn", "userAccountControl", "unicodePwd"]
    assert value(found, "unicodePwd")["generated"]


def test_a_guest_is_found_by_every_name_and_in_any_case(here: Reviewed) -> None:
    guest = here.tenant.guests()[0]
    sid = explained(here, guest.id)["account"]["sid"]
    for asked in (guest.properties["userPrincipalName"], guest.properties["mail"], guest.id[:20], sid):
        assert explained(here, str(asked).upper())["guest"]["id"] == guest.id


def test_a_guest_is_found_by_display_name_and_candidates_are_listed_where_it_is_a_part(here: Reviewed) -> None:
    guests = here.tenant.guests()
    name = str(guests[0].properties["displayName"])
    assert explained(here, name.upper())["guest"]["id"] == guests[0].id
    done = here.run("explain", "#ext#@")
    assert done.code == 1
    assert "no guest and no account is called #ext#@; 3 guests have it in a name" in done.error
    assert all(g.id in done.error for g in guests)


def test_a_display_name_takes_nobodys_place_who_is_really_called_so(tmp_path: Path) -> None:
    with reviewed(tmp_path, guests=2) as here:
        first, second = here.tenant.guests()
        here.tenant.update(first.id, displayName=second.properties["mail"])
        here.ok("snapshot")
        assert explained(here, str(second.properties["mail"]))["guest"]["id"] == second.id
        here.tenant.update(first.id, displayName="Twin")
        here.tenant.update(second.id, displayName="Twin")
        here.ok("snapshot")
        done = here.run("explain", "twin")
    assert "2 guests are called twin" in done.error


def test_a_stranger_is_told_what_to_ask_for(here: Reviewed) -> None:
    done = here.run("explain", "nobody")
    assert done.code == 1
    assert "no guest and no account is called nobody" in done.error
    assert "sAMAccountName or SID" in done.error


def test_what_is_not_committed_is_said_and_what_the_plan_would_do(here: Reviewed) -> None:
    policy = here.directory / "policies/guests.yaml"
    before = policy.read_text()
    held = f"hold:\n  - {{guest: {here.tenant.guests()[1].id}, reason: on leave, until: 2999-12-31}}\n"
    other = ("displayName: guest.displayName", "displayName: guest.mail")
    policy.write_text(before.replace("sn: guest.surname", "sn: '\"New\"'").replace(*other) + held)
    try:
        found = explained(here, here.tenant.guests()[0].id)
        assert value(found, "sn")["rule"]["commit"] is None
        assert value(found, "sn")["wanted"] == "New"
        assert value(found, "mail")["rule"]["commit"] is not None
        [change] = found["changes"]
        assert (change["action"], change["attributes"]) == ("update", ["displayName", "sn"])
        assert [rule["name"] for rule in change["rules"]] == ["flows.displayName", "flows.sn"]
        other = explained(here, here.tenant.guests()[1].id)
        assert other["hold"]["reason"] == "on leave"
        assert other["changes"] == []
        assert [c["kind"] for c in other["conflicts"]] == ["held"]
        text = here.ok("explain", here.tenant.guests()[0].id).out
        assert "uncommitted" in text
        [plan] = text.split("The present plan")[1:]
        assert "update: displayName, sn" in plan
        assert "flows.sn " in plan
        assert "flows.displayName " in plan
    finally:
        policy.write_text(before)


def test_an_expression_that_fails_is_a_problem_of_that_value_alone(here: Reviewed) -> None:
    policy = here.directory / "policies/guests.yaml"
    before = policy.read_text()
    policy.write_text(before.replace("sn: guest.surname", "sn: guest.surname.substring(200)"))
    try:
        found = explained(here, here.tenant.guests()[0].id)
        assert "past its end" in value(found, "sn")["problem"]
        assert value(found, "mail")["problem"] is None
        assert [c["kind"] for c in found["conflicts"]] == ["expression"]
    finally:
        policy.write_text(before)


def test_hostile_names_authors_and_subjects_are_shown_escaped(tmp_path: Path) -> None:
    nasty = "::error::\x1b[31mred\u202e"
    with reviewed(tmp_path, guests=1) as here:
        guest = here.tenant.guests()[0].id
        here.tenant.update(guest, displayName=nasty)
        here.ok("snapshot")
        git(here.directory, "add", "-A")
        git(here.directory, "-c", f"user.name={nasty}", "commit", "-q", "-m", nasty)
        done = here.ok("explain", guest)
    assert not {"\x1b", "\u202e"} & set(done.out)
    assert done.out.count("\\u{202e}") >= 3
    assert not [row for row in done.out.splitlines() if row.lstrip().startswith("::")]
