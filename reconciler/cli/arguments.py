"""The command line: every command and its options."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from reconciler import __version__
from reconciler.errors import Exit

_FEWEST = 4
_EPILOG = """\
exit codes: 0 success, 1 error, 2 changes, conflicts or drift (only with --detailed-exitcode), 3 a guard refused,
4 plan stale or digest mismatch, 5 partly applied, 6 locked, 64 usage
"""


class UnreadableError(SystemExit):
    """A command line that means nothing; it was said on standard error already."""

    def __init__(self, message: str, program: str) -> None:
        super().__init__(int(Exit.USAGE))
        self.message, self.program = message, program


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.stderr.write(f"{self.prog}: {message}\n")
        raise UnreadableError(message, self.prog)


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = _Parser(
        prog="reconcile",
        description="Keeps Active Directory accounts for Entra ID guests, as reviewed pull requests.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    top.add_argument("-C", dest="directory", metavar="DIR", default=".", help="run as if started in DIR")
    top.add_argument("--version", action="version", version=f"reconcile {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)

    def add(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=words, allow_abbrev=False)

    init = add("init", "scaffold an operations directory: settings, the default policy, workflows, CODEOWNERS")
    init.add_argument("target", metavar="DIR", nargs="?", default=".", help="where (default: here)")
    init.add_argument("--tenant", default="contoso.onmicrosoft.com", help="the tenant's id or domain")
    init.add_argument(
        "--client-id", default="00000000-0000-0000-0000-000000000000", help="the app registration that reads users"
    )
    init.add_argument("--controller", default="ldaps://dc1.contoso.test", help="a domain controller")
    init.add_argument("--base", default="DC=contoso,DC=test", help="the domain's DN; guests go to OU=Guests below it")
    init.add_argument("--forge", choices=("github", "git"), default="github", help="where plans are proposed")
    init.add_argument("--repository", default="contoso/identity", help="OWNER/NAME on GitHub")
    _json(init)
    demo = add("demo", "run the whole loop on this machine, with nothing to configure")
    demo.add_argument(
        "--directory",
        dest="kind",
        choices=("memory", "samba"),
        default="memory",
        help="what stands in for Active Directory",
    )
    demo.add_argument(
        "--guests", type=_crowd, metavar="N", default=40, help="how many guests the tenant starts with (default: 40)"
    )
    _json(add("validate", "check settings, policies and state against schemas and types; no network"))
    snapshot = _json(add("snapshot", "import both sides into state/, incrementally when possible"))
    snapshot.add_argument("--only", choices=("graph", "ad"), help="import one side")
    snapshot.add_argument("--full", action="store_true", help="read everything, whatever the cursors say")
    plan = add("plan", "compute the plan from the working tree; no network")
    plan.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there are changes or conflicts")
    plan.add_argument("--format", choices=("text", "markdown", "json", "html"), default="text")
    plan.add_argument(
        "--speculative", action="store_true", help="show what this policy would do; write nothing; never to be applied"
    )
    plan.add_argument(
        "--base",
        metavar="REV",
        help="with --speculative: the commit whose policy to compare with (default: the fork point)",
    )
    plan.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")
    _json(
        add("adopt", "report which accounts made by others would be joined, before anything is taken over; no network")
    )
    check = _json(add("check", "prove a pull request's files valid, and its plan what its tree yields; no network"))
    check.add_argument(
        "--base", metavar="REV", help="what it is to be merged into: asks for a plan only if state/ changed"
    )
    explain = _json(add("explain", "say where every value of one guest's account comes from; no network"))
    explain.add_argument(
        "guest", metavar="GUEST", help="id, userPrincipalName, mail, display name, sAMAccountName or SID"
    )
    _json(add("propose", "commit state and plan to the branch reconcile/plan, open or update its pull request"))
    apply = _json(add("apply", "carry out the merged plan, and nothing else"))
    apply.add_argument("--digest", metavar="D", help="apply only the plan with this digest")
    apply.add_argument("--unless-applied", action="store_true", help="be content where the plan was applied already")
    apply.add_argument("--yes", action="store_true", help="do not ask")
    apply.add_argument("--journal", metavar="FILE", type=Path, help="where to keep the journal")
    comment = _json(add("comment", "in a CI job: put what its checks remarked under the pull request"))
    comment.add_argument("remarks", metavar="DIR", type=Path, help="where the checks' artifacts were put")
    comment.add_argument("--pull-request", type=int, required=True, metavar="N")
    comment.add_argument("--commit", required=True, metavar="SHA", help="what was checked")
    drift = _json(add("drift", "say what the import shows that the committed plan does not account for; no network"))
    drift.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there is drift")
    targets = _json(add("targets", "list the operations directories of this repository, for a CI matrix"))
    targets.add_argument("--pending", action="store_true", help="only those with a committed plan that was not applied")
    _verify_options(
        _json(add("verify", "prove that a guest can sign in: a Kerberos ticket for them, as the connector gets it"))
    )
    _doctor_options(_json(add("doctor", "examine the installation, and say how to mend what is wrong; writes nothing")))
    _json(add("unlock", "break an expired or abandoned lock, saying whose it was"))
    return top


def _json(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return command


def _verify_options(verify: argparse.ArgumentParser) -> None:
    who = verify.add_mutually_exclusive_group(required=True)
    who.add_argument(
        "guest", metavar="GUEST", nargs="?", help="id, UPN, mail or display name; SID or sAMAccountName of the account"
    )
    who.add_argument("--all", action="store_true", help="try a sample of everybody who should be able to sign in")
    verify.add_argument("--service", metavar="SPN", required=True, help="the application: HTTP/app.contoso.test")
    verify.add_argument(
        "--identity",
        choices=("upn", "on-premises-upn", "upn-user-part", "on-premises-upn-user-part", "sam-account-name"),
        help="the application's delegated login identity (default: the policy's sign_in.identity)",
    )
    whose = verify.add_mutually_exclusive_group()
    whose.add_argument("--keytab", metavar="FILE", help="the connector's keytab")
    whose.add_argument("--cache", metavar="CCACHE", help="a credential cache of the connector's")
    verify.add_argument("--connector", metavar="PRINCIPAL", help="which principal of it (default: the first)")
    verify.add_argument("--http", metavar="URL", help="fetch this page as the guest")
    verify.add_argument("--http-user", metavar="HEADER", help="the response header in which it says whom it saw")
    verify.add_argument("--sample", type=_some, metavar="N", default=200, help="how many --all tries (default: 200)")
    verify.add_argument(
        "--seed",
        metavar="TEXT",
        default="",
        help="which ones: the same text chooses the same; `random` for others each time",
    )


def _some(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a whole number of at least 1, not {text!r}")
    return int(text)


def _doctor_options(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument(
        "--account",
        choices=("reader", "writer"),
        default="reader",
        help="what the account that is signed in with is for (default: reader)",
    )
    doctor.add_argument("--writer", metavar="NAME", help="judge this account's rights as the writing account's, too")
    doctor.add_argument("--connector", metavar="NAME", help="the account of Application Proxy's connector")
    doctor.add_argument("--service", metavar="SPN", help="the application: HTTP/app.contoso.test")


def _crowd(text: str) -> int:
    """The story changes three guests, and the guards of the default policy count in percent."""
    if not (text.isascii() and text.isdecimal() and int(text) >= _FEWEST):
        raise argparse.ArgumentTypeError(f"the story needs at least {_FEWEST} guests, not {text!r}")
    return int(text)
