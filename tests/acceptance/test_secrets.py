"""No secret is ever in a plan, a log, a state file, a pull request, a git object, or a child process."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from reconciler.demo.pki import Authority
from tests.support.operations import Operations

pytestmark = pytest.mark.samba
SUBJECT = "repo:contoso/identity:environment:plan"
WRONG = f"wrong-{secrets.token_urlsafe(18)}"


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield a secret as it is, and as it would look in a header, a URL, JSON, LDAP's unicodePwd, or a hex dump."""
    text = secret.decode()
    for raw in (secret, text.encode("utf-16-le"), text.encode("utf-16-be")):
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for offset, skipped in ((0, 0), (1, 2), (2, 3)):  # base64 of something that the secret is the middle of
            encoded = base64.b64encode(b"\0" * offset + raw)
            middle = encoded[skipped : len(encoded) // 4 * 4 - 4]
            yield middle
            yield middle.translate(bytes.maketrans(b"+/", b"-_"))
    yield quote(text, safe="").encode()
    yield json.dumps(text)[1:-1].encode()


@dataclass
class Watched:
    """An installation, what is secret in it, and everything that it has left anywhere."""

    ops: Operations
    private: Path
    """Where secrets are kept: the one place that is not searched."""
    known: dict[str, bytes] = field(default_factory=dict)

    @property
    def children(self) -> Path:
        return self.private / "children"

    def watch_git(self) -> None:
        """Put a `git` before git that notes how it was started, and with which environment."""
        real = shutil.which("git")
        folder = self.private / "bin"
        folder.mkdir()
        shim = folder / "git"
        shim.write_text(f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> "{self.children}"\nexec {real} "$@"\n')
        shim.chmod(0o755)
        self.ops.env["PATH"] = f"{folder}{os.pathsep}{self.ops.env['PATH']}"

    def told(self) -> dict[str, bytes]:
        """Return every secret, by what it is: ours, the tokens that Entra gave, the passwords that accounts got."""
        passwords = (self.private / "passwords").read_bytes().splitlines()
        tokens = [token.encode() for token in self.ops.tenant._tokens._expires]
        assert passwords
        assert tokens
        return {
            **self.known,
            **{f"access token {n}": token for n, token in enumerate(tokens)},
            **{f"password {n}": password for n, password in enumerate(passwords)},
        }

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that was said, written, committed, pushed, or handed to a child."""
        yield "what was printed", "\n".join(self.ops.transcript).encode()
        yield "git's command lines and environments", self.children.read_bytes()
        for path in self.ops.root.rglob("*"):
            if path.is_file() and not path.is_symlink() and self.private not in path.parents:
                yield str(path.relative_to(self.ops.root)), path.read_bytes()
        for repository in (self.ops.directory, self.ops.remote):
            listing = ["git", "cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"]
            objects = subprocess.run(listing, cwd=repository, capture_output=True, check=True).stdout
            assert b"Plan-Digest" in objects
            yield f"the objects of {repository.name}", objects


def by_secret(watched: Watched) -> None:
    """The harness's own kind."""


def by_certificate(watched: Watched) -> None:
    issued = Authority.create("Apps").issue(["reconcile"])
    watched.ops.tenant.register_certificate(issued.certificate_pem)
    file = watched.private / "app.pem"
    file.write_bytes(issued.key_pem + issued.certificate_pem)
    watched.ops.env["RECONCILE_ENTRA_CERTIFICATE"] = str(file)
    lines = issued.key_pem.splitlines()[1:-1]
    watched.known |= {f"line {n} of the private key": line for n, line in enumerate(lines[1:])}


def by_federation(watched: Watched) -> None:
    watched.ops.tenant.federate(SUBJECT)
    assertion = watched.ops.tenant.mint(SUBJECT)
    file = watched.private / "assertion"
    file.write_text(assertion)
    watched.ops.env["RECONCILE_ENTRA_TOKEN_FILE"] = str(file)
    watched.known |= {"the assertion": assertion.encode(), "its signature": assertion.rpartition(".")[2].encode()}


KINDS: Mapping[str, Callable[[Watched], None]] = {
    "secret": by_secret,
    "certificate": by_certificate,
    "federated": by_federation,
}


@pytest.fixture(params=KINDS)
def watched(request: pytest.FixtureRequest, operations: Callable[..., Operations]) -> Watched:
    ops = operations(3)
    made = Watched(ops, ops.root / "private")
    made.private.mkdir(mode=0o700)
    made.known = {f"secret {n}": secret.encode() for n, secret in enumerate(ops.secrets)}
    unused = ("RECONCILE_FORGE_TOKEN", "RECONCILE_ENTRA_CERTIFICATE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    for variable in unused:
        ops.env[variable] = secrets.token_urlsafe(24)
        made.known[variable] = ops.env[variable].encode()
    KINDS[request.param](made)
    if request.param != "secret":
        settings = ops.directory / "reconcile.yaml"
        settings.write_text(settings.read_text().replace("credential: secret", f"credential: {request.param}"))
        ops.commit("credential")
    made.watch_git()
    return made


def test_no_secret_is_left_anywhere_whatever_goes_wrong(watched: Watched) -> None:
    ops, faults = watched.ops, watched.ops.tenant.faults
    # What a person mistypes is a secret too.
    (watched.private / "wrong").write_text(WRONG)
    for variable in ("RECONCILE_ENTRA_SECRET", "RECONCILE_LDAP_PASSWORD"):
        ops.reconcile("snapshot", expect=None, env={variable: WRONG})
    for variable in ("RECONCILE_ENTRA_TOKEN_FILE", "RECONCILE_ENTRA_CERTIFICATE"):
        if variable in ops.env:
            ops.reconcile("snapshot", expect=1, env={variable: str(watched.private / "wrong")})
    faults.fail_page(1)
    ops.reconcile("snapshot", expect=1)
    ops.reconcile("snapshot")
    ops.reconcile("plan", "--format", "html")
    ops.reconcile("propose", "--json")
    ops.merge()
    faults.throttle(None, retry_after=4000, batched=True)
    ops.reconcile("apply", "--yes", expect=1)
    faults.clear()
    ops.reconcile("apply", "--yes", expect=1, env={"RECONCILE_LDAP_PASSWORD": WRONG})
    telling = ("-m", "tests.support.telling", str(watched.private / "passwords"))
    ops.start("apply", "--yes", program=telling).finish()
    ops.reconcile("apply", "--yes", expect=4)
    ops.receipts()  # fetches them here, to be searched

    known = watched.told()
    assert len([name for name in known if name.startswith("password")]) == 3
    known |= {"what was mistyped": WRONG.encode()}
    sought = [(name, tuple(forms(secret))) for name, secret in known.items()]
    for where, content in watched.everything():
        for name, shapes in sought:
            assert not any(shape in content for shape in shapes), f"{name} is in {where}"
    started = watched.children.read_bytes()
    assert b"--literal-pathspecs" in started
    assert b"HOME=" in started
    assert b"RECONCILE_" not in started


def test_the_search_finds_what_is_there() -> None:
    secret = "p.~ä_Q-" + secrets.token_urlsafe(18)
    hiding = [
        secret.encode(),
        f'"{secret}"'.encode("utf-16-le"),
        base64.b64encode(f"user:{secret}".encode()),
        base64.urlsafe_b64encode(f"{secret}!".encode()),
        json.dumps({"a": secret}).encode(),
        quote(secret, safe="").encode(),
        f"x{secret}x".encode().hex().encode(),
    ]
    for content in hiding:
        assert any(form in content for form in forms(secret.encode())), content
