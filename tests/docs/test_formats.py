"""The formats' tables list the fields that are really written: none is missing, none is made up."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import pytest
import yaml

from reconciler.apply.journal import Result
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.identity import Identity
from reconciler.model.plan import Action
from reconciler.planning.encode import encode
from reconciler.render.verification_json import document as verification
from reconciler.state.canonical import dump
from reconciler.state.manifest import dump_manifest
from reconciler.state.model import DirectoryCursor, GraphCursor, Manifest
from reconciler.state.records import accounts_document, guests_document
from reconciler.verify.causes import Cause
from reconciler.verify.port import Page
from reconciler.verify.report import Attempt, Report
from tests.render import builder

from .live import Documents, documents
from .pages import ROOT, code_in, marked_tables

_GUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_TIME = "2026-05-04T06:17:00Z"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """What the program writes in a loop."""
    return documents(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module")
def formats(written: Documents) -> dict[str, set[str]]:
    """The keys of every documented format, as they are written."""
    made = builder.small(), builder.guarded(), builder.conflicted(), builder.speculative()
    plans = [json.loads(encode(p).text) for p in made]
    speculations = [p["speculation"] for p in plans if p["speculative"]]
    changes = [c for p in [*plans, written.plan] for c in p["changes"]]
    kinds = {kind: [e for e in written.journal if e["kind"] == kind] for kind in ("open", "intent", "outcome", "close")}
    every = {"v", "at", "kind"}
    return {
        "plan": _keys([*plans, written.plan]),
        "change": _keys(changes),
        "value": _keys(v for c in changes for v in c["attributes"].values()),
        "guard": _keys(g for p in plans for g in p["guards"]),
        "conflict": _keys(c for p in plans for c in (*p["conflicts"], *p["held"])),
        "speculation": _keys(speculations),
        "unreached": _keys(u for s in speculations for u in s["unreached"]),
        "radius": _keys(s["radius"] for s in speculations),
        "kind": _keys(k for s in speculations for k in s["radius"]["kinds"]),
        "journal": every,
        **{f"journal.{kind}": _keys(entries) - every for kind, entries in kinds.items()},
        "receipt": set(written.receipt),
        "lock": set(written.lock),
        **{f"json.{name}": set(printed) for name, printed in written.printed.items() if name != "plan"},
        "json.verify": set(verification(_verified())),
        "json.error": {"error", "remedy", "exit_code"},
        **dict(_state()),
    }


def test_every_field_of_every_format_is_documented_and_no_other(formats: Mapping[str, set[str]]) -> None:
    said = {
        mark.removeprefix("fields: "): [name for row in rows for name in code_in(row[0])]
        for page in ("docs/plan.md", "docs/state.md")
        for mark, rows in marked_tables(page).items()
        if mark.startswith("fields: ")
    }

    assert {name: sorted(fields) for name, fields in said.items()} == {n: sorted(f) for n, f in formats.items()}


def test_the_nested_fields_are_those_named(written: Documents) -> None:
    rows = {code_in(row[0])[0]: code_in(row[1]) for row in marked_tables("docs/plan.md")["fields: lock"]}

    assert rows["process"] == list(written.lock["process"])
    assert set(written.plan["domain"]) == {"sid", "dn"}
    assert set(written.receipt["outcomes"][0]) == {"change", "result", "detail", "sid", "guid"}
    assert {k for c in written.plan["changes"] for k in c["rule"]} == {"name", "file", "line"}


def test_every_conflict_is_documented() -> None:
    documented = [code_in(row[0])[0] for row in marked_tables("docs/plan.md")["conflicts"]]

    assert sorted(set(_conflict_kinds()) - set(documented)) == []
    assert len(documented) == len(set(documented))


def test_every_cause_that_verify_names_is_documented() -> None:
    page = "docs/how-to/prove-sign-in.md"
    documented = [name for row in marked_tables(page)["causes"] for name in code_in(row[0])]

    assert sorted(documented) == sorted(cause.value for cause in Cause)


def test_what_verify_says_of_a_guest_is_documented() -> None:
    row = next(r for r in marked_tables("docs/plan.md")["fields: json.verify"] if code_in(r[0]) == ["guests"])
    (guest,) = json.loads(json.dumps(verification(_verified())))["guests"]
    said = code_in(row[1])

    assert set(guest) - set(said) == set()
    assert set(guest["page"]) - set(said) == set()


def _verified() -> Report:
    page = Page(200, proven=True, user="alice")
    name = "alice@contoso.test"
    attempt = Attempt(_GUID, "Alice", "CN=a", "S-1", "a", name, assumed=False, findings=(), seen=name, page=page)
    return Report("HTTP/x", Identity.UPN, "c", "keytab k", "R", "ldaps://dc1", "", (attempt,))


def test_every_step_result_and_action_is_documented() -> None:
    text = (ROOT / "docs/plan.md").read_text("utf-8")
    steps = re.findall(r'announce\(change, "(\w+)"\)', (ROOT / "reconciler/apply/steps.py").read_text("utf-8"))
    change = {code_in(row[0])[0]: code_in(row[1]) for row in marked_tables("docs/plan.md")["fields: change"]}

    assert len(steps) > 6
    assert [s for s in steps if f"`{s}`" not in text] == []
    assert [r for r in get_args(Result) if f"| `{r}` |" not in text] == []
    assert sorted(change["action"]) == sorted(a.value for a in Action)


def _keys(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    return {key for document in documents for key in document}


def _state() -> Iterator[tuple[str, set[str]]]:
    """Records with everything in them, as their files have them."""
    guest = Guest(_GUID, {"mail": "a@x.test"}, "changed", _TIME)
    account = Account(
        "S-1-5-21-1-2-3-1104",
        _GUID,
        DN("CN=a"),
        {"sn": "a"},
        ("adminCount",),
        _GUID,
        _TIME,
        suspended=True,
        adopted=True,
        missing="deleted",
    )
    graph = GraphCursor("t", _TIME, ("mail",), "link", 1, 1)
    directory = DirectoryCursor(_TIME, "c", "d", "s", "n", "i", 1, ("o",), ("a",), 1)
    manifest = yaml.safe_load(dump_manifest(Manifest(1, _TIME, graph, directory), incomplete=True))
    yield "guest", _keys(yaml.safe_load(dump(guests_document([guest]))).values())
    yield "account", _keys(yaml.safe_load(dump(accounts_document([account]))).values())
    yield "manifest", set(manifest)
    yield "manifest.graph", set(manifest["graph"])
    yield "manifest.directory", set(manifest["directory"])


def _conflict_kinds() -> Iterator[str]:
    """The third argument of every `Conflict(…)` in the planner, through the variable `kind` where it is one."""
    for file in sorted((ROOT / "reconciler/planning").glob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        assigned = [pair for node in nodes if isinstance(node, ast.Assign) for pair in _assigned(node)]
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Conflict":
                kind = node.args[2]
                if isinstance(kind, ast.Constant):
                    yield str(kind.value)
                else:
                    yield from (text for name, text in assigned if name == "kind")


def _assigned(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """Each name that is assigned a text, alone or in a tuple."""
    target, value = node.targets[0], node.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=True))
    for name, text in pairs:
        if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield name.id, text.value
