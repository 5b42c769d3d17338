"""What the domain says of who may act for whom: damaged values are errors in words."""

from __future__ import annotations

import pytest

from reconciler.directory.ldap.delegation import _trusted
from reconciler.errors import DirectoryError

DN = "CN=app,OU=Servers,DC=contoso,DC=test"


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x01\x00\x04\x80" + b"\xff" * 16])
def test_given_a_damaged_descriptor_when_read_then_the_object_and_a_remedy_are_named(raw: bytes) -> None:
    with pytest.raises(DirectoryError) as caught:
        _trusted(raw, DN)
    assert DN in str(caught.value)
    assert "PrincipalsAllowedToDelegateToAccount" in caught.value.remedy


def test_given_no_descriptor_when_read_then_nobody_is_trusted() -> None:
    assert _trusted(None, DN) == ()
