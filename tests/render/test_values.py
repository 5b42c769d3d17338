from __future__ import annotations

import pytest

from reconciler.model.values import Value
from reconciler.render.values import Sides, sides
from reconciler.render.visible import Shown

from .builder import delta


def shown(*texts: str) -> tuple[Shown, ...]:
    return tuple(map(Shown, texts))


@pytest.mark.parametrize(
    ("attribute", "before", "after", "expected"),
    [
        ("mail", None, "a@x.test", Sides((), shown("a@x.test"))),
        ("mail", "a@x.test", None, Sides(shown("a@x.test"), ())),
        ("mail", "a", "b", Sides(shown("a"), shown("b"))),
        ("flag", True, False, Sides(shown("true"), shown("false"))),
        ("count", 1, 2, Sides(shown("1"), shown("2"))),
        ("userAccountControl", 262656, 262658, Sides(shown("262656"), shown("262658"), flags="+ACCOUNTDISABLE")),
        (
            "userAccountControl",
            0x222,
            0x200,
            Sides(shown("546"), shown("512"), flags="-ACCOUNTDISABLE -PASSWD_NOTREQD"),
        ),
        ("userAccountControl", None, 262656, Sides((), shown("262656"), flags="NORMAL_ACCOUNT SMARTCARD_REQUIRED")),
        ("userAccountControl", 512, None, Sides(shown("512"), ())),
    ],
)
def test_single_values(attribute: str, before: Value | None, after: Value | None, expected: Sides) -> None:
    assert sides(delta(attribute, before, after)) == expected


def test_of_many_values_only_those_that_come_or_go_are_shown() -> None:
    assert sides(delta("proxyAddresses", ("a", "b", "c"), ("b", "c", "d"))) == Sides(shown("a"), shown("d"), same=2)


def test_of_very_many_values_the_first_are_shown_and_the_rest_counted() -> None:
    assert sides(delta("x", None, tuple("abcdefgh"))).after == shown("a", "b", "c", "d", "e", "…(+3)")


def test_the_value_held_for_a_moment_is_shown() -> None:
    assert sides(delta("mail", "a", "b", via="t\n")).via == shown("t\\u{a}")
