"""GitHub's stand-in, and the forge that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.forge.github import GitHub
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in

__all__ = ["REPOSITORY", "TOKEN", "StandIn"]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


@pytest.fixture
def forge(stand_in: StandIn) -> GitHub:
    return GitHub(stand_in.url, REPOSITORY, TOKEN, trust=True)
