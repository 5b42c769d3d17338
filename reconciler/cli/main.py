"""The program: dispatch, and errors in words."""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from reconciler.errors import Exit, ReconcileError, UsageError

from .arguments import UnreadableError, parser
from .context import Context, Ports

_WRITERS = frozenset({"snapshot", "propose", "apply"})
_JSON = re.compile(r"(^| )--(json|format[ =]json)( |$)")
_GOES_ON = "What was written is recorded; running the same command again goes on from there."


def main(argv: Sequence[str], ports: Ports | None = None, env: dict[str, str] | None = None) -> int:
    """Run one command and return its exit code. Every failure a person can act on is printed, never a traceback."""
    env = dict(os.environ) if env is None else env
    try:
        arguments = parser().parse_args(argv)
    except UnreadableError as error:
        if _JSON.search(" ".join(argv)):
            remedy = f"See `{error.program} --help`."
            Context(Path(), env, ports or Ports()).print_json(
                {"error": f"{error.program}: {error.message}", "remedy": remedy, "exit_code": int(Exit.USAGE)}
            )
        raise
    context = Context(
        directory=Path(arguments.directory),
        env=env,
        ports=ports or Ports(),
        json=getattr(arguments, "json", False) or getattr(arguments, "format", "") == "json",
    )
    try:
        if not context.directory.is_dir():
            raise UsageError(f"{context.directory} is not a directory", "Name the operations directory with -C DIR.")
        return int(_COMMANDS[arguments.command](context, arguments))
    except ReconcileError as error:
        _explain(context, error)
        return int(error.exit_code)
    except OSError as error:  # every other one is told where it happens
        what = f"{error.filename or 'standard output'} cannot be used: {error.strerror}"
        with suppress(OSError):
            _explain(replace(context, json=False), ReconcileError(what, "Run the same command again."))
        return int(Exit.ERROR)
    except KeyboardInterrupt as stop:
        context.say("Interrupted.{}", f" {_GOES_ON}" if arguments.command in _WRITERS else "")
        return 128 + int(stop.args[0] if stop.args else signal.SIGINT)


def run_command(context: Context, argv: Sequence[str]) -> Exit:
    """Run one command within a context that is there already; raises what the command raises."""
    arguments = parser().parse_args(argv)
    return _COMMANDS[arguments.command](context, arguments)


def _explain(context: Context, error: ReconcileError) -> None:
    from reconciler.render.failure import error as show
    from reconciler.render.failure import plain_error

    if context.json:
        context.print_json({"error": error.what, "remedy": error.remedy, "exit_code": int(error.exit_code)})
    if context.err.is_terminal:
        show(error, context.err)
    else:  # a log: whole lines, to be searched and copied
        for line in plain_error(error):
            context.err.out(line, highlight=False)


def _init(context: Context, arguments: argparse.Namespace) -> Exit:
    from .init import Answers, init

    given = {name: getattr(arguments, name) for name in Answers.__dataclass_fields__}
    return init(context, Path(arguments.target), Answers(**given))


def _demo(context: Context, arguments: argparse.Namespace) -> Exit:
    from .demo import demo

    return demo(context, arguments.kind, arguments.guests)


def _validate(context: Context, _: argparse.Namespace) -> Exit:
    from .validate import validate

    return validate(context)


def _snapshot(context: Context, arguments: argparse.Namespace) -> Exit:
    from .snapshot import snapshot

    return snapshot(context, arguments.only, full=arguments.full)


def _plan(context: Context, arguments: argparse.Namespace) -> Exit:
    if arguments.speculative:
        from .speculate import speculate

        return speculate(context, arguments.format, arguments.base, detailed=arguments.detailed_exitcode)
    if arguments.base is not None:
        raise UsageError("--base needs --speculative", "A plan that can be applied is compared with nothing.")
    from .plan import plan

    return plan(context, arguments.format, detailed=arguments.detailed_exitcode)


def _adopt(context: Context, _: argparse.Namespace) -> Exit:
    from .adopt import adopt

    return adopt(context)


def _propose(context: Context, _: argparse.Namespace) -> Exit:
    from .propose import propose

    return propose(context)


def _apply(context: Context, arguments: argparse.Namespace) -> Exit:
    from .apply import apply

    return apply(context, arguments.digest, arguments.journal, yes=arguments.yes, again=not arguments.unless_applied)


def _check(context: Context, arguments: argparse.Namespace) -> Exit:
    from .check import check

    return check(context, arguments.base)


def _comment(context: Context, arguments: argparse.Namespace) -> Exit:
    from .comment import comment

    return comment(context, arguments.pull_request, arguments.commit, arguments.remarks)


def _explain_guest(context: Context, arguments: argparse.Namespace) -> Exit:
    from .explain import explain_guest

    return explain_guest(context, arguments.guest)


def _drift(context: Context, arguments: argparse.Namespace) -> Exit:
    from .drift import drift

    return drift(context, detailed=arguments.detailed_exitcode)


def _targets(context: Context, arguments: argparse.Namespace) -> Exit:
    from .targets import targets

    return targets(context, pending=arguments.pending)


def _unlock(context: Context, _: argparse.Namespace) -> Exit:
    from .unlock import unlock

    return unlock(context)


def _verify(context: Context, arguments: argparse.Namespace) -> Exit:
    from reconciler.model.identity import Identity

    from .verify import Asked, verify

    given = {name: getattr(arguments, name) for name in Asked.__dataclass_fields__}
    identity = Identity(arguments.identity) if arguments.identity else None
    return verify(context, Asked(**{**given, "identity": identity}))


def _doctor(context: Context, arguments: argparse.Namespace) -> Exit:
    from reconciler.doctor.examine import Asked

    from .doctor import doctor

    given = {name: getattr(arguments, name) for name in Asked.__dataclass_fields__}
    return doctor(context, Asked(**given))


_COMMANDS: dict[str, Callable[[Context, argparse.Namespace], Exit]] = {
    "init": _init,
    "demo": _demo,
    "validate": _validate,
    "snapshot": _snapshot,
    "plan": _plan,
    "adopt": _adopt,
    "check": _check,
    "explain": _explain_guest,
    "propose": _propose,
    "apply": _apply,
    "comment": _comment,
    "drift": _drift,
    "targets": _targets,
    "verify": _verify,
    "doctor": _doctor,
    "unlock": _unlock,
}


def entry() -> NoReturn:
    """Entry point of the `reconcile` script."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):  # a name may have characters that the output's encoding has not
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminated)
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # told already; or a pipe that nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = code or int(Exit.ERROR)
    sys.exit(code)


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """A CI job that is cancelled gives the lock back, as after Ctrl-C."""
    raise KeyboardInterrupt(number)
