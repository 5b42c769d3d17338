"""What can be said of a command without running it."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from reconciler.cli.arguments import parser

from .pages import ROOT

KNOWN = frozenset(
    {
        *[
            ".",
            "[",
            "cat",
            "cd",
            "cp",
            "cut",
            "diff",
            "echo",
            "env",
            "export",
            "find",
            "grep",
            "head",
            "if",
            "jq",
            "ls",
            "mkdir",
            "mv",
            "printf",
            "read",
            "rm",
            "sed",
            "set",
            "sha256sum",
        ],
        *["sort", "source", "tail", "tee", "test", "true", "tr", "umask", "unset", "wc", "while", "xargs"],
        *[
            "apt-cache",
            "apt-get",
            "bash",
            "chmod",
            "chown",
            "crontab",
            "curl",
            "docker",
            "install",
            "journalctl",
            "sudo",
            "systemctl",
        ],
        *[
            "az",
            "certutil",
            "gh",
            "git",
            "ldapadd",
            "ldapmodify",
            "ldapsearch",
            "openssl",
            "kinit",
            "klist",
            "kvno",
            "ktutil",
        ],
        *["for", "ldbedit", "ldbmodify", "ldbsearch", "samba-tool", "testparm"],
        *["chronyc", "date", "nc", "timedatectl"],
        *["pip", "pip3", "pipx", "python", "python3", "uv"],
        *[
            "dsacls",
            "Get-ADObject",
            "Get-ADUser",
            "New-ADUser",
            "Set-ADUser",
            "setspn",
            "Set-ADAccountControl",
            "ktpass",
        ],
    }
)
"""Programs that a page may name. Add one here when a page needs it: a name that is misspelt is not among them."""

_WRAPPERS = frozenset({"sudo", "exec", "time", "command", "nohup", "env", "then", "else", "do", "!", "{"})
_CLOSING = frozenset({"fi", "done", "}", "esac"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_ELSEWHERE = re.compile(
    r"""(?:^\s*(?:-\s+|run:\s+|&\s+|>\s+)*["']?|[|;&]\s*["']?|[/\\])reconcile(?:\.exe)?["']?\s+((?:-C\s+\S+\s+)?[a-z-].*)"""
)
"""The program where a command may begin, or behind a path."""
_NAMED = re.compile(r"\s*(- )?name:")
_ENDS = "();|&\n"
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")


def syntax_error(command: str) -> str:
    """Return what bash has against a command; empty where it has nothing."""
    done = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
    return done.stderr.strip()


def refusals(command: str) -> list[str]:
    """Return what is wrong with a command that is not run: an unknown program, an option that does not exist."""
    problems = [found] if (found := syntax_error(command)) else []
    for words in simple_commands(command):
        name = words[0].rsplit("/", 1)[-1]
        if name == "reconcile":
            problems += [refusal(words[1:])]
        elif words[1:3] == ["-m", "reconciler"]:
            problems += [refusal(words[3:])]
        elif words[0].startswith("script/"):
            problems += [_script(words)]
        elif name not in KNOWN and words[0] not in KNOWN:
            problems += [f"`{words[0]}` is no program that tests/docs/commands.py knows"]
    return [p for p in problems if p]


def reconcile_refusals(text: str) -> list[str]:
    """Return what is wrong with the `reconcile` commands in a text of another language, line by line."""
    problems = []
    for line in text.splitlines():
        for match in [] if _NAMED.match(line) else _ELSEWHERE.finditer(line):
            words = re.split(r"\s(?:#|\||&&|;|>)|[;|`]", match[1])[0].strip("\"'` ")
            problems.append(refusal(shlex.split(words)))
    return [p for p in problems if p]


def refusal(arguments: Sequence[str]) -> str:
    """Return what the program's own parser has against these arguments; empty where it takes them."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        try:
            parser().parse_args([a for a in arguments if a != "…"])
        except SystemExit as end:
            return said.getvalue().strip() if end.code else ""
    return ""


def simple_commands(text: str) -> list[list[str]]:
    """Return the words of every simple command in a piece of shell: without redirections, assignments and keywords."""
    found = []
    for inner in _SUBSTITUTION.findall(text):
        found += simple_commands(inner)
    shell = _SUBSTITUTION.sub("X", _without_heredocs(text).replace("\\\n", " "))
    lexer = shlex.shlex(shell, posix=True, punctuation_chars=_ENDS + "<>")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    redirected = comment = False
    for token in lexer:
        if token.strip(_ENDS + "<>"):
            comment = comment or token.startswith("#")
            if not (comment or redirected):
                words.append(token)
            redirected = False
        elif set(token) & set("<>"):
            redirected = True
            words = words[:-1] if words and words[-1].isdigit() else words
        else:
            found.append(words)
            words, comment = [], comment and "\n" not in token
    found.append(words)
    return [stripped for words in found if (stripped := _stripped(words))]


def _stripped(words: Sequence[str]) -> list[str]:
    rest = list(words)
    while rest and (rest[0] in _WRAPPERS or _ASSIGNMENT.fullmatch(rest[0])):
        wrapper = rest.pop(0)
        while wrapper in ("sudo", "env") and rest and rest[0].startswith("-"):
            rest.pop(0)
    return [] if rest and rest[0] in _CLOSING else rest


def _without_heredocs(text: str) -> str:
    kept: list[str] = []
    until: str | None = None
    for line in text.split("\n"):
        if until is not None:
            until = None if line.strip() == until else until
            continue
        kept.append(line)
        if match := _HEREDOC.search(line):
            until = match[2]
    return "\n".join(kept)


def _script(words: Sequence[str]) -> str:
    path = ROOT / words[0]
    if not path.is_file() or not os.access(path, os.X_OK):
        return f"{words[0]} is no script of this repository that can be run"
    return refusal(["demo", *words[1:]]) if words[0] == "script/demo" else ""
