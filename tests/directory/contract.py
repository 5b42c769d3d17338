"""What every implementation of the directory port does, and does alike.

A test module provides a fixture `world` (see `tests.directory.world`) and a class that inherits `DirectoryContract`.
Where Windows is stricter than Samba 4.17 the suite stays with what both do.
"""

from __future__ import annotations

from tests.directory.contract_changes import ChangesContract
from tests.directory.contract_creating import CreatingContract
from tests.directory.contract_modifying import ModifyingContract
from tests.directory.contract_moving import MovingContract
from tests.directory.contract_reading import ReadingContract
from tests.directory.contract_reanimating import ReanimatingContract
from tests.directory.world import Admin, World, guids

__all__ = ["Admin", "DirectoryContract", "World", "guids"]


class DirectoryContract(
    ReadingContract, ChangesContract, CreatingContract, ModifyingContract, MovingContract, ReanimatingContract
):
    """The whole port."""
