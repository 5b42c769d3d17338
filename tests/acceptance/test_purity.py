"""The shape of the code: the plan in the middle can reach neither network, clock nor chance, and starts fast."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from .case import Case

ROOT = Path(__file__).parents[2]
PACKAGE = "reconciler"
PURE = ("model", "policy", "planning", "render")
HEAVY = frozenset({"msal", "ldap3", "requests", "urllib3", "faker", "cryptography", "jwt", "azure", "gssapi"})
IMPURE_MODULES = HEAVY | {
    "os",
    "random",
    "secrets",
    "subprocess",
    "socket",
    "ssl",
    "git",
    "tempfile",
    "shutil",
    "asyncio",
}
IMPURE_NAMES = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "environ", "getenv", "urandom"})
IMPURE_CALLS = frozenset({"open", "input", "print", "exec", "eval", "__import__"})
ENDS = ("graph", "directory", "git", "forge", "apply", "cli", "demo")
WORDS = frozenset({"graph.attributes", "graph.port", "directory.port", "forge.port", "git.tree"})
"""What the ends say of themselves without doing anything: a catalogue, and the ports."""
PROOF = ("verify.port", "verify.facts")
"""What a proof of sign-in asks the directory for, and the records of the answer."""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def files(folder: str = "") -> list[Path]:
    found = sorted((ROOT / PACKAGE / folder).rglob("*.py"))
    assert found
    return found


def module(path: Path) -> str:
    """Return a file's module, without the package's name: `planning.plan`."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield every module a file imports, wherever in it; of ours without the package's name."""
    package = [PACKAGE, *path.relative_to(ROOT / PACKAGE).parent.parts]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            yield whole
            yield from (f"{whole}.{alias.name}" for alias in node.names if is_module(f"{whole}.{alias.name}"))


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith(PACKAGE) and (path.with_suffix(".py").exists() or (path / "__init__.py").exists())


def ours(path: Path) -> set[str]:
    """Return the modules of this program that a file imports."""
    return {name.removeprefix(f"{PACKAGE}.") for name in imports(path) if name.startswith(f"{PACKAGE}.")}


def within(name: str, folders: tuple[str, ...]) -> bool:
    return name.partition(".")[0] in folders


@pytest.mark.parametrize("path", [p for folder in PURE for p in files(folder)], ids=module)
def test_the_pure_part_imports_nothing_that_acts(path: Path) -> None:
    clock = {"time"} if module(path) != "render.progress" else set()  # how fast, for people: given as an argument
    others = {name.partition(".")[0] for name in imports(path)}
    assert not others & (IMPURE_MODULES | clock)
    assert {name for name in ours(path) if within(name, ENDS)} <= WORDS


@pytest.mark.parametrize("path", [p for folder in PURE for p in files(folder)], ids=module)
def test_the_pure_part_asks_neither_clock_nor_environment_nor_chance(path: Path) -> None:
    attributes = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
    calls = {n.func.id for n in ast.walk(parsed(path)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not attributes & IMPURE_NAMES
    assert not calls & IMPURE_CALLS


@pytest.mark.parametrize("folder", ["policy", "planning"])
def test_nor_does_anything_it_rests_on(folder: str) -> None:
    """Followed through every import: only errors, records, the policy's schema and YAML with positions."""
    reached: set[str] = set()
    pending = {module(path) for path in files(folder)}
    while pending:
        name = pending.pop()
        path = ROOT.joinpath(PACKAGE, *name.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        reached.add(name)
        pending |= {found for found in ours(file) if is_module(f"{PACKAGE}.{found}")} - reached
    assert {name for name in reached if within(name, ENDS)} <= WORDS
    assert {name.partition(".")[0] for name in reached} <= {
        "graph",
        "errors",
        "model",
        "policy",
        "planning",
        "state",
        "config",
        "directory",
    }


def test_the_vocabulary_imports_nobody() -> None:
    for path in files("model"):
        assert all(within(name, ("model",)) for name in ours(path)), module(path)


def test_nothing_but_the_demonstration_imports_the_demonstration() -> None:
    importers = {module(path) for path in files() if any(within(name, ("demo",)) for name in ours(path))}
    assert {name for name in importers if not within(name, ("demo",))} == {"cli.demo"}


def test_only_the_program_itself_stands_above_its_commands() -> None:
    importers = {module(path) for path in files() if any(within(name, ("cli",)) for name in ours(path))}
    assert {name for name in importers if not within(name, ("cli", "demo"))} == {"__main__"}


@pytest.mark.parametrize(
    ("folder", "beneath"),
    [
        ("graph", ("model", "errors", "scratch", "graph")),
        ("directory", ("model", "errors", "directory", *PROOF)),
        ("git", ("model", "errors", "git")),
        ("state", ("model", "errors", "progress", "scratch", "state", "graph", "directory", "git", "policy")),
        ("forge", ("model", "errors", "forge", "graph")),
        ("config", ("model", "errors", "config")),
    ],
)
def test_data_flows_one_way(folder: str, beneath: tuple[str, ...]) -> None:
    for path in files(folder):
        assert all(within(name, beneath) or name in beneath for name in ours(path)), module(path)


def test_each_end_s_library_is_known_to_that_end_alone() -> None:
    web = ("graph", "forge", "verify", "doctor")
    allowed = {"ldap3": ("directory", "demo"), "msal": ("graph",), "requests": web, "faker": ("demo",)}
    for path in files():
        libraries = {name.partition(".")[0] for name in imports(path)} & allowed.keys()
        assert all(within(module(path), allowed[library]) for library in libraries), module(path)


# --- what is loaded

LOADED = """
import json, sys
from reconciler.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
sys.stderr.write(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]))
"""


def loaded(*arguments: str) -> set[str]:
    """Return the top-level modules in memory after a command, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    code, names = json.loads(run.stderr.splitlines()[-1])
    assert code == 0, run.stderr
    return set(names)


def test_help_loads_next_to_nothing() -> None:
    started = time.monotonic()
    names = loaded("--help")
    print(f"reconcile --help: {time.monotonic() - started:.2f} s")
    assert not names & (HEAVY | {"rich", "yaml", "jsonschema", "cel_expr_python", "google", "git"})


@pytest.mark.samba
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_commands_without_a_network_load_no_client_of_one(case: Case, command: str) -> None:
    started = time.monotonic()
    names = loaded("-C", str(case.directory), command)
    print(f"reconcile {command}: {time.monotonic() - started:.2f} s")
    assert {"yaml", "cel_expr_python"} <= names
    assert not names & (HEAVY | {"git"})
