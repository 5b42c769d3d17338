"""`reconcile doctor`: examine the whole installation, and say how to mend what is wrong. Writes nothing, anywhere."""

from __future__ import annotations

from reconciler.doctor.attempt import attempt
from reconciler.doctor.examine import Asked, Installation, examine
from reconciler.doctor.finding import Unknown
from reconciler.errors import Exit
from reconciler.git.repository import Repository
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.model import State

from .context import Context
from .loading import SETTINGS, load_policy, load_settings


def doctor(context: Context, asked: Asked) -> Exit:
    """Examine and report; ERROR where something blocks. Raises what tells that this is no operations directory."""
    report = examine(_installation(context), asked)
    if context.json:
        from reconciler.render.doctor_json import document

        context.print_json(document(report))
    else:
        from reconciler.render.doctor import doctor as show

        show(report, context.out)
    return Exit.ERROR if report.blocking else Exit.OK


def _installation(context: Context) -> Installation:
    from reconciler.state.store import load_or_empty

    repository = Repository.open(context.directory)
    tree = attempt(repository.work_tree)
    settings: Settings | Unknown
    policy: Policy | Unknown
    state: State | Unknown | None
    if isinstance(tree, Unknown):
        settings = policy = state = tree
    else:
        if tree.read(SETTINGS) is None:  # nothing could be told of anything: one error says so
            load_settings(context, tree)
        settings, state = attempt(lambda: load_settings(context, tree)), attempt(lambda: load_or_empty(tree))
        policy = settings if isinstance(settings, Unknown) else attempt(lambda: load_policy(tree, settings))
    return Installation(
        settings=settings,
        policy=policy,
        state=state,
        env=context.env,
        ask=context.ask,
        say=lambda line: context.say("{}", line),
        clock=context.ports.clock,
    )
