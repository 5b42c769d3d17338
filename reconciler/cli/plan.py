"""`reconcile plan`: compute the plan of the working tree, write it under `state/`, show it."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.git.repository import Repository
from reconciler.model.plan import Plan
from reconciler.planning.encode import Encoded

from .context import Context
from .loading import Planned, planned
from .remembering import remembering, working_tree

WRITTEN = ("state/plan.json", "state/plan.md")
"""For machines, for people."""


def plan(context: Context, output: str, *, detailed: bool) -> Exit:
    """Plan and show. `output` is text, markdown, json or html."""
    repository = Repository.open(context.directory)
    with remembering(context) as cache:
        made = planned(context, working_tree(repository, cache), cache)
    write(context, made)
    show(context, made.plan, made.encoded, output)
    return verdict(made.plan, detailed=detailed)


def write(context: Context, made: Planned) -> None:
    """Write state/plan.json and state/plan.md, where they are not so already."""
    from reconciler.render.plan_markdown import markdown
    from reconciler.state.files import Files, write_file

    digests = (made.encoded.digest, made.encoded.changes_digest)
    json, words = WRITTEN
    files = Files(context.directory)
    for path, data in ((json, made.encoded.text), (words, markdown(made.plan, *digests).encode())):
        if files.read(path) != data:
            write_file(context.directory, path, data)


def show(context: Context, plan: Plan, encoded: Encoded, output: str) -> None:
    """Print the plan in one of its forms."""
    digest = encoded.digest
    if output == "json":
        context.print_document(encoded.text.decode("ascii"))
    elif output == "markdown":
        from reconciler.render.plan_markdown import limit, markdown

        context.out.out(markdown(plan, digest, encoded.changes_digest, limit(plan)), end="", highlight=False)
    elif output == "html":
        from reconciler.render.plan_html import html

        context.print_document(html(plan, digest))
    else:
        from reconciler.render.plan_terminal import terminal

        terminal(plan, digest, context.out)


def verdict(plan: Plan, *, detailed: bool) -> Exit:
    """Return the exit code: a guard wins over everything, changes and conflicts count only when asked for."""
    if plan.refused:
        return Exit.GUARDED
    return Exit.CHANGES if detailed and (plan.changes or plan.conflicts) else Exit.OK
