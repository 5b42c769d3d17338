"""git is never allowed to hang, to leak, or to fail without words."""

from __future__ import annotations

import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import GitError, PushRefusedError
from reconciler.git.repository import Repository
from reconciler.git.run import Git, Result, failure, readable

from .conftest import Clone


def test_credentials_in_urls_are_masked() -> None:
    said = "fatal: unable to access 'https://x-access-token:ghs_secret@github.com/contoso/identity/': 403"
    assert readable(said) == "fatal: unable to access 'https://***@github.com/contoso/identity/': 403"


@given(st.text(st.characters(exclude_characters="@/", exclude_categories=["Z", "C"]), min_size=8))
def test_no_password_survives_in_a_url(password: str) -> None:
    shown = readable(f"remote: https://user:{password}@host/x said no")
    assert shown == "remote: https://***@host/x said no"


@given(st.text())
def test_what_a_remote_says_cannot_steer_a_terminal(said: str) -> None:
    assert all(c == "\n" or unicodedata.category(c) != "Cc" for c in readable(said))
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f") & set(readable(said))


def test_a_folder_outside_any_repository_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(GitError) as refused:
        Repository.open(tmp_path)
    assert "not a git repository" in refused.value.what
    assert "-C DIR" in refused.value.remedy


def test_a_folder_that_does_not_exist_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(GitError) as refused:
        Repository.open(tmp_path / "nowhere")
    assert "nowhere" in refused.value.what
    assert "-C DIR" in refused.value.remedy


def test_a_missing_git_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="Install git"):
        Repository.open(tmp_path)


def test_an_environment_left_by_a_hook_does_not_redirect_us(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    head = clone.git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    assert clone.open().head() == head


def test_a_git_that_takes_too_long_is_given_up(clone: Clone) -> None:
    with pytest.raises(GitError, match=r"no answer within 0\.2 seconds"):
        Git(clone.root).run("-c", "alias.wait=!sleep 30", "wait", timeout=0.2)


def test_a_remote_that_asks_for_a_password_is_an_error_not_a_prompt(clone: Clone) -> None:
    class Locked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Locked) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(GitError) as refused:
                clone.open().fetch(f"http://127.0.0.1:{server.server_port}/r.git", "main")
        finally:
            server.shutdown()
            thread.join()
    assert "credentials" in refused.value.remedy


def test_git_is_told_not_to_prompt_and_to_speak_plainly(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("GIT_TRACE", "1")
    told = Git(clone.root).run("-c", "alias.told=!env", "told").text.splitlines()
    assert {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"} <= set(told)
    assert not any(line.startswith("GIT_TRACE") for line in told)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("fatal: unable to write loose object file: No space left on device", "A disk is full"),
        ("remote: fatal: unable to write loose object file: No space left on device", "A disk is full"),
        ("error: cannot lock ref 'x': Unable to create '/r/.git/x.lock': Read-only file system", "must not be written"),
        ("error: cannot update ref 'x': couldn't write '/r/.git/x.lock'", "A disk is full"),
        (
            "error: insufficient permission for adding an object to repository database .git/objects",
            "must not be written",
        ),
        ("fatal: --mirror can't be combined with refspecs", "This clone is a mirror"),
    ],
)
def test_what_is_wrong_with_the_place_has_its_remedy(said: str, remedy: str) -> None:
    error = failure(("-c", "core.sparseCheckout=false", "add"), Result(128, b"", said), "Make the file readable.")
    assert error.what == f"git add failed: {said}"
    assert remedy in error.remedy


@pytest.mark.parametrize(
    "said",
    [
        "remote: error: GH013: Repository rule violations found for refs/heads/main.",
        "[remote rejected] (TF402455: Pushes to this branch are not permitted; you must use a pull request)",
        "remote: GitLab: You are not allowed to push code to protected branches on this project.",
        "[remote rejected] (prohibited by Gerrit: not permitted: update)",
    ],
)
def test_a_push_that_a_forges_rules_refuse_is_told_from_one_that_failed(said: str) -> None:
    assert isinstance(failure(("push",), Result(1, b"", said)), PushRefusedError)
    assert not isinstance(failure(("push",), Result(1, b"", "fatal: the remote end hung up")), PushRefusedError)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(403, "with the right to do this"), (404, "To credentials without access"), (502, "again later")],
)
def test_what_a_server_answers_is_not_taken_for_a_network_that_is_down(clone: Clone, status: int, remedy: str) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        clone.git("remote", "set-url", "origin", f"http://127.0.0.1:{server.server_port}/contoso/identity.git")
        with pytest.raises(GitError) as refused:
            clone.open().peek("origin", "refs/heads/main")
        server.shutdown()
    assert remedy in refused.value.remedy


def test_what_git_pads_a_remotes_words_with_is_not_shown() -> None:
    error = failure(("push",), Result(1, b"", "remote: error: GH006: Protected branch update failed.        \nno"))
    assert error.what == "git push failed: remote: error: GH006: Protected branch update failed.\nno"
