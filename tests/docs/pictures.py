"""The picture of a plan: a real one, as the terminal shows it, drawn by rich."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from reconciler.demo.people import generate
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Plan
from reconciler.model.settings import Directory, Entra, Forge, Settings
from reconciler.planning.encode import encode
from reconciler.planning.plan import make_plan
from reconciler.policy.load import load_policy
from reconciler.render.plan_terminal import terminal
from reconciler.state.model import DirectoryCursor, GraphCursor, Manifest, State

from .pages import ROOT

WIDTH = 92
_BASE = "DC=contoso,DC=test"
_OU = f"OU=Guests,{_BASE}"
_SID = "S-1-5-21-1490851128-4171050724-747892279"
_THEN, _NOW = "2026-05-03T06:17:00Z", "2026-05-04T06:17:00Z"
_SETTINGS = Settings(
    entra=Entra("contoso.onmicrosoft.com", "", "federated", "", "", None),
    directory=Directory(("ldaps://dc1.contoso.test",), DN(_BASE), (DN(_OU),), "simple", None),
    forge=Forge("github", "origin", "main", "", "contoso/identity", 1, ()),
    lifetime=timedelta(hours=24),
    batch=5000,
    sha256="0" * 64,
    root="",
)
_THEME = TerminalTheme(
    (15, 23, 42),
    (248, 250, 252),
    [
        *((30, 41, 59), (248, 113, 113), (74, 222, 128), (250, 204, 21)),
        *((96, 165, 250), (232, 121, 249), (34, 211, 238), (248, 250, 252)),
    ],
)
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" class="rich-terminal" viewBox="0 0 {width} {height}" role="img">
<title>reconcile plan: what changed since the last import, dangerous changes first</title>
<style>
.{unique_id}-matrix {{
font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect width="{width}" height="{height}" rx="8" fill="#0f172a" stroke="#475569"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Opaque, so that it reads the same on a light page and on a dark one; it loads nothing."""


def plan() -> Plan:
    """What a day did to six guests: one renamed, one gone, one account edited by hand, one guest more."""
    policy = load_policy([("policies/guests.yaml", (ROOT / "policies/guests.yaml").read_bytes())], [DN(_OU)])
    people = [p for p in generate(60, seed=20260101) if p.display_name.isascii() and p.mail and p.surname][:8]
    known = {p.id: _guest(p.id, p.properties, policy.guest_attributes) for p in people}
    newcomer = people[-1].id
    before = {i: g for i, g in known.items() if i != newcomer}
    accounts = _applied(make_plan(_state(before, {}, _THEN), policy, _SETTINGS, ()))
    married, leaver, edited = (people[i].id for i in (0, 1, 2))
    after = dict(known)
    after[married] = replace(known[married], attributes={**known[married].attributes, "surname": "Lindqvist-Okafor"})
    after[leaver] = replace(known[leaver], removed="changed", removed_at=_NOW)
    accounts = {sid: _drifted(a, leaver, edited) for sid, a in accounts.items()}
    return make_plan(_state(after, accounts, _NOW), policy, _SETTINGS, ())


def svg() -> str:
    """Return the picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "bold cyan"), ("reconcile plan", "bold")))
    shown = plan()
    terminal(shown, encode(shown).digest, console)
    return console.export_svg(title="", theme=_THEME, code_format=_FRAME, unique_id="plan", font_aspect_ratio=0.61)


def lines_of(drawn: str) -> list[str]:
    """Return the text of a picture, line by line, as a person reads it."""
    root = ET.fromstring(drawn)  # noqa: S314  our own file
    lines: dict[float, list[tuple[float, str]]] = {}
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        text = (element.text or "").replace("\xa0", " ")
        lines.setdefault(float(element.attrib["y"]), []).append((float(element.attrib["x"]), text))
    joined = ["".join(text for _, text in sorted(parts)) for _, parts in sorted(lines.items())]
    return [re.sub(r"\s+", " ", line).strip() for line in joined if line.strip()]


def _guest(guest_id: str, properties: dict[str, str | bool | None], wanted: Iterable[str]) -> Guest:
    return Guest(guest_id, {n: v for n in wanted if (v := properties.get(n)) is not None})


def _applied(done: Plan) -> dict[str, Account]:
    """Return the accounts that a plan of creates leaves behind."""
    accounts = {}
    for number, change in enumerate(c for c in done.changes if c.action is Action.CREATE):
        values = {d.attribute: d.after for d in change.deltas if d.after is not None}
        guid = f"{number:08x}-0000-4000-8000-000000000000"
        sid = f"{_SID}-{1104 + number}"
        accounts[sid] = Account(sid, guid, change.dn, values, guest=change.guest)
    return accounts


def _drifted(account: Account, leaver: str, edited: str) -> Account:
    if account.guest == edited:
        return replace(account, attributes={**account.attributes, "displayName": "Totally Legit Admin"})
    return replace(account, departed=_NOW) if account.guest == leaver else account


def _state(guests: dict[str, Guest], accounts: dict[str, Account], as_of: str) -> State:
    policy = load_policy([("policies/guests.yaml", (ROOT / "policies/guests.yaml").read_bytes())], [DN(_OU)])
    tombstones = sum(g.removed is not None for g in guests.values())
    graph = GraphCursor(
        _SETTINGS.entra.tenant, as_of, policy.guest_attributes, "", len(guests) - tombstones, tombstones
    )
    controller = _SETTINGS.directory.controllers[0]
    directory = DirectoryCursor(
        as_of, controller, _BASE, _SID, "", "", 1, (_OU,), policy.account_attributes, len(accounts)
    )
    return State(Manifest(42 if accounts else 41, as_of, graph, directory), guests, accounts)
