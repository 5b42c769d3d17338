"""A shard that is written directly is the shard that the general way writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.model.guest import Guest
from reconciler.state.canonical import dump
from reconciler.state.guest_text import guests_text
from reconciler.state.records import guests_document

from .records import ALICE, BOB, LAW, a_guest, guests

ANY = st.text(st.characters(exclude_categories=["Cs"]))
USUAL = st.dictionaries(
    st.sampled_from(["userPrincipalName", "userType", "accountEnabled", "mail", "otherMails", "y", "no", "ä"]),
    st.booleans() | ANY | st.lists(ANY).map(tuple),
)


@LAW
@given(st.lists(guests() | st.builds(Guest, st.uuids(version=4).map(str), USUAL), unique_by=lambda g: g.id))
def test_whatever_the_guests_the_bytes_are_the_same(shard: list[Guest]) -> None:
    assert guests_text(shard) == dump(guests_document(shard))


def test_half_a_surrogate_pair_is_refused_as_ever() -> None:
    with pytest.raises(StateError, match="half a surrogate pair"):
        guests_text([a_guest(ALICE), a_guest(BOB, mail="\ud800")])
