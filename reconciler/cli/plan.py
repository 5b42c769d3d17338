"""`reconcile plan`: compute the plan of the working tree, write it under `state/`, show it."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.git.repository import Repository
from reconciler.model.plan import Plan

from .context import Context
from .loading import Planned, planned

WRITTEN = ("state/plan.json", "state/plan.md")
"""For machines, for people."""


def plan(context: Context, output: str, *, detailed: bool) -> Exit:
    """Plan and show. `output` is text, markdown, json or html."""
    repository = Repository.open(context.directory)
    made = planned(context, repository.work_tree())
    write(context, made)
    show(context, made, output)
    return verdict(made.plan, detailed=detailed)


def write(context: Context, made: Planned) -> None:
    """Write state/plan.json and state/plan.md."""
    from reconciler.render.plan_markdown import markdown
    from reconciler.state.files import write_file

    digests = (made.encoded.digest, made.encoded.changes_digest)
    json, words = WRITTEN
    write_file(context.directory, json, made.encoded.text)
    write_file(context.directory, words, markdown(made.plan, *digests).encode())


def show(context: Context, made: Planned, output: str) -> None:
    """Print the plan in one of its forms."""
    digest = made.encoded.digest
    if output == "json":
        context.out.out(made.encoded.text.decode("ascii"), end="", highlight=False)
    elif output == "markdown":
        from reconciler.render.plan_markdown import markdown

        context.out.out(markdown(made.plan, digest, made.encoded.changes_digest), end="", highlight=False)
    elif output == "html":
        from reconciler.render.plan_html import html

        context.out.out(html(made.plan, digest), end="", highlight=False)
    else:
        from reconciler.render.plan_terminal import terminal

        terminal(made.plan, digest, context.out)


def verdict(plan: Plan, *, detailed: bool) -> Exit:
    """Return the exit code: a guard wins over everything, changes and conflicts count only when asked for."""
    if plan.refused:
        return Exit.GUARDED
    return Exit.CHANGES if detailed and (plan.changes or plan.conflicts) else Exit.OK
