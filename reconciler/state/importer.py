"""Imports: what both ends said, merged over what `state/` already knew. Pure; every look-up is an argument."""

from __future__ import annotations

from .import_accounts import import_accounts
from .import_guests import check_whole, guest_changes, import_guests

__all__ = ["check_whole", "guest_changes", "import_accounts", "import_guests"]
