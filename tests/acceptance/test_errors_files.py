"""Files that somebody, or something, has spoilt: refused with the place and the remedy, and left as they are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.state.paths import PUT_BACK
from tests.support.operations import git

from .case import Case

pytestmark = pytest.mark.samba
SETTINGS, POLICY, MANIFEST, PLAN = "reconcile.yaml", "policies/guests.yaml", "state/manifest.yaml", "state/plan.json"
GUESTS, ACCOUNTS = "state/guests", "state/accounts"
JUNK = bytes(range(256))


@dataclass(frozen=True)
class Spoilt:
    """What happens to a file (`state/guests`: to its first shard), and what the message says."""

    path: str
    spoil: Callable[[bytes], bytes]
    says: str

    def apply(self, case: Case) -> str:
        path = case.shard(self.path.rpartition("/")[2]) if self.path in (GUESTS, ACCOUNTS) else self.path
        before = case.read(path)
        after = self.spoil(before)
        assert after != before, f"nothing spoilt in {path}"
        case.write(path, after)
        return path


def instead(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old.encode(), new.encode(), 1)


def conflicted(data: bytes) -> bytes:
    return b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>> reconcile/plan\n"


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def first_lines(count: int) -> Callable[[bytes], bytes]:
    return lambda data: b"".join(data.splitlines(keepends=True)[:count])


CASES = {
    "settings, a typo": Spoilt(SETTINGS, instead("tenant:", "tennant:"), ":4:3: `entra.tennant` is not known here"),
    "settings, a tab": Spoilt(SETTINGS, instead("  tenant", "\ttenant"), ":4:1: not YAML"),
    "settings, a key twice": Spoilt(SETTINGS, lambda d: d + b"plan: {}\n", ":18:1: `plan` stands here twice"),
    "settings, junk": Spoilt(SETTINGS, lambda _: JUNK, "not UTF-8"),
    "settings, empty": Spoilt(SETTINGS, lambda _: b"", ":1:1: the file must be a mapping, not empty"),
    "settings, half": Spoilt(SETTINGS, lambda d: d[:120], "the file lacks `directory`"),
    "settings, a conflict": Spoilt(SETTINGS, conflicted, ":1:1: a merge conflict that nobody resolved"),
    "settings, a wrong type": Spoilt(
        SETTINGS, instead("batch: 5000", "batch: lots"), "must be a whole number, not text"
    ),
    "settings, a secret": Spoilt(SETTINGS, instead("  bind:", "  password: x\n  bind:"), "RECONCILE_LDAP_PASSWORD"),
    "settings, UTF-16": Spoilt(SETTINGS, lambda d: d.decode().encode("utf-16"), ":1:1: not UTF-8"),
    "policy, a typo": Spoilt(POLICY, instead("guest.surname", "guest.sirname"), "did you mean `surname`?"),
    "policy, a key's typo": Spoilt(POLICY, instead("\nflows:", "\nflow:"), "did you mean `flows`?"),
    "policy, a tab": Spoilt(POLICY, instead("  include", "\tinclude"), ": not YAML"),
    "policy, a key twice": Spoilt(
        POLICY, instead("  mail:", "  mail: guest.mail\n  mail:"), "`mail` stands here twice"
    ),
    "policy, junk": Spoilt(POLICY, lambda _: JUNK, "not UTF-8"),
    "policy, empty": Spoilt(POLICY, lambda _: b"", ":1:1: not a policy"),
    "policy, a conflict": Spoilt(POLICY, conflicted, ":1:1: a merge conflict that nobody resolved"),
    "policy, a wrong type": Spoilt(POLICY, instead("{max: 5000}", "{max: many}"), "must be a whole number, not text"),
    "policy, two documents": Spoilt(POLICY, lambda d: d + b"---\n" + d, "a second document: one file holds one"),
    "manifest, a tab": Spoilt(MANIFEST, instead("  tenant", "\ttenant"), ":5: found character that cannot start"),
    "manifest, junk": Spoilt(MANIFEST, lambda _: b"\x89PNG\r\n\x1a\n\0\0", ":1: not UTF-8"),
    "manifest, empty": Spoilt(MANIFEST, lambda _: b"", ":1: the file is empty"),
    "manifest, a conflict": Spoilt(MANIFEST, conflicted, ":1: a merge conflict that nobody resolved"),
    "manifest, a wrong type": Spoilt(MANIFEST, instead("serial: ", "serial: x"), ":2: serial: not a whole number"),
    "manifest, a wrong time": Spoilt(MANIFEST, instead('asOf: "2', 'asOf: "92'), "asOf: not a time like"),
    "manifest, of the future": Spoilt(MANIFEST, instead("version: 1", "version: 2"), "this program reads version 1"),
    "a shard, a tab": Spoilt(GUESTS, instead("    displayName", "\tdisplayName"), "a tab character"),
    "a shard, a guest twice": Spoilt(GUESTS, lambda d: d + d, "occurs twice"),
    "a shard, junk": Spoilt(GUESTS, lambda _: JUNK, "not UTF-8"),
    "a shard, a null byte": Spoilt(GUESTS, lambda d: d + b"\0\n", "unescaped control character U+0000"),
    "a shard, a wrong type": Spoilt(GUESTS, instead("Enabled: true", 'Enabled: "true"'), "neither true nor false"),
    "a shard, a list": Spoilt(GUESTS, lambda _: b"- a\n- b\n", ":1: not a mapping"),
    "a shard, half": Spoilt(GUESTS, half, "no end of line, so the file may be cut short"),
    "a shard, cut at a line's end": Spoilt(GUESTS, first_lines(3), "accountEnabled is missing"),
    "a shard, empty": Spoilt(GUESTS, lambda _: b"", ":1: the file is empty"),
    "a shard, a conflict": Spoilt(GUESTS, conflicted, ":1: a merge conflict that nobody resolved"),
    "an account, a typo": Spoilt(ACCOUNTS, instead("objectGUID:", "objektGUID:"), "objectGUID is missing"),
    "an account, a wrong type": Spoilt(ACCOUNTS, instead(": 262656", ': "262656"'), "userAccountControl is not"),
    "an account, half": Spoilt(ACCOUNTS, half, "no end of line, so the file may be cut short"),
}


@pytest.mark.parametrize("spoilt", CASES.values(), ids=CASES)
def test_a_spoilt_file_is_refused_with_its_place(case: Case, spoilt: Spoilt) -> None:
    path = spoilt.apply(case)
    case.refused("plan", says=[path, spoilt.says])


@pytest.mark.parametrize("spoilt", [CASES["a shard, cut at a line's end"], CASES["manifest, a conflict"]])
@pytest.mark.parametrize("command", [("snapshot",), ("propose",), ("validate",)])
def test_no_command_goes_on_with_one(case: Case, spoilt: Spoilt, command: tuple[str, ...]) -> None:
    spoilt.apply(case)
    case.refused(*command, says=[spoilt.says])


def test_apply_refuses_one_that_was_merged(case: Case) -> None:
    CASES["manifest, a conflict"].apply(case)
    case.ops.commit("a bad merge")
    case.refused("apply", "--yes", says=[MANIFEST, "a merge conflict that nobody resolved"])


def test_a_shard_with_windows_line_ends_is_the_same_shard(case: Case) -> None:
    case.ops.reconcile("plan")
    before = case.read(PLAN)
    shard = case.shard("guests")
    case.write(shard, case.read(shard).replace(b"\n", b"\r\n"))
    case.ops.reconcile("plan")
    assert case.read(PLAN) == before


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        (
            "policies/second.yaml",
            None,
            "policies/second.yaml:14:1: a second GuestPolicy: policies/guests.yaml holds one",
        ),
        ("policies/notes.yaml", b"a: b\n", "policies/notes.yaml:1:1: not a policy"),
        ("state/guests/NOTES", b"hello", "state/guests/NOTES: not a file that belongs there"),
        ("state/claims.yaml", b"hello\n", "state/claims.yaml:1: not a mapping"),
    ],
)
def test_a_file_too_many_is_named(case: Case, path: str, content: bytes | None, says: str) -> None:
    case.write(path, case.read(POLICY) if content is None else content)
    case.refused("plan", says=[says])


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (SETTINGS, "has no reconcile.yaml"),
        (POLICY, "policies/: no policy here"),
        (MANIFEST, "state/manifest.yaml is missing, but there are guests or accounts beside it"),
        (GUESTS, "the manifest says 4, and there are 3"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "snapshot"])
def test_a_file_too_few_is_named(case: Case, path: str, says: str, command: str) -> None:
    (case.directory / (case.shard("guests") if path == GUESTS else path)).unlink()
    case.refused(command, says=[says])


def test_files_that_an_import_has_added_are_taken_away_by_what_the_message_says(case: Case) -> None:
    shard = case.shard("guests")
    record = case.read(shard)
    new = next(i for i in range(4096) if not (case.directory / f"state/guests/{i >> 4:02x}/{i:03x}.yaml").exists())
    path = f"state/guests/{new >> 4:02x}/{new:03x}.yaml"
    case.write(path, record.replace(record[1:4], f"{new:03x}".encode(), 1))
    git(case.directory, "restore", "--source", "HEAD", "--", "state")  # does not touch what no commit has
    case.refused("plan", says=["the manifest says 4, and there are 5", PUT_BACK])
    subprocess.run(["sh", "-c", PUT_BACK.strip("`")], cwd=case.directory, check=True)
    case.ops.reconcile("plan")


def test_state_is_not_read_through_a_link(case: Case) -> None:
    shard = case.directory / case.shard("guests")
    shard.unlink()
    shard.symlink_to("/etc/passwd")
    case.refused("plan", says=[case.shard("guests"), "is a symbolic link"])


PLANS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another major format": (instead('"format_version": "1.0"', '"format_version": "2.0"'), "has format 2.0"),
    "half": (half, "is damaged: not JSON at line"),
    "junk": (lambda _: JUNK, "is damaged: not JSON"),
    "empty": (lambda _: b"", "is damaged: not JSON at line 1"),
    "a list": (lambda _: b"[]", "is damaged: no plan"),
    "no format": (lambda _: b"{}", "is damaged: it names no format_version"),
    "no digest": (instead('"digest": "', '"digest": "\x1b'), "is damaged: not JSON"),
    "a bottomless one": (lambda _: b"[" * 100_000, "is damaged: not JSON"),
    "a digest that is none": (
        lambda d: json.dumps({**json.loads(d), "digest": "::error::"}).encode(),
        "names no digest",
    ),
    "another value": (instead("Changed in Entra", "Changed by hand"), "is not what `reconcile plan` writes"),
    "another digest": (
        lambda d: json.dumps({**json.loads(d), "digest": "0" * 64}).encode(),
        "is not what its tree yields",
    ),
    "a conflict": (conflicted, "is damaged: not JSON at line 1"),
}


@pytest.mark.parametrize(("spoil", "says"), PLANS.values(), ids=PLANS)
def test_a_spoilt_plan_is_not_applied(case: Case, spoil: Callable[[bytes], bytes], says: str) -> None:
    case.write(PLAN, spoil(case.read(PLAN)))
    case.ops.commit("a plan by hand")
    case.refused("apply", "--yes", says=[says, "reconcile"], code=4)


def test_words_that_were_edited_are_not_applied(case: Case) -> None:
    case.replace("state/plan.md", "Changed in Entra", "Nothing to see here")
    case.ops.commit("a plan by hand")
    case.refused("apply", "--yes", says=["state/plan.md is not what `reconcile plan` writes"], code=4)
