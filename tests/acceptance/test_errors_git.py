"""The repository is not as it should be: each command says what is missing, or does its work all the same."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from tests.support.operations import Operations, git

from .case import Case

pytestmark = pytest.mark.samba
APPLY = ("apply", "--yes")
ON_THE_REMOTE = pytest.mark.parametrize("command", [("propose",), APPLY, ("unlock",)], ids=lambda c: c[0])
PROPOSING_AND_APPLYING = pytest.mark.parametrize("command", [("propose",), APPLY], ids=lambda c: c[0])


@pytest.fixture
def drifted(case: Case) -> Case:
    """Give a copy whose work tree holds one more import, with something to propose."""
    case.tenant.update(case.tenant.guests()[1].id, displayName=f"Changed at {datetime.now(UTC)}")
    case.ops.reconcile("snapshot")
    return case


@pytest.mark.parametrize("command", [("snapshot",), ("plan",), APPLY], ids=lambda c: c[0])
def test_a_directory_that_is_no_repository(case: Case, command: tuple[str, ...]) -> None:
    shutil.rmtree(case.directory / ".git")
    case.refused(*command, says=[f"{case.directory} is not a git repository", "git init", "-C DIR"])


@ON_THE_REMOTE
def test_a_repository_without_its_remote(case: Case, command: tuple[str, ...]) -> None:
    git(case.directory, "remote", "remove", "origin")
    case.refused(*command, says=["'origin' does not appear to be a git repository", "`forge.remote` in reconcile.yaml"])


@PROPOSING_AND_APPLYING
def test_a_remote_that_is_gone(case: Case, command: tuple[str, ...]) -> None:
    shutil.rmtree(case.ops.remote)
    case.refused(*command, says=[str(case.ops.remote), "git remote -v"])


@PROPOSING_AND_APPLYING
def test_a_remote_that_cannot_be_reached_and_whose_password_stays_unsaid(case: Case, command: tuple[str, ...]) -> None:
    git(case.directory, "remote", "set-url", "origin", "https://robot:hunter2@localhost:1/identity.git")
    message = case.refused(*command, says=["localhost:1", "cannot be reached from here: check the network"])
    assert "hunter2" not in message


@PROPOSING_AND_APPLYING
def test_a_protected_branch_that_is_missing(case: Case, command: tuple[str, ...]) -> None:
    git(case.ops.remote, "branch", "-m", "main", "trunk")
    case.refused(*command, says=["the remote origin has no branch main", "forge.branch"])


def test_nothing_to_unlock(case: Case) -> None:
    assert case.ops.reconcile("unlock").out == "Nobody holds the lock on origin: nothing needs to be done.\n"
    assert case.ops.reconcile("unlock", "--json").json == {"broken": False, "owner": None, "digest": None, "run": None}


def test_a_git_folder_that_cannot_be_written(case: Case) -> None:
    shutil.rmtree(case.directory / ".git/reconcile")
    (case.directory / ".git/reconcile").write_text("in the way")
    case.refused(
        "validate", says=[str(case.directory / ".git/reconcile"), "cannot be written", "Check the permissions"]
    )
    case.ops.reconcile("plan")  # which writes nothing there


DAMAGED = {"bottomless": b"[" * 100_000, "no expiry": None, "no plan": b'{"conflicts": 5}'}


@pytest.mark.parametrize("plan", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_plan_on_its_branch_is_replaced(drifted: Case, plan: bytes | None) -> None:
    drifted.ops.reconcile("propose")
    whole = json.loads(git(drifted.ops.remote, "show", "reconcile/plan:state/plan.json"))
    damaged = json.dumps({**whole, "expires": "soon"}).encode() if plan is None else plan
    git(drifted.directory, "fetch", "-q", "origin")
    git(drifted.directory, "checkout", "-q", "-f", "origin/reconcile/plan")
    drifted.write("state/plan.json", damaged)
    git(drifted.directory, "commit", "-qam", "by hand")
    git(drifted.directory, "push", "-q", "origin", "HEAD:reconcile/plan")
    git(drifted.directory, "checkout", "-q", "-f", "main")
    drifted.ops.reconcile("snapshot")
    assert "The plan is on reconcile/plan" in drifted.ops.reconcile("propose").out
    proposed = json.loads(git(drifted.ops.remote, "show", "reconcile/plan:state/plan.json"))
    assert proposed["changes_digest"] == whole["changes_digest"]


# --- where the branch stands


def elsewhere(case: Case, root: Path) -> Case:
    """Return a colleague's clone of the same remote."""
    git(root, "clone", "-q", str(case.ops.remote), str(root / "identity"))
    ops = Operations(root, case.tenant, case.ops.env, case.ops.settings)
    return Case(ops, case.samba, case.ou)


def test_a_policy_that_moved_on_the_branch_is_pulled_first(drifted: Case, tmp_path: Path) -> None:
    colleague = elsewhere(drifted, tmp_path)
    colleague.replace("policies/guests.yaml", "max: 5000", "max: 4000")
    colleague.ops.commit("a smaller guard")
    drifted.refused("propose", says=["policies here and on origin/main differ", "git pull"])


def test_an_import_that_is_older_than_the_branch_s_is_not_proposed(drifted: Case, tmp_path: Path) -> None:
    colleague = elsewhere(drifted, tmp_path)
    for _ in range(2):
        colleague.ops.reconcile("snapshot")
    colleague.ops.reconcile("plan")
    colleague.ops.commit("imported meanwhile")
    drifted.refused("propose", says=["holds import", "already", "Pull, run `reconcile snapshot`"])


def serial_on(case: Case, branch: str) -> int:
    manifest = git(case.ops.remote, "show", f"{branch}:state/manifest.yaml")
    return int(next(line for line in manifest.splitlines() if line.startswith("serial: ")).split()[1])


def proposed(case: Case) -> str:
    """Propose, also what a guard refuses: the tenant is everybody's, and may have changed more than it lets past."""
    return case.ops.reconcile("propose", expect=None).out


def test_a_state_that_is_made_anew_is_proposed(drifted: Case) -> None:
    serial = serial_on(drifted, "main")
    shutil.rmtree(drifted.directory / "state")
    drifted.ops.reconcile("snapshot")
    assert "The plan is on reconcile/plan" in proposed(drifted)
    assert serial_on(drifted, "reconcile/plan") == serial + 1


def test_an_older_state_is_gone_on_from(drifted: Case) -> None:
    older, serial = git(drifted.directory, "rev-parse", "HEAD").strip(), serial_on(drifted, "main")
    drifted.ops.reconcile("plan", expect=None)
    drifted.ops.commit("an import that nobody wants")
    git(drifted.directory, "restore", "--source", older, "--", "state")
    drifted.tenant.update(drifted.tenant.guests()[2].id, displayName=f"Changed at {datetime.now(UTC)}")
    drifted.ops.reconcile("snapshot")
    assert "The plan is on reconcile/plan" in proposed(drifted)
    assert serial_on(drifted, "reconcile/plan") == serial + 2


@pytest.mark.parametrize(
    "manifest", ["<<<<<<< HEAD\nversion: 1\n", "version: 2\n"], ids=["a conflict", "a newer release"]
)
def test_a_state_on_the_branch_that_cannot_be_read_is_replaced(drifted: Case, manifest: str) -> None:
    whole = git(drifted.directory, "rev-parse", "HEAD").strip()
    drifted.write("state/manifest.yaml", manifest)
    drifted.ops.commit("merged by mistake")
    git(drifted.directory, "restore", "--source", whole, "--", "state")
    drifted.ops.reconcile("snapshot")
    assert "The plan is on reconcile/plan" in proposed(drifted)


def test_a_commit_that_has_nothing_to_do_with_the_plan_does_not_spend_it(case: Case, tmp_path: Path) -> None:
    colleague = elsewhere(case, tmp_path)
    colleague.write("README.md", "Who to call.\n")
    colleague.ops.commit("a readme")
    case.refused(*APPLY, "--digest", "0" * 64, says=["origin/main holds plan", "name its digest"], code=4)
    assert set(case.ops.reconcile(*APPLY, "--json").json["counts"]) <= {"done", "already"}


def test_what_is_only_committed_here_is_not_applied(case: Case) -> None:
    case.replace("policies/guests.yaml", "displayName: guest.displayName", "displayName: '\"Mallory\"'")
    git(case.directory, "commit", "-qam", "never pushed")
    assert set(case.ops.reconcile(*APPLY, "--json").json["counts"]) <= {"done", "already"}
    names = {entry["displayName"] for entry in case.footprint()["directory"].values()}  # type: ignore[attr-defined]
    assert "Mallory" not in names


def test_a_branch_without_a_plan(case: Case) -> None:
    (case.directory / "state/plan.json").unlink()
    case.ops.commit("no plan")
    case.refused(*APPLY, says=["origin/main holds no plan", "reconcile propose"], code=4)


@pytest.mark.parametrize("depth", ["shallow", "whole", "bare"])
def test_a_fresh_clone_does_all_there_is_to_do(drifted: Case, tmp_path: Path, depth: str) -> None:
    """As a CI job has it: `fetch-depth: 1`, detached, with the last plan's branch merged and still there."""
    url = drifted.ops.remote.as_uri()
    options = {"shallow": ["--depth", "1"], "whole": [], "bare": ["--bare"]}[depth]
    git(tmp_path, "clone", "-q", *options, url, str(tmp_path / "identity"))
    clone = Case(Operations(tmp_path, drifted.tenant, drifted.ops.env, drifted.ops.settings), drifted.samba, drifted.ou)
    assert set(clone.ops.reconcile(*APPLY, "--json").json["counts"]) <= {"done", "already"}
    if depth == "bare":
        clone.refused("plan", says=["is a bare repository", "a clone that has its files checked out"])
        return
    git(clone.directory, "checkout", "-q", "--detach")
    clone.ops.reconcile("snapshot")
    assert "The plan is on reconcile/plan" in clone.ops.reconcile("propose").out
    assert git(clone.directory, "status", "--porcelain") == ""
    drifted.ops.reconcile("snapshot")  # what the clone applied is news here
    assert "already proposes exactly these changes" in drifted.ops.reconcile("propose").out


# --- apply


def test_an_expired_plan(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    expires = datetime.fromisoformat(json.loads(case.read("state/plan.json"))["expires"])
    before = case.footprint()
    later = Ports(clock=lambda: expires + timedelta(seconds=1))
    code = main(["-C", str(case.directory), *APPLY], ports=later, env=case.ops.env)
    assert code == 4
    assert case.footprint() == before
    said = capsys.readouterr().err
    assert f"expired at {expires:%Y-%m-%dT%H:%M:%SZ}" in said
    assert "for a fresh one" in said


def test_a_plan_from_the_future(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    as_of = json.loads(case.read("state/plan.json"))["as_of"]
    before = case.footprint()
    earlier = Ports(clock=lambda: datetime.fromisoformat(as_of) - timedelta(minutes=11))
    assert main(["-C", str(case.directory), *APPLY], ports=earlier, env=case.ops.env) == 4
    assert case.footprint() == before
    said = capsys.readouterr().err
    assert f"is as of {as_of}, which is yet to come" in said
    assert "Correct the clock" in said


def unwritable(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "journal.jsonl"


def of_the_future(folder: Path) -> Path:
    (folder / "journal.jsonl").write_text('{"v": 99}\n')
    return folder / "journal.jsonl"


def of_something_else(folder: Path) -> Path:
    (folder / "notes.txt").write_text("Do not lose this.\n")
    return folder / "notes.txt"


def of_another_shape(folder: Path) -> Path:
    (folder / "journal.jsonl").write_text('{"v": 1, "kind": "outcome", "change": "dance:x"}\n')
    return folder / "journal.jsonl"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (lambda folder: folder, "Is a directory"),
        (unwritable, "cannot open the journal"),
        (lambda _folder: Path("/dev/full"), "No space left on device"),
        (of_the_future, "journal format 99 is not known"),
        (of_something_else, "notes.txt:1: not a line of a journal"),
        (of_another_shape, "journal.jsonl:1: not a line of a journal"),
    ],
    ids=["a folder", "below a file", "a full disk", "of the future", "something else", "another shape"],
)
def test_without_a_journal_nothing_is_done(case: Case, tmp_path: Path, place: object, says: str) -> None:
    assert callable(place)
    case.refused(*APPLY, "--journal", str(place(tmp_path)), says=[says, "ournal"])


def test_a_receipt_that_says_nothing_is_not_counted_as_nothing(case: Case) -> None:
    git(case.directory, "notes", "--ref", "reconcile", "add", "-m", '{"0": {}}', "HEAD")
    git(case.directory, "push", "-q", "-f", "origin", "refs/notes/reconcile")
    case.refused(*APPLY, says=["refs/notes/reconcile", "guards cannot be counted", "git log -p"])
