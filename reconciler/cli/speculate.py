"""`reconcile plan --speculative`: what the working tree's policy would do, compared with a commit's. Nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Exit, NotImportedError, PolicyError, SettingsError
from reconciler.git.repository import Repository
from reconciler.model.settings import Settings
from reconciler.model.speculation import Unknown

from .context import Context
from .loading import load_policy, load_settings, planning_trees
from .plan import show, verdict

if TYPE_CHECKING:
    from reconciler.planning.speculate import Base


def speculate(context: Context, output: str, revision: str | None, *, detailed: bool) -> Exit:
    """Plan and show. `revision` is what to compare with; None for where this branch left the protected one."""
    from reconciler.planning.encode import encode
    from reconciler.planning.never_imported import UnplannableError
    from reconciler.planning.speculate import speculate as make
    from reconciler.state.store import load_state

    repository = Repository.open(context.directory)
    tree = repository.files_tree()
    settings = load_settings(context, tree)
    policy = load_policy(tree, settings)
    base = _base(context, repository, settings, revision)
    try:
        plan = make(load_state(tree), policy, settings, planning_trees(tree), base)
    except UnplannableError as error:
        return _unplannable(context, output, base.commit, error.unknown)
    except NotImportedError as error:
        return _unplannable(context, output, base.commit, (Unknown(f"{error.what}. {error.remedy}"),))
    show(context, plan, encode(plan), output)
    return verdict(plan, detailed=detailed)


def _base(context: Context, repository: Repository, settings: Settings, revision: str | None) -> Base:
    from reconciler.planning.speculate import Base

    forge = settings.forge
    tree = repository.at(revision or repository.branched_off(forge.remote, forge.branch))
    try:
        before = load_settings(context, tree)
        return Base(tree.top, load_policy(tree, before), before)
    except (SettingsError, PolicyError) as error:
        return Base(tree.top, why_not=error.what)


def _unplannable(context: Context, output: str, base: str, unknown: tuple[Unknown, ...]) -> Exit:
    """Show why there is no plan. Nothing is wrong: merged, the policy makes the next import read what it lacks."""
    if output == "json":
        from reconciler.planning.encode import encode_unplannable

        context.print_document(encode_unplannable(base, unknown).decode("ascii"))
    elif output == "markdown":
        from reconciler.render.speculation_markdown import unplannable_markdown

        context.out.out(unplannable_markdown(base, unknown), end="", highlight=False)
    elif output == "html":
        from reconciler.render.speculation_html import unplannable_html

        context.print_document(unplannable_html(base, unknown))
    else:
        from reconciler.render.speculation_terminal import unplannable

        unplannable(base, unknown, context.out)
    return Exit.OK
