"""`reconcile demo`: the whole loop on this machine, with nothing to configure."""

from __future__ import annotations

from importlib import import_module

from reconciler.errors import Exit, ReconcileError

from .context import Context


def demo(context: Context, kind: str, guests: int) -> Exit:
    """Tell the story against a domain in memory, or against a real one on Samba."""
    try:
        import_module("faker")  # asked for late in the story, where nobody could say that an extra is missing
        from reconciler.demo.domains import MemoryDomain, SambaDomain
        from reconciler.demo.story import tell
    except ImportError as error:
        raise ReconcileError(
            f"the demonstration needs {error.name}",
            "Install reconcile with its extra `demo` (see Install in README.md).",
        ) from error
    if kind == "memory":
        tell(context.out, MemoryDomain(), guests)
    else:
        with SambaDomain().running() as domain:
            tell(context.out, domain, guests)
    return Exit.OK
