"""The generated people: many, varied, legal in a directory, and the same for the same seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import pytest

from reconciler.demo.people import LOCALES, Person, generate
from tests.support.costs import cheapest, cpu


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return generate(2000, seed=7)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert generate(50, seed=1) == generate(50, seed=1)
    assert not {p.id for p in generate(50, seed=1)} & {p.id for p in generate(50, seed=2)}


def test_a_larger_count_begins_with_the_smaller_ones_people(people: list[Person]) -> None:
    assert generate(100, seed=7) == people[:100]


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_interpreters_hash_seed_has_no_say(people: list[Person], hash_seed: str) -> None:
    code = "from reconciler.demo.people import generate; print(); print(ascii(generate(60, seed=7)))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    told = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert told.stdout.splitlines()[1] == ascii(people[:60])


def test_ids_and_user_principal_names_are_unique(people: list[Person]) -> None:
    assert len({p.id for p in people}) == len(people)
    assert len({p.user_principal_name.casefold() for p in people}) == len(people)


def test_a_user_principal_name_is_what_entra_makes_of_an_address(people: list[Person]) -> None:
    shape = re.compile(r"[a-z0-9.\-]+_[a-z]+\.com#EXT#@contoso\.onmicrosoft\.com")
    assert all(shape.fullmatch(p.user_principal_name) for p in people)
    assert all(
        p.user_principal_name == p.mail.replace("@", "_") + "#EXT#@contoso.onmicrosoft.com" for p in people if p.mail
    )


def test_every_value_fits_its_attribute(people: list[Person]) -> None:
    for p in people:
        assert 1 <= units(p.display_name) <= 256
        assert all(1 <= units(name) <= 64 for name in (p.given_name, p.surname) if name is not None)
        for value in p.properties.values():
            assert not isinstance(value, str) or not any(unicodedata.category(c) in ("Cc", "Cs") for c in value)


def test_names_come_in_many_scripts_and_from_every_locale(people: list[Person]) -> None:
    letters = {c for p in people for c in p.display_name if c.isalpha()}
    scripts = {unicodedata.name(c).split()[0] for c in letters}
    wanted = "LATIN GREEK CYRILLIC ARABIC HEBREW CJK HANGUL THAI DEVANAGARI GEORGIAN ARMENIAN BENGALI TAMIL"
    assert set(wanted.split()) <= scripts
    assert {p.locale for p in people} == set(LOCALES)
    assert len(LOCALES) >= 30


def test_the_awkward_cases_are_there(people: list[Person]) -> None:
    assert max(Counter(p.display_name for p in people).values()) > 1
    assert any(units(p.display_name) == 1 for p in people)
    assert any(units(p.display_name) > 200 for p in people)
    assert any(p.mail is None for p in people)
    assert any(p.given_name is None for p in people)
    assert any(p.surname is None for p in people)
    assert 0.2 < sum("_fabrikam.com#" in p.user_principal_name for p in people) / len(people) < 0.4


def test_nobody_is_blocked_unless_asked_for(people: list[Person]) -> None:
    assert all(p.account_enabled for p in people)
    some = generate(500, seed=7, blocked=0.1)
    assert 0.05 < sum(not p.account_enabled for p in some) / len(some) < 0.15


def test_a_thousand_people_take_less_than_two_seconds() -> None:
    assert cheapest(lambda: cpu(lambda: generate(1000, seed=3)), 2) < 2
