"""A domain in memory, for `reconcile demo` and for tests: the contract of the real one, and Windows' own rules."""

from .database import MemoryDirectory
from .ports import MemoryReader, MemoryWriter
from .store import Backup

__all__ = ["Backup", "MemoryDirectory", "MemoryReader", "MemoryWriter"]
