"""`reconcile apply`: the plan on the tip of the protected branch, proven to be what its tree yields, carried out once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.apply.journal import Outcome
from reconciler.apply.receipt import counts
from reconciler.errors import Exit, UsageError
from reconciler.git.repository import Repository

from .context import Context
from .loading import Planned, load_settings
from .merged import Merged


def apply(context: Context, digest: str | None, journal: Path | None, *, yes: bool, again: bool = True) -> Exit:
    """Check, show, ask, take the lock, carry out, record. Without `again`, a plan with a receipt is no error."""
    if not yes and not context.interactive:
        raise UsageError(
            "apply needs --yes where there is no terminal to ask on", "Add --yes, and --digest to pin the plan."
        )
    repository = Repository.open(context.directory)
    here = load_settings(context, repository.settings_tree())
    merged = Merged.fetch(context, repository, here, journal)
    merged.check_pinned(digest)
    if not again and merged.applied():
        context.result("Plan {} has been applied already.", merged.made.encoded.digest)
        return _report(context, merged.made, ())
    merged.check()
    _show(context, merged.made)
    if not merged.made.plan.changes:
        return _report(context, merged.made, ())
    if not yes and not _confirmed(context, merged.made):
        context.say("Nothing was applied.")
        return Exit.ERROR
    outcomes = merged.apply()
    return _report(context, merged.made, outcomes)


def _show(context: Context, made: Planned) -> None:
    if not context.json:
        from reconciler.render.plan_terminal import terminal

        terminal(made.plan, made.encoded.digest, context.out)


def _confirmed(context: Context, made: Planned) -> bool:
    context.say(
        "Apply these {} changes to {} through {}?",
        len(made.plan.changes),
        made.plan.origin.domain_dn,
        made.plan.origin.controller,
    )
    try:
        return input("Only 'yes' is accepted: ").strip() == "yes"
    except EOFError:
        return False


def _report(context: Context, made: Planned, outcomes: Sequence[Outcome]) -> Exit:
    labels = {c.key: c.label for c in made.plan.changes}
    if context.json:
        context.print_json(
            {
                "digest": made.encoded.digest,
                "counts": counts(outcomes),
                "outcomes": [{"change": o.key, "result": o.result, "detail": o.detail} for o in outcomes],
            }
        )
    elif outcomes:
        from reconciler.render.outcomes import OutcomeRow
        from reconciler.render.outcomes import outcomes as show

        rows = [OutcomeRow(o.key, o.action, labels[o.key], o.guest, o.result, o.detail) for o in outcomes]
        show(rows, context.out)
    whole = all(o.result in ("done", "already") for o in outcomes)
    return Exit.OK if whole else Exit.PARTIAL
