"""What could not be had becomes a fact of its own, and takes nothing else with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reconciler.errors import ReconcileError

from .finding import Unknown

_Fact = TypeVar("_Fact")


def why(error: ReconcileError) -> Unknown:
    """Return a failure as the reason for not knowing, on one line."""
    what = error.what if error.what.endswith((".", "!", "?")) or not error.remedy else f"{error.what}."
    return Unknown(" ".join(f"{what} {error.remedy}".split()))


def attempt(read: Callable[[], _Fact]) -> _Fact | Unknown:
    """Return what `read` returns, or why it could not: refused, lost, or an answer that is not what it should be."""
    try:
        return read()
    except ReconcileError as error:
        return why(error)
    except ValueError as error:  # numbers, SIDs, descriptors and texts that are none
        return Unknown(f"An answer cannot be read: {error}")
