"""`reconcile adopt`: which accounts made by others would be taken over, and what that would change. Reads the working tree alone."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.git.repository import Repository

from .context import Context
from .loading import planned


def adopt(context: Context) -> Exit:
    """Report; nothing is written, not even a plan."""
    from reconciler.planning.adoption import adoption

    made = planned(context, Repository.open(context.directory).files_tree())
    found = adoption(made.state, made.policy, made.settings.directory.ous, made.plan)
    anchor = made.policy.anchor.attribute
    if context.json:
        from reconciler.render.adoption_json import document

        context.print_json(document(found, anchor))
        return Exit.OK
    from reconciler.render.adoption import adoption as show

    show(found, anchor, context.out)
    return Exit.OK
