"""Runs plain `git`: never a shell, never a prompt, never a hook; its failures are ours to explain.

What git says is shown with credentials in URLs masked and control characters made visible: a remote writes part of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from reconciler.errors import GitError, PushRefusedError

_CONFIG = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.safecrlf=false",
    "core.filesRefLockTimeout=3000",
    "core.packedRefsTimeout=3000",
    "commit.gpgsign=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "i18n.commitEncoding=utf-8",
    "advice.detachedHead=false",
    "color.ui=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_OPTIONS = tuple(word for setting in _CONFIG for word in ("-c", setting))

_INHERITED = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES"
    r"|QUARANTINE_PATH|SHALLOW_FILE|GRAFT_FILE|REPLACE_REF_BASE|NOTES_REF|EXTERNAL_DIFF|PAGER|EDITOR|CURL_VERBOSE"
    r"|(GLOB|NOGLOB|ICASE)_PATHSPECS|(AUTHOR|COMMITTER)_DATE|TRACE.*)"
)
"""Set inside a hook, by a wrapper, or for debugging: each would redirect or colour what we read."""

_SECRET = re.compile(
    r"RECONCILE_.*|ACTIONS_ID_TOKEN_REQUEST_.*|AZURE_(CLIENT_SECRET|CLIENT_CERTIFICATE_PASSWORD|PASSWORD)"
)
"""What signs us in elsewhere: neither git nor a credential helper, an ssh or a filter that it starts has use for it."""

_HINTS = frozenset(
    {
        "fatal: Could not read from remote repository.",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    }
)
"""What git adds to any failure of a remote; the line before them says which."""

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_RULES = re.compile(
    r"protected branch|GH006|GH013|TF40(2455|1027)|hook declined|prohibited by Gerrit"
    r"|deny(ing)? (updating a hidden ref|non-fast-forward|ref deletion)"
)
_REMEDIES = (
    (
        re.compile(r"not a git repository"),
        "Run inside a repository, or name the operations directory with -C DIR; `git init` makes one.",
    ),
    (
        re.compile(r"dubious ownership"),
        "It belongs to another user: `git config --global --add safe.directory <its path>`, if you trust them.",
    ),
    (
        re.compile(
            r"could not read (Username|Password)|Authentication failed|terminal prompts disabled"
            r"|HTTP 40[13]|returned error: 40[13]"
        ),
        "Give git credentials for this remote (a credential helper, or the CI's checkout token), with the right to do this, and try again.",
    ),
    (
        re.compile(r"repository '.*' not found|returned error: 404"),
        "See `git remote -v`. To credentials without access, a private repository is not there either.",
    ),
    (
        re.compile(r"returned error: 5\d\d"),
        "The remote has trouble: run the same command again later.",
    ),
    (
        re.compile(r"Permission denied \(publickey|Host key verification failed"),
        "Give ssh a key this remote accepts (`ssh-add -l`), and its host key in known_hosts.",
    ),
    (
        re.compile(r"Could not resolve host|Connection (refused|timed out|reset)|unable to access"),
        "The remote cannot be reached from here: check the network, then run the same command again.",
    ),
    (
        _RULES,
        "The remote's rules refuse this push: let this identity write the branch or ref named above.",
    ),
    (
        re.compile(r"--mirror can't be combined"),
        "This clone is a mirror: whatever it pushes would be all refs. Use another, as `git clone --bare` makes one.",
    ),
    (
        re.compile(
            r"No space left on device|Disk quota exceeded|Read-only file system|couldn't write '"
            r"|insufficient permission for adding an object"
        ),
        "A disk is full, or must not be written: the remote's, where the words begin with `remote:`; else the one that .git is on.",
    ),
    (
        re.compile(r"\.lock': File exists|Another git process"),
        "Another git is at work in this repository: wait for it, or remove the lock file it left when it died.",
    ),
    (
        re.compile(r"does not appear to be a git repository|No such remote"),
        "See `git remote -v` and `forge.remote` in reconcile.yaml.",
    ),
)


def readable(text: str) -> str:
    """Return what git or a remote said, safe to show: credentials masked, control and bidi characters visible."""
    masked = _CREDENTIALS.sub("***@", text).expandtabs(4)
    return _UNSEEN.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) <= 0xFF else f"\\u{ord(m[0]):04x}", masked)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Result:
    """What one git said. `out` are raw bytes; `err` is decoded, and shown only through `readable`."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output without its last newline; bytes that are not UTF-8 survive a round trip through `os.fsencode`."""
        return os.fsdecode(self.out).removesuffix("\n")


@dataclass(frozen=True, slots=True)
class Git:
    """git, run in one directory."""

    directory: Path

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
        timeout: float | None = None,
        remedy: str = "",
    ) -> Result:
        """Run `git args…` to its end.

        Raises GitError when the exit code is not among `ok`, or after `timeout` seconds, with `remedy` unless git's own
        words call for a better one.
        """
        try:
            done = subprocess.run(
                self._command(args),
                cwd=self.directory,
                input=stdin,
                capture_output=True,
                env=self._environment(env),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            what = f"git {_verb(args)} gave no answer within {error.timeout:g} seconds"
            raise GitError(what, "The remote may be down: check it, then run the same command again.") from None
        except OSError as error:
            raise _unstartable(self.directory, error) from None
        result = Result(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace"))
        if done.returncode not in ok:
            raise failure(args, result, remedy)
        return result

    @contextmanager
    def stream(self, *args: str, stdin: bytes) -> Iterator[IO[bytes]]:
        """Run `git args…`; its output can be read while it runs, and git ends with the context.

        Input goes through a file, since filling two pipes at once would deadlock. A body that finds the output too
        short raises EOFError, which becomes the GitError with git's own words.
        """
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                process = subprocess.Popen(
                    self._command(args),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    cwd=self.directory,
                    env=self._environment(None),
                )
            except OSError as error:
                raise _unstartable(self.directory, error) from None
            with process:
                try:
                    yield cast("IO[bytes]", process.stdout)
                except EOFError:
                    code = process.wait()
                    said.seek(0)
                    raise failure(args, Result(code, b"", said.read().decode("utf-8", "backslashreplace"))) from None
                finally:
                    process.kill()

    def _command(self, args: Sequence[str]) -> list[str]:
        return ["git", "--literal-pathspecs", "--no-replace-objects", *_OPTIONS, *args]

    def _environment(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not (_INHERITED.fullmatch(k) or _SECRET.fullmatch(k))}
        fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "LC_ALL": "C", "LANGUAGE": "C"}
        return {**inherited, **fixed, **(extra or {})}


def failure(args: Sequence[str], result: Result, remedy: str = "") -> GitError:
    """Return the error for a git that failed, in its own words."""
    said = result.err.strip() or os.fsdecode(result.out).strip() or f"exit code {result.code}"
    lines = (line.rstrip() for line in said.splitlines())  # git pads what a remote says with spaces
    said = "\n".join(line for line in lines if line and line not in _HINTS) or said
    known = next((words for pattern, words in _REMEDIES if pattern.search(said)), "")
    kind = PushRefusedError if _RULES.search(said) else GitError
    return kind(f"git {_verb(args)} failed: {readable(said)}", known or remedy or "Run the same command again.")


def _verb(args: Sequence[str]) -> str:
    """Return the command's name, behind the settings that may come before it."""
    rest = list(args)
    while rest[:1] == ["-c"]:
        del rest[:2]
    return rest[0] if rest else ""


def _unstartable(directory: Path, error: OSError) -> GitError:
    if not directory.is_dir():
        return GitError(f"{readable(str(directory))} is not a directory", "Name the operations directory with -C DIR.")
    return GitError(f"git cannot be started: {error.strerror}", "Install git 2.30 or later and have it on PATH.")
