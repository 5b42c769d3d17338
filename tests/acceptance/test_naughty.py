"""The whole list of naughty strings, each in each text attribute, through the whole loop on a real domain controller."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.demo.people import generate
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from reconciler.model.values import utf16_length
from tests.render.gfm import structure
from tests.support.naughty import OUR_OWN, naughty
from tests.support.operations import Operations, git

from . import expected

pytestmark = pytest.mark.samba

FLOWS = {
    "displayName": ("displayName", 256),
    "givenName": ("givenName", 64),
    "sn": ("surname", 64),
    "mail": ("mail", 256),
    "company": ("companyName", 64),
    "department": ("department", 64),
    "title": ("jobTitle", 128),
    "physicalDeliveryOfficeName": ("officeLocation", 128),
    "l": ("city", 128),
    "streetAddress": ("streetAddress", 1024),
    "extensionName": ("otherMails", 255),
}
"""Attributes of an account that a guest's text flows to, and how many UTF-16 units they hold."""
_NO_CONTROL = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*")
_OUR_HTML = re.compile(r"<br>|</details>\n|<details>\n<summary>(<b>)?(Routine|Dangerous)?[^<>]*(</b>)?</summary>\n")
_OUR_BLOCKS = {
    *("blockquote_open", "paragraph_open", "heading_open", "strong_open", "bullet_list_open", "list_item_open"),
    *("table_open", "thead_open", "tbody_open", "tr_open", "th_open", "td_open"),
}


def test_every_string_in_every_attribute_arrives_as_it_was_and_the_next_plan_is_empty(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "ATTRIBUTES", [*expected.ATTRIBUTES, *FLOWS])
    strings = naughty()
    people = generate(len(strings), seed=61)
    ops = operations(people)
    _let_flow(ops)
    wanted: dict[str, dict[str, Any]] = {}
    for person, text in zip(people, strings, strict=True):
        values = {ldap: text if utf16_length(text) <= most else None for ldap, (_, most) in FLOWS.items()}
        ops.tenant.update(
            person.id,
            **{
                graph: ([values[ldap]] if values[ldap] else []) if graph == "otherMails" else values[ldap]
                for ldap, (graph, _) in FLOWS.items()
            },
        )
        wanted[person.id] = {k: v for k, v in values.items() if v is not None}

    plan = ops.plan()
    assert plan["conflicts"] == []
    assert {c["guest"]: c["label"] for c in plan["changes"]} == dict(zip((p.id for p in people), strings, strict=True))
    _assert_no_sink_was_left(ops)
    assert ops.loop() == {"done": len(strings)}

    assert {cn: _flowed(entry) for cn, entry in expected.held(samba, samba_ou.text).items()} == wanted
    after = ops.plan()
    assert (after["changes"], after["conflicts"]) == ([], [])
    ops.reconcile("snapshot", "--full")
    assert ops.reconcile("plan", "--json").json["changes"] == []
    for person in people[-len(OUR_OWN) :: 3]:
        ops.reconcile("explain", person.id)
    _assert_nothing_printed_acts(ops)


def test_a_name_that_looks_like_an_administrators_is_found_in_the_domain_and_recorded_without_that_name(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(2)
    with samba.administrator() as administrator:
        someone = f"CN=adm-{samba_ou.name},CN=Users,{samba.base}"
        names = {"sAMAccountName": f"a{samba_ou.name[-8:]}", "displayName": "Petra Kern-Roth", "adminCount": "1"}
        administrator.user(someone, names)
        sid = administrator.sid(someone)
    impostor, other = ops.tenant.guests()
    ops.tenant.update(impostor.id, displayName="Petra Kem-Rоth")  # rn as m, and a Cyrillic o
    warned = {c["guest"]: c["warnings"] for c in ops.plan()["changes"]}

    assert warned[impostor.id][0] == f"displayName reads like a name of the privileged account {sid}, outside the OUs"
    assert warned[other.id] == []
    claims = (ops.directory / "state/claims.yaml").read_text("utf-8")
    assert sid in claims
    assert "Kern" not in claims


def _let_flow(ops: Operations) -> None:
    """Add the flows that the default policy lacks."""
    file = ops.directory / "policies/guests.yaml"
    more = "".join(
        f"  {ldap}: guest.{graph}\n" for ldap, (graph, _) in FLOWS.items() if f"  {ldap}: " not in file.read_text()
    )
    text = file.read_text().replace("  employeeType: guest.userType\n", f"  employeeType: guest.userType\n{more}")
    assert text.count("\n") > file.read_text().count("\n")
    file.write_text(text)
    ops.commit("more flows")


def _flowed(entry: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in entry.items() if k in FLOWS}


def _assert_no_sink_was_left(ops: Operations) -> None:
    """The files under state/: plan.md for a Markdown parser, all of them for a terminal, and their names."""
    found = structure((ops.directory / "state/plan.md").read_text("utf-8"))
    assert all(_OUR_HTML.fullmatch(text) for kind, text in found if kind.startswith("html"))
    assert {kind for kind, _ in found if kind.endswith("_open")} <= _OUR_BLOCKS
    assert not {kind for kind, _ in found} & {"image", "fence", "code_block", "footnote_ref", "footnote_anchor"}
    for file in (ops.directory / "state").rglob("*"):
        if file.is_file():
            assert re.fullmatch(r"[0-9a-z./_-]+|state/README.md", file.relative_to(ops.directory).as_posix())
            assert all(_NO_CONTROL.fullmatch(line) for line in file.read_text("utf-8").split("\n")), file


def _assert_nothing_printed_acts(ops: Operations) -> None:
    """What every command printed, the commits' messages and the refs: no control, no workflow command."""
    log = git(ops.directory, "log", "--all", "--format=%B%D")
    refs = git(ops.remote, "for-each-ref", "--format=%(refname)")
    for text in (*ops.transcript, log, refs):
        for line in text.split("\n"):
            assert _NO_CONTROL.fullmatch(line), line
            assert not re.match(r"\s*::|.*##", line), line
    fsck = subprocess.run(["git", "fsck", "--strict"], cwd=ops.remote, capture_output=True, text=True, check=False)
    assert fsck.returncode == 0, fsck.stderr
