"""What a finding looks like: hostile names in every sink, commands that cannot be broken out of, the documented document."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from reconciler.directory.ldap.descriptor import Ace
from reconciler.doctor import domain, domain_checks
from reconciler.doctor.catalog import ALL
from reconciler.doctor.finding import Steps, localized
from reconciler.doctor.report import Report, complete
from reconciler.doctor.rights import checks as rights
from reconciler.doctor.rights import mend
from reconciler.doctor.rights.access import Token
from reconciler.doctor.rights.names import Names
from reconciler.doctor.rights.seen import Places, Seen
from reconciler.model.dn import DN
from reconciler.render.doctor import doctor
from reconciler.render.doctor_json import document
from reconciler.render.visible import visible
from tests.docs.commands import syntax_error
from tests.policy.policies import DEFAULT, load

from . import facts
from .facts import BASE, NOW

POLICY = load(DEFAULT)
NASTY = "\x1b[2J[bold]x[/]\u202e::error::'; rm -rf / #$(id)`id`\u2019"


def report() -> Report:
    evil = DN(f"OU={NASTY},{BASE}")
    found = [
        rights.OUTSIDE.failed(f"{evil}: excess: take it over", subject=NASTY),
        rights.EVERYONE.unknown(NASTY),
        domain_checks.MACHINES.passed(NASTY, subject=NASTY),
        *domain.judge(facts.domain(POLICY, there={evil: False}), POLICY, frozenset()),
    ]
    return complete(NOW, "reader", found, [(check, "It does not apply.") for check in ALL], {})


@pytest.mark.parametrize(("width", "encoding"), [(60, "utf-8"), (160, "ascii")])
def test_nothing_that_was_read_acts_on_the_terminal(width: int, encoding: str) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    doctor(report(), Console(file=file, width=width, force_terminal=False, markup=False, emoji=False, highlight=False))
    file.seek(0)
    shown = file.read()
    assert shown.startswith(("✗ Not fit for use", "x Not fit for use"))
    assert not re.search("[\x1b\u202e]", shown)
    assert "[bold]" in shown
    assert not re.search(r"^\s*::error", shown, re.MULTILINE)


def test_commands_are_shown_as_they_are_to_be_copied() -> None:
    failed = [check.failed() for check in ALL]
    file = io.StringIO()
    doctor(Report(NOW, "reader", tuple(failed)), Console(file=file, width=60))
    lines = file.getvalue().splitlines()
    for command in (c for f in failed for c in (*f.steps.powershell, *f.steps.samba, *f.steps.bash)):
        assert {command, f"      {command}"} & set(lines), command
    documents = [lines[i + 1 : lines.index("EOF", i)] for i, line in enumerate(lines) if line.endswith("<<EOF")]
    assert documents
    assert all(re.match("[A-Za-z-]+:", line) for document in documents for line in document)


def test_the_document_is_as_its_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/doctor.md").read_text(encoding="utf-8")
    table = page[page.index("| field | holds |") : page.index("`seen` and the commands hold")]
    named = {part for word in re.findall(r"`([a-z_\[\].-]+)`", table) for part in re.split(r"\[\]\.|\.", word)}
    made = json.loads(json.dumps(document(report())))
    keys = {*made, *made["counts"], *made["findings"][0], *made["findings"][0]["do"]}
    assert keys <= named
    assert made["fit"] is False
    assert made["counts"]["blocking"] == sum(f["blocks"] for f in made["findings"])


def test_commands_with_hostile_names_run_nothing_else() -> None:
    evil = DN(f"OU={NASTY},{BASE}")
    me = Token("w", "S-1-5-21-1-2-3-1000", "CN=w", frozenset({"S-1-5-21-1-2-3-1000"}), signed_in=True)
    places = Places(DN(BASE), (evil,), (evil,))
    seen = Seen(me, Names(), places, (), (), (), "CONTOSO", samba=True)
    steps = mend.revoke([(evil, Ace(allow=True, mask=0x40000, sid=me.sid))], seen)
    script = "\n".join(["ldbsearch() { :; }", "ldbmodify() { cat; }", "id() { echo pwned; }", *steps.samba])
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=True
    )
    assert "pwned" not in done.stdout + done.stderr
    assert "dn:: " in done.stdout
    for line in steps.powershell:
        inside = re.sub(r"'(?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*'", "", line)
        assert "rm -rf" not in inside
    granted = mend.samba_grant({evil: ["(A;;RP;;;WD)"]})
    assert shlex.split(granted[0])[3] == f"--objectdn={evil.text}"


@pytest.mark.parametrize("check", ALL, ids=lambda c: c.id)
def test_every_check_says_why_and_what_to_do_in_commands_that_can_be_read(check: object) -> None:
    [found] = [c for c in ALL if c is check]
    assert found.why.endswith(".")
    assert not found.title.endswith(".")
    assert found.look
    assert found.mend
    for steps in (found.look, found.mend):
        for commands in (steps.samba, steps.bash):
            assert syntax_error("\n".join(commands)) == ""


def test_ids_are_unique() -> None:
    assert len({c.id for c in ALL}) == len(ALL)


def test_a_findings_commands_have_the_installations_names_unless_they_could_do_harm() -> None:
    names = {"DC=contoso,DC=test": "DC=corp,DC=example", "contoso.test": "corp.example"}
    steps = localized(domain_checks.MACHINES.failed("10"), names).steps
    assert steps.powershell == ("Set-ADDomain -Identity 'corp.example' -Replace @{'ms-DS-MachineAccountQuota' = 0}",)
    assert "dn: DC=corp,DC=example" in steps.samba
    harm = {"DC=contoso,DC=test": "DC=x'; rm -rf /"}
    assert localized(domain_checks.MACHINES.failed("10"), harm).steps == domain_checks.MACHINES.mend
    part = {"OU=Guests,DC=contoso,DC=test": "OU=it's", "DC=contoso,DC=test": "DC=corp,DC=example"}
    kept = localized(rights.CREATE.failed(), part).steps  # no OU=Guests,DC=corp,DC=example, which is nobody's
    assert kept == rights.CREATE.mend
    own = Steps("", ("Get-ADUser -Identity 'DC=contoso,DC=test'",))
    assert localized(domain_checks.MACHINES.failed("10", mend=own), names).steps == own


@pytest.mark.parametrize(
    "ou", [r"OU=Gäste\, extern,OU=Süd #3,DC=corp", "OU=a+b; $(id) `id` %x% !!,DC=corp", "OU=(a)&<b>|,DC=corp"]
)
def test_a_name_with_special_characters_stands_where_a_command_takes_it_verbatim(ou: str) -> None:
    names = {"OU=Guests,DC=contoso,DC=test": ou, "CONTOSO": "NORDWIND"}
    steps = localized(rights.CREATE.failed(), names).steps
    [windows] = steps.powershell
    assert windows == f"dsacls '{ou}' /I:T /G 'NORDWIND\\reconcile-writer:CCDC;user'"
    assert f"--objectdn={ou}" in shlex.split(steps.samba[-1])


_CONTOSOS = (
    "reconcile-reader",
    "reconcile-writer",
    "HTTP/app.contoso.test",
    "OU=Guests,DC=contoso,DC=test",
    "DC=contoso,DC=test",
)
"""What may have a space in it; the others are hosts, ids and branches."""


def test_a_name_with_spaces_stays_one_word_of_every_command() -> None:
    spaced = "Guest Writer OU=My"
    plain = dict.fromkeys(_CONTOSOS, "plain")
    for finding in (f for check in ALL for f in (check.failed(), check.unknown())):
        steps, with_spaces = finding.steps, localized(finding, dict.fromkeys(_CONTOSOS, spaced)).steps
        one_word = localized(finding, plain).steps
        for lines, expected in ((with_spaces.samba, one_word.samba), (with_spaces.bash, one_word.bash)):
            for line, other in zip(lines, expected, strict=True):
                if line.startswith("dn: "):  # in a here-document
                    assert line.replace(spaced, "plain") == other
                else:
                    assert [w.replace(spaced, "plain") for w in shlex.split(line)] == shlex.split(other)
        for line, original in zip(with_spaces.powershell, steps.powershell, strict=True):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
            assert spaced not in bare, original


def test_a_command_is_shown_as_it_is_to_be_typed() -> None:
    """What would be hidden in data is written out, a space at the start of a line too: no command of ours may have any."""
    every = [s for check in ALL for s in (check.look, check.mend)]
    lines = [line for s in every for line in (*s.bash, *s.powershell, *s.samba)]
    assert lines
    assert [line for line in lines if visible(line) != line] == []
