"""`reconcile unlock`: break an expired or abandoned lock, saying whose it was."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.git import lock as locks
from reconciler.git.repository import Repository

from .context import Context
from .loading import load_settings


def unlock(context: Context) -> Exit:
    """Break the lock of this operations directory when nobody works under it any more."""
    repository = Repository.open(context.directory)
    settings = load_settings(context, repository.settings_tree())
    theirs = locks.unlock(repository, settings.forge.remote, context.ports.clock())
    if theirs is None:
        if context.json:
            context.print_json({"broken": False, "owner": None, "digest": None, "run": None})
        context.result("Nobody holds the lock on {}: nothing needs to be done.", settings.forge.remote)
        return Exit.OK
    if context.json:
        context.print_json({"broken": True, "owner": theirs.owner, "digest": theirs.digest, "run": theirs.run})
    context.result("Broke the lock of {}.", theirs.described())
    context.result("Its plan is not lost: `reconcile apply` takes it up where it ended.")
    return Exit.OK
