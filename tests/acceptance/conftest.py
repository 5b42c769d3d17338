"""One installation for all tests of failure, and copies of it to break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations, installation
from tests.support.samba import fresh_ou

from .case import Case


@contextmanager
def applied_once(samba: Controller, root: Path, guests: int = 4) -> Iterator[tuple[Operations, DN]]:
    """Make an installation whose guests have their accounts, and yield it with its OU."""
    ou = fresh_ou(samba)
    with installation(root, samba, ou, guests) as operations:
        operations.loop()
        yield operations, ou


@pytest.fixture(scope="session")
def pending(samba: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Case]]:
    """Make copies of an installation: four accounts, and one merged plan (another display name) not yet applied."""
    with applied_once(samba, tmp_path_factory.mktemp("installed")) as (operations, ou):
        guest = operations.tenant.guests()[0].id
        operations.tenant.update(guest, displayName="Changed in Entra")
        operations.reconcile("snapshot")
        operations.reconcile("propose")
        operations.merge()
        original = Case(operations, samba, ou.text)
        yield original.copy


@pytest.fixture
def case(pending: Callable[[Path], Case], tmp_path: Path) -> Iterator[Case]:
    """Return a copy of the installation; the tenant is shared, and behaves again afterwards."""
    made = pending(tmp_path / "copy")
    yield made
    made.tenant.faults.clear()
