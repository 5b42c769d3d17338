"""Whatever happens between two plans, and whatever becomes of the cache, the plan is the one that a cold run makes."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from reconciler.cli.context import Context, Ports
from reconciler.cli.loading import planned, planning_trees
from reconciler.cli.remembering import remembering, working_tree
from reconciler.errors import StateError
from reconciler.git.repository import Repository
from reconciler.incremental import aligning
from reconciler.planning.encode import encode
from reconciler.planning.plan import make_plan
from reconciler.state.canonical import dump
from reconciler.state.claims import claims_document
from reconciler.state.manifest import dump_manifest
from reconciler.state.model import State
from reconciler.state.store import count_guests, load_state
from tests.planning.builder import DEFAULT, account, guest
from tests.planning.builder import state as state_of

from .worlds import HOLDS, files, in_order, worlds

SETTINGS = """apiVersion: reconcile/v1
kind: Settings
entra: {tenant: contoso.test, client_id: 00000000-0000-0000-0000-000000000000, credential: secret}
directory:
  controllers: ["ldaps://dc1.contoso.test"]
  base: DC=contoso,DC=test
  ous: ["OU=Guests,DC=contoso,DC=test"]
forge: {kind: git}
plan: {lifetime: 24h, batch: 5000}
"""
POLICIES = {
    "default": DEFAULT,
    "held": DEFAULT + HOLDS,
    "no moves": DEFAULT.replace(', move: "OU=Departed,OU=Guests,DC=contoso,DC=test", delete_after: 30d', ""),
    "one flow less": DEFAULT.replace("  givenName: guest.givenName\n", ""),
    "guarded": DEFAULT.replace("create: {max: 5000}", "create: {max: 1}"),
}


class Place:
    """An operations directory with a cache of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root / "operations"
        self.cache = root / "cache"
        self.root.mkdir()
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.env = {"XDG_CACHE_HOME": str(self.cache), "HOME": str(root)}

    @property
    def context(self) -> Context:
        return Context(self.root, self.env, Ports())

    @property
    def database(self) -> Path:
        return next(self.cache.rglob("cache.db"))

    def write(
        self, made: State, policy: str, settings: str = SETTINGS, edit: Callable[[bytes], bytes] | None = None
    ) -> None:
        shutil.rmtree(self.root / "state", ignore_errors=True)
        assert made.manifest.graph is not None
        live, tombstones = count_guests(made.guests)
        manifest = replace(made.manifest, graph=replace(made.manifest.graph, guests=live, tombstones=tombstones))
        found = {path: (edit(data) if edit else data) for path, data in files(made).items()}
        found["state/manifest.yaml"] = dump_manifest(manifest)
        if made.claims:
            found["state/claims.yaml"] = dump(claims_document(made.claims))
        found["policies/guests.yaml"] = policy.encode()
        found["reconcile.yaml"] = settings.encode()
        for path, data in found.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(data)

    def plan(self) -> bytes:
        """The plan by the way of `reconcile plan`."""
        with remembering(self.context) as cache:
            return planned(self.context, working_tree(Repository.open(self.root), cache), cache).encoded.text

    def reference(self) -> bytes:
        """The plan of the whole state, with nothing remembered."""
        tree = Repository.open(self.root).work_tree()
        made = planned(self.context, tree)
        return encode(make_plan(load_state(tree), made.policy, made.settings, planning_trees(tree))).text


@contextmanager
def a_place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(Path(folder))


def poison(place: Place, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(place.database)) as db:
        db.execute(statement, values)
        db.commit()


def _exchanged(table: str) -> str:
    other = f"SELECT data FROM {table} AS other WHERE other.key <> {table}.key"  # noqa: S608  the table is one of ours
    return f"UPDATE {table} SET data = coalesce(({other}), data)"  # noqa: S608  the table is one of ours


SABOTAGE: dict[str, Callable[[Place], object]] = {
    "deleted": lambda p: shutil.rmtree(p.cache),
    "emptied": lambda p: p.database.write_bytes(b""),
    "cut short": lambda p: os.truncate(p.database, p.database.stat().st_size // 2),
    "garbage": lambda p: p.database.write_bytes(b"garbage" * 10_000),
    "garbage within": lambda p: _scratched(p.database),
    "another version": lambda p: poison(p, "PRAGMA user_version=99"),
    "a forged row": lambda p: poison(p, "UPDATE shards SET data = zeroblob(length(data))"),
    "rows exchanged": lambda p: poison(p, _exchanged("shards")),
    "a forged alignment": lambda p: poison(p, "UPDATE aligned SET data = zeroblob(length(data))"),
    "an alignment of nothing": lambda p: poison(p, "DELETE FROM aligned"),
    "a forged index": lambda p: poison(p, "UPDATE buckets SET data = zeroblob(length(data))"),
    "an index of nothing": lambda p: poison(p, "UPDATE buckets SET data = x''"),
    "an index exchanged": lambda p: poison(p, _exchanged("buckets")),
    "no index": lambda p: poison(p, "DELETE FROM buckets"),
    "text for an index": lambda p: poison(p, "UPDATE buckets SET data = 'index'"),
    "text for bytes": lambda p: poison(p, "UPDATE plans SET data = 'plan'"),
    "a forged plan": lambda p: poison(p, "UPDATE plans SET data = CAST('{}' AS BLOB)"),
    "another key": lambda p: poison(p, "UPDATE secret SET key = ?", os.urandom(16)),
    "no key": lambda p: poison(p, "UPDATE secret SET key = 'x'"),
    "forged files": lambda p: poison(p, "UPDATE files SET data = CAST('[]' AS BLOB)"),
    "a damaged name": lambda p: _misnamed(p.database),
    "a table gone": lambda p: poison(p, "DROP TABLE shards"),
    "a folder in the way": lambda p: _blocked(p.database),
    "its folder gone": lambda p: shutil.rmtree(p.database.parent),
}  # fmt: skip


def _blocked(file: Path) -> None:
    if not file.is_dir():
        file.unlink()
        file.mkdir()


def _misnamed(database: Path) -> None:
    """Damage a table's name and definition: SQLite's own words about it are then no UTF-8."""
    damaged = (
        database.read_bytes()
        .replace(b"tableshards", b"table\xbehards")
        .replace(b"CREATE TABLE shards", b"CREATE TABLE (hards")
    )
    assert damaged != database.read_bytes()
    database.write_bytes(damaged)


def _scratched(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for place in range(200, len(data), 997):
        data[place] ^= 0x5A
    file.write_bytes(data)


@profile(deadline=None, max_examples=25)
@given(st.data())
def test_over_any_history_the_warm_plan_is_the_cold_one(data: st.DataObject) -> None:
    from .worlds import POLICIES as LOADED

    with a_place() as place:
        for _ in range(data.draw(st.integers(1, 5), label="steps")):
            made = data.draw(worlds(LOADED["default"]))
            policy = POLICIES[data.draw(st.sampled_from([*POLICIES, "default"]), label="policy")]
            batch = data.draw(st.sampled_from([5000, 5000, 1]), label="batch")
            edits: list[Callable[[bytes], bytes] | None] = [None, None, None, lambda text: b"# by hand\n" + text]
            edit = data.draw(st.sampled_from(edits), label="edit")
            place.write(made, policy, SETTINGS.replace("batch: 5000", f"batch: {batch}"), edit)
            expected = place.reference()
            assert place.plan() == expected
            if data.draw(st.integers(0, 3)) == 0:
                if place.database.is_dir():
                    place.database.rmdir()
                    place.plan()
                SABOTAGE[data.draw(st.sampled_from(list(SABOTAGE)), label="sabotage")](place)
            assert place.plan() == expected


@pytest.mark.parametrize("name", SABOTAGE)
def test_whatever_becomes_of_the_cache_costs_time_alone(name: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n) for n in range(6)]
    held = [account(g, 1100 + i) for i, g in enumerate(people[:5])]
    place.write(in_order(state_of([*people[:4], guest(4, displayName="New"), people[5]], held)), DEFAULT)
    expected = place.reference()
    assert place.plan() == expected
    SABOTAGE[name](place)
    assert place.plan() == expected
    place.write(in_order(state_of([*people[:3], guest(3, displayName="New"), *people[4:]], held)), DEFAULT)
    SABOTAGE[name](place)
    assert place.plan() == place.reference()


def test_day_after_day_a_plan_looks_at_what_changed_and_is_the_cold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, dice = Place(tmp_path), random.Random(1)
    people = {n: guest(n << 20) for n in range(30)}  # in thirty shards
    held = {n: account(g, 1100 + n) for n, g in people.items()}
    place.write(in_order(state_of([*people.values()], [*held.values()])), DEFAULT)
    place.plan()

    def never(*_: object) -> NoReturn:
        raise AssertionError("everything was compared")

    for day in range(1, 9):
        for n in dice.sample(sorted(people), 3):
            people[n] = guest(n << 20, displayName=dice.choice([f"Guest {n << 20}", f"New {day}", "Same"]))
        held.pop(dice.choice(sorted(held)))
        number = dice.choice(sorted(held))
        held[number] = replace(held[number], guest=dice.choice([people[number].id, None]))
        people[100 + day] = guest(100 + day, userPrincipalName=dice.choice(["taken@x", f"{day}@x"]))
        if day % 3 == 0:
            del people[dice.choice(sorted(people))]
        place.write(
            in_order(state_of([*people.values()], [*held.values()], (), f"2026-03-{day:02}T06:00:00Z")), DEFAULT
        )
        with monkeypatch.context() as only_now:
            only_now.setattr(aligning, "afresh", never)
            found = place.plan()
        assert found == place.reference()


@pytest.mark.parametrize("table", ["buckets", "aligned"])
def test_a_part_of_the_cache_from_the_day_before_is_noticed(table: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n) for n in range(4)]
    held = [account(g, 1100 + n) for n, g in enumerate(people)]
    place.write(in_order(state_of(people, held)), DEFAULT)
    place.plan()
    with closing(sqlite3.connect(place.database)) as db:
        before = db.execute(f"SELECT key, data FROM {table}").fetchall()  # noqa: S608  the table is one of ours
    people.append(guest(9))
    held.append(account(guest(9), 1109))
    place.write(in_order(state_of(people, held)), DEFAULT)
    place.plan()
    with closing(sqlite3.connect(place.database)) as db:
        db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", before)  # noqa: S608
        db.commit()
    people[3] = guest(3, userPrincipalName=held[-1].attributes["userPrincipalName"])
    place.write(in_order(state_of(people, held)), DEFAULT)
    assert place.plan() == place.reference()


def test_guests_whose_shards_were_exchanged_are_told_as_without_a_cache(tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n << 20) for n in range(4)]
    place.write(in_order(state_of(people, [account(g, 1100 + i) for i, g in enumerate(people)])), DEFAULT)
    place.plan()
    one, other, *_ = sorted((place.root / "state/guests").rglob("*.yaml"))
    first, second = one.read_bytes(), other.read_bytes()
    for some in ((second, first), (first + second, second)):
        for path, data in zip((one, other), some, strict=True):
            path.write_bytes(data)
        with pytest.raises(StateError) as whole:
            load_state(Repository.open(place.root).work_tree())
        with pytest.raises(StateError) as warm:
            place.plan()
        assert str(warm.value) == str(whole.value)


@pytest.mark.parametrize("side", ["guests", "accounts"])
def test_a_shard_in_another_ones_place_is_told_as_without_a_cache(side: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n << 20) for n in range(4)]
    made = in_order(state_of(people, [account(g, 1100 + i) for i, g in enumerate(people)]))
    exchanged: Callable[[Path, Path, Path], object]
    for exchanged in (
        lambda one, other, free: (one.rename(free), other.rename(one), free.rename(other)),
        lambda one, _, free: one.rename(free),
        lambda one, other, _: one.replace(other),
        lambda one, other, _: other.write_bytes(one.read_bytes()),
    ):
        place.write(made, DEFAULT)
        place.plan()
        one, other, *_ = sorted((place.root / "state" / side).rglob("*.yaml"))
        exchanged(one, other, one.with_name(f"{one.parent.name}f.yaml"))
        with pytest.raises(StateError) as whole:
            load_state(Repository.open(place.root).work_tree())
        with pytest.raises(StateError) as warm:
            place.plan()
        assert str(warm.value) == str(whole.value)


def test_a_damaged_state_is_told_as_without_a_cache(tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n) for n in range(4)]
    made = in_order(state_of(people, [account(g, 1100 + i) for i, g in enumerate(people)]))
    place.write(made, DEFAULT)
    place.plan()
    for damage in (
        lambda text: text.replace(b'"Guest 1"', b"Guest: 1"),
        lambda text: text.replace(b"    userPrincipalName:", b"    userPrincipalname:"),
        lambda text: text.replace(b"CN=0000", b"0000"),
        lambda text: text if b"1100" not in text else b'"S-1-5-21-1-2-3-1100":\n  objectGUID: "x"\n',
    ):
        place.write(made, DEFAULT, edit=damage)
        tree = Repository.open(place.root).work_tree()
        with pytest.raises(StateError) as whole:
            load_state(tree)
        with pytest.raises(StateError) as warm:
            place.plan()
        assert str(warm.value) == str(whole.value)


def test_a_lost_shard_is_told_as_without_a_cache(tmp_path: Path) -> None:
    place = Place(tmp_path)
    people = [guest(n) for n in range(4)]
    place.write(in_order(state_of(people, [account(g, 1100 + i) for i, g in enumerate(people)])), DEFAULT)
    place.plan()
    next((place.root / "state/accounts").rglob("*.yaml")).unlink()
    with pytest.raises(StateError, match="the manifest says 4, and there are 3"):
        place.plan()


def test_a_home_that_cannot_be_written_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path)
    place.write(in_order(state_of([guest(1)], [])), DEFAULT)
    place.cache.write_text("in the way")
    assert place.plan() == place.reference()
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert said[0].startswith("Nothing could be remembered for the next plan: ")


def test_two_plans_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(in_order(state_of([guest(n) for n in range(5)], [])), DEFAULT)
    with remembering(place.context) as one, remembering(place.context) as other:
        repository = Repository.open(place.root)
        first = planned(place.context, working_tree(repository, one), one)
        second = planned(place.context, working_tree(repository, other), other)
    assert first.encoded == second.encoded


def test_what_is_remembered_of_directories_that_are_gone_goes_too(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(in_order(state_of([guest(1)], [])), DEFAULT)
    place.plan()
    before = place.database.parent
    moved = place.root.rename(tmp_path / "moved")
    place.root = moved
    place.plan()
    assert not before.exists()
    assert place.database.is_file()
