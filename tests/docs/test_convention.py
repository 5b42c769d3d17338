"""The tests of the documentation can fail: each kind of mistake, told."""

from __future__ import annotations

from pathlib import Path

import pytest

from .blocks import complaints
from .commands import simple_commands
from .pages import Fence
from .shell import environment, failures
from .transcript import difference, steps


def fence(info: str, text: str) -> Fence:
    return Fence("docs/page.md", 10, info, text)


@pytest.mark.parametrize(
    ("info", "text", "told"),
    [
        ("sh", "reconcile plan\n", "no kind of block"),
        ("", "$ reconcile plan\n", "no kind of block"),
        ("console", "reconcile plan\n", "begins with a command"),
        ("console sratch", "$ reconcile plan\n", "no kind of block"),
        ("text", "$ reconcile plan\n", "belong in a `console` block"),
        ("text", "reconcile plan\n", "belong in a `console` block"),
        ("console static", "$ reconcile plan --detailed-exit\n", "unrecognized arguments"),
        ("console static", "$ reconicle plan\n", "no program"),
        ("console static", "$ git pull && reconcile aply\n", "invalid choice"),
        ("console static", '$ echo "$(reconcile plan --jsno)"\n', "unrecognized arguments"),
        ("console static", "$ script/no-such\n", "no script"),
        ("console static", "$ script/demo --guest 3\n", "unrecognized arguments"),
        ("console static", "$ if true\n", "syntax error"),
        ("powershell", '& "C:\\reconcile\\reconcile.exe" snapshot --Full\n', "unrecognized arguments"),
        ("yaml", "run: reconcile propose --force\n", "unrecognized arguments"),
        ("yaml", "a: [\n", "expected"),
        ("yaml policy", "scope: {include: guest.usertype}\n", "unknown guest attribute"),
        ("yaml settings", "plan: {lifetime: 24 hours}\n", "duration"),
        ("json", "{", "Expecting"),
    ],
)
def test_a_mistake_in_a_block_is_told(info: str, text: str, told: str) -> None:
    found = complaints(fence(info, text))

    assert told in "\n".join(found)


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ("console static", '$ RECONCILE_LDAP_USER=x reconcile -C a/b apply --yes --digest "$D" > log 2>&1\n'),
        ("console static", "$ cat > f <<'EOF'\n> anything goes: here\n> EOF\n"),
        ("console static", "$ sudo -n apt-get install -y krb5-user; cd x\n"),
        ("powershell", "Get-ADUser alice | Format-List\nreconcile plan --json | ConvertFrom-Json\n"),
        ("yaml policy", "hold: []\n"),
        ("yaml settings", "plan: {lifetime: 7d}\n"),
        ("text", "The plan is on reconcile/plan.\n"),
    ],
)
def test_what_is_right_passes(info: str, text: str) -> None:
    assert complaints(fence(info, text)) == []


def test_a_command_is_found_wherever_it_hides() -> None:
    found = simple_commands(
        'A=1 git pull && (cd x; reconcile plan) | tee "$(reconcile validate)" 2>/dev/null # not this'
    )

    assert found == [["reconcile", "validate"], ["git", "pull"], ["cd", "x"], ["reconcile", "plan"], ["tee", "X"]]


def test_a_line_of_dots_stands_for_any_number_of_lines() -> None:
    assert difference(["a", "…", "b … d"], "a\nx\ny\nb c d\n") == ""
    assert difference(["a", "…", "b"], "a\nb") == ""
    assert "it prints:" in difference(["a", "b"], "a\nx\nb")


def ran(text: str, home: Path) -> str:
    return "\n".join(failures(steps(fence("console", text)), home, environment(home)))


def test_commands_share_a_shell_and_are_held_to_what_the_page_shows(tmp_path: Path) -> None:
    assert ran("$ mkdir a && cd a\n$ x=1\n$ pwd\n…/a\n$ false\n$ echo $?\n1\n$ echo $x >&2\n1\n", tmp_path) == ""
    assert "docs/page.md:11: $ echo b" in ran("$ echo a\n$ echo b\nc\n", tmp_path)


def test_a_failure_is_told_unless_the_exit_code_is_shown(tmp_path: Path) -> None:
    assert "ended with exit code 3" in ran("$ (exit 3)\n$ echo on\n", tmp_path)
    assert "it prints:\n3" in ran("$ (exit 3)\n$ echo $?\n4\n", tmp_path)
    assert "the shell ended before" in ran("$ exit 0\n$ true\n", tmp_path)


def test_the_program_is_on_the_path(tmp_path: Path) -> None:
    assert ran("$ reconcile --version\nreconcile …\n", tmp_path) == ""
