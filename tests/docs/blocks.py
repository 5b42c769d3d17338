"""The convention of docs/contributing.md: what the words behind the backticks mean."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from reconciler.config.settings import load_settings
from reconciler.errors import ReconcileError
from reconciler.model.dn import DN
from reconciler.policy.load import load_policy

from .commands import reconcile_refusals, refusals
from .pages import ROOT, Fence, fences, pages
from .transcript import Step, steps

RUN = {(): "demo", ("scratch",): "scratch", ("domain",): "domain"}
"""The words behind `console`, and the place that commands run in."""

_STATIC = ("console", "static")
_LOADED = {("yaml", "policy"), ("yaml", "settings")}
_READ = {("yaml",), ("json",)}
_FREE = {(name,) for name in ("text", "diff", "csv", "ini", "xml", "sql", "python")}
_COMMAND = re.compile(r"(?:^|\n)\s*(?:\$ |>>? ?reconcile |reconcile (?:-|[a-z]))")


@dataclass(frozen=True, slots=True)
class Session:
    """The commands of one page that run in one shell."""

    page: str
    way: str
    steps: tuple[Step, ...]


def sessions() -> list[Session]:
    """Every session of every page."""
    found = []
    for page in pages():
        for words, way in RUN.items():
            blocks = [f for f in fences(page) if f.words == ("console", *words)]
            if blocks:
                found.append(Session(page, way, tuple(s for block in blocks for s in steps(block))))
    return found


def complaints(fence: Fence) -> list[str]:
    """Return what is wrong with a block, as far as can be said without running it. Every kind of block passes here."""
    words = fence.words
    if words[:1] == ("console",) and words[1:] in RUN:
        return _of_console(fence, static=False)
    if words == _STATIC:
        return _of_console(fence, static=True)
    if words == ("powershell",):
        return reconcile_refusals(fence.text)
    if words in _LOADED | _READ:
        return _of_data(fence)
    if words in _FREE:
        return ["commands belong in a `console` block"] if _COMMAND.search(fence.text) else []
    return [f"`{fence.info}` is no kind of block: docs/contributing.md, Documentation, lists them"]


def _of_console(fence: Fence, *, static: bool) -> list[str]:
    try:
        found = steps(fence)
    except ValueError as error:
        return [str(error)]
    return [f"$ {s.command}: {why}" for s in found for why in (refusals(s.command) if static else ())]


def _of_data(fence: Fence) -> list[str]:
    try:
        document = json.loads(fence.text) if fence.words == ("json",) else yaml.safe_load(fence.text)
        if fence.words == ("yaml", "policy"):
            load_policy(
                [("policies/guests.yaml", _over("policy", "default.yaml", document))],
                [DN("OU=Guests,DC=contoso,DC=test")],
            )
        elif fence.words == ("yaml", "settings"):
            load_settings(_over("", "", document), fence.page, str(ROOT), {})
    except (ValueError, yaml.YAMLError, ReconcileError) as error:
        return [str(error)]
    return reconcile_refusals(fence.text)


def _over(package: str, name: str, part: object) -> bytes:
    """Return a part laid over the default file, key by key at the top level."""
    default = ROOT / "reconciler" / package / name if package else ROOT / "reconcile.yaml"
    document = yaml.safe_load(default.read_text("utf-8"))
    if not isinstance(part, dict):
        raise TypeError("not a mapping")
    return yaml.safe_dump(document | part, sort_keys=False, allow_unicode=True).encode()


def listed(problems: Sequence[tuple[str, str]]) -> str:
    """Return problems as lines, each with its place."""
    return "\n".join(f"{where}: {what}" for where, what in problems)
