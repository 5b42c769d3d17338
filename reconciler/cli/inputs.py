"""What a plan is computed from, and what tells two such inputs apart."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from reconciler import __version__
from reconciler.git.tree import Tree
from reconciler.model.settings import Settings
from reconciler.state.paths import ACCOUNTS, CLAIMS, GUESTS, MANIFEST

_MADE_BY = ("config", "graph", "incremental", "model", "planning", "policy", "state")
"""The folders of this program that a plan depends on."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan is computed from. `files` are those that the policy may be in, `trees` the objects that the plan names."""

    tree: Tree
    settings: Settings
    files: tuple[tuple[str, bytes], ...]
    trees: Sequence[tuple[str, str]]

    @property
    def digest(self) -> bytes:
        """Tells whether anything at all is different, this program included."""
        oids = {path: self.tree.oid(path) for path in (MANIFEST, GUESTS, ACCOUNTS, CLAIMS, "policies")}
        return digest([this_program(), self.settings.sha256, *self.trees, oids])


@cache
def this_program() -> list[object]:
    """Return what tells this program from another: its release, its files as it began, its engine, and its Python's tables."""
    root = Path(__file__).parent.parent
    files = sorted(file for folder in _MADE_BY for file in (root / folder).glob("*.*"))
    engine = find_spec("cel_expr_python")
    files += [Path(engine.origin)] if engine and engine.origin else []
    seen = [(file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    return [__version__, sys.version, unicodedata.unidata_version, seen]


def digest(said: list[object]) -> bytes:
    """Return a digest of anything that JSON can say."""
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16).digest()
