"""A user's properties as Graph writes them, and as they arrive."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import GraphError
from reconciler.graph.attributes import CATALOGUE, EXTENSIONS, NEVER_NULL, REQUIRED
from reconciler.graph.users import Selection, entity
from reconciler.model.values import Value

A = "aaaaaaaa-0000-4000-8000-00000000000a"
ALL = Selection.of(CATALOGUE)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=6,
)


def read(**raw: object) -> dict[str, Value | None]:
    return ALL.read(A, raw)


class TestTheCatalogue:
    def test_holds_what_is_always_imported(self) -> None:
        assert set(REQUIRED) <= CATALOGUE.keys()
        assert CATALOGUE.keys() >= NEVER_NULL

    def test_offers_the_fifteen_extension_attributes_by_their_own_names(self) -> None:
        assert [CATALOGUE[f"extensionAttribute{n}"] for n in range(1, 16)] == ["string"] * 15
        assert "onPremisesExtensionAttributes" not in CATALOGUE


class TestASelection:
    def test_is_sorted_and_asks_for_the_id(self) -> None:
        assert Selection.of(("surname", "mail", "surname")).select == "id,mail,surname"

    def test_takes_nothing_that_was_not_asked_for(self) -> None:
        raw = {"id": A, "mail": "a@b", "displayName": "Alice", "@odata.type": "#microsoft.graph.user"}
        assert Selection.of(("mail", "id")).read(A, raw) == {"mail": "a@b"}


class TestAValue:
    def test_of_text_stays_as_it_is_to_the_last_control_character(self) -> None:
        assert read(displayName=" \x00\x1b[2J\u202eInês\r\n@all ") == {"displayName": " \x00\x1b[2J\u202eInês\r\n@all "}

    @pytest.mark.parametrize("empty", [None, ""])
    def test_that_is_empty_is_null(self, empty: str | None) -> None:
        assert read(displayName=empty) == {"displayName": None}

    @pytest.mark.parametrize("empty", [None, [], [""]])
    def test_list_that_is_empty_is_null(self, empty: object) -> None:
        assert read(otherMails=empty) == {"otherMails": None}

    def test_list_is_sorted_without_repeats(self) -> None:
        assert read(otherMails=["b", "a", "", "b"]) == {"otherMails": ("a", "b")}

    def test_that_was_not_said_stays_unsaid(self) -> None:
        assert read() == {}

    def test_with_lone_surrogates_gets_replacement_characters(self) -> None:
        raw = json.loads('{"displayName": "a\\ud800b\\ud83d\\ude00", "otherMails": ["\\udfff"]}')
        assert read(**raw) == {"displayName": "a\ufffdb😀", "otherMails": ("\ufffd",)}

    @pytest.mark.parametrize(
        ("raw", "named"),
        [
            ({"displayName": 7}, "displayName"),
            ({"displayName": True}, "displayName"),
            ({"displayName": ["x"]}, "displayName"),
            ({"displayName": {}}, "displayName"),
            ({"accountEnabled": "true"}, "accountEnabled"),
            ({"accountEnabled": 1}, "accountEnabled"),
            ({"otherMails": "a@b"}, "otherMails"),
            ({"otherMails": [7]}, "otherMails"),
            ({"otherMails": {"a": 1}}, "otherMails"),
            ({"onPremisesExtensionAttributes": "x"}, "onPremisesExtensionAttributes"),
            ({"onPremisesExtensionAttributes": {"extensionAttribute1": 7}}, "extensionAttribute1"),
        ],
    )
    def test_of_another_type_is_refused_by_name(self, raw: dict[str, object], named: str) -> None:
        with pytest.raises(GraphError, match=f"Property {named} of user {A} is not"):
            read(**raw)

    @given(st.dictionaries(st.sampled_from([*CATALOGUE, "onPremisesExtensionAttributes"]), JSON))
    def test_is_what_the_catalogue_says_or_an_error(self, raw: dict[str, object]) -> None:
        try:
            found = read(**raw)
        except GraphError:
            return
        kinds = {"string": str, "boolean": bool, "list": tuple}
        for name, value in found.items():
            assert value is None or (type(value) is kinds[CATALOGUE[name]] and value not in ("", ()))
            assert json.dumps(value, ensure_ascii=False).encode()


class TestExtensionAttributes:
    def test_are_flattened(self) -> None:
        raw = {"extensionAttribute1": "one", "extensionAttribute2": None, "other": 7}
        assert read(onPremisesExtensionAttributes=raw) == {"extensionAttribute1": "one", "extensionAttribute2": None}

    def test_are_all_null_when_their_parent_is(self) -> None:
        assert read(onPremisesExtensionAttributes=None) == dict.fromkeys(EXTENSIONS)


@given(JSON)
def test_an_entry_has_a_guid_or_is_refused(item: object) -> None:
    with pytest.raises(GraphError):
        entity({"id": item})
    with pytest.raises(GraphError):
        entity(item)


def test_an_id_is_in_lower_case() -> None:
    assert entity({"id": A.upper()})[0] == A
