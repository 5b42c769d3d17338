"""The whole examination: every check is made, or says why it could not be. What is broken takes nothing else with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from reconciler.directory.connect import USER, Ask
from reconciler.directory.ldap.root import Naming, naming
from reconciler.directory.ldap.session import Session
from reconciler.forge.open import open_forge
from reconciler.forge.protection import Protection
from reconciler.model.dn import DN
from reconciler.model.identity import Identity
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.model import State

from . import controllers, domain, entra, forge, lints, look_controllers, look_domain, look_entra, look_signin, signin
from .attempt import attempt
from .catalog import ALL
from .finding import Area, Finding, Unknown
from .report import Report, complete
from .rights import judge as rights
from .rights import look as look_rights
from .rights.access import Token
from .rights.checks import CHECKS as RIGHTS
from .rights.checks import PRIVILEGED
from .rights.names import Names
from .rights.seen import Places

_NOBODY = "Nobody said which account this is: sign in as it (--account {}), or name the writing one (--writer NAME)."
_NO_SESSION = Unknown("No domain controller was signed in to.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the examination is about. `account`: what the signed-in account is for, `reader` or `writer`."""

    account: str = "reader"
    writer: str | None = None
    connector: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """What is examined, as far as it loads. `state` is None before the first import."""

    settings: Settings | Unknown
    policy: Policy | Unknown
    state: State | Unknown | None
    env: Mapping[str, str]
    ask: Ask | None
    say: Callable[[str], None]
    clock: Callable[[], datetime]


def examine(what: Installation, asked: Asked) -> Report:
    """Make every check. Writes nothing, anywhere."""
    at = what.clock()
    found = list(_loads(what))
    reasons = dict.fromkeys(Area, "")
    names: dict[str, str] = {}
    if isinstance(what.settings, Unknown):
        reasons = dict.fromkeys(Area, "The settings do not load.")
    else:
        names = _contosos(what.settings, what.env, asked)
        found += entra.judge(look_entra.look(what.settings, what.env, what.say, what.clock), at)
        found += forge.judge(what.settings.forge, attempt(lambda: _forge(what)))
        found += _domain(what, what.settings, asked, reasons, names)
    if isinstance(what.policy, Unknown):
        reasons[Area.POLICY] = "The policy does not load."
    theirs = "reader" if asked.account == "writer" else "writer"
    return complete(
        at,
        asked.account,
        found,
        [
            (
                check,
                reasons[check.area] or (_NOBODY.format(theirs) if check.area is Area.RIGHTS else "It does not apply."),
            )
            for check in ALL
        ],
        {theirs: ours for theirs, ours in names.items() if ours},
    )


def _contosos(settings: Settings, env: Mapping[str, str], asked: Asked) -> dict[str, str]:
    """This installation's names for those that the checks' commands have, as far as the settings tell them; empty where they do not."""
    base = settings.directory.base
    first = next(iter(settings.directory.controllers), "")
    mine = (env.get(USER, "").rpartition("\\")[2]).partition("@")[0]
    reader, writer = ("", mine) if asked.account == "writer" else (mine, asked.writer or "")
    return {
        "00000000-0000-0000-0000-000000000000": settings.entra.client_id,
        "contoso/identity": settings.forge.repository or "",
        "refs/heads/main": f"refs/heads/{settings.forge.branch}",
        "branches/main": f"branches/{settings.forge.branch}",
        "OU=Guests,DC=contoso,DC=test": next((ou.text for ou in settings.directory.ous), ""),
        "DC=contoso,DC=test": base.text,
        "contoso.test": ".".join(value for key, value in base.rdns if key == "DC"),
        "dc1.contoso.test": urlsplit(first).hostname or "",
        "CONTOSO": base.name.upper(),
        "reconcile-reader": reader,
        "reconcile-writer": writer,
        "HTTP/app.contoso.test": asked.service or "",
    }


def _loads(what: Installation) -> Iterator[Finding]:
    failed = [w.why for w in (what.settings, what.policy, what.state) if isinstance(w, Unknown)]
    if failed:
        yield lints.LOADS.failed(*dict.fromkeys(failed))
    if not isinstance(what.policy, Unknown):
        yield from (
            f for f in lints.judge(what.policy, what.clock().date()) if not failed or f.check is not lints.LOADS
        )


def _forge(what: Installation) -> Protection | None:
    settings = what.settings
    if isinstance(settings, Unknown):
        return None
    return open_forge(settings, what.env).protection(settings.forge.branch)


def _domain(
    what: Installation, settings: Settings, asked: Asked, reasons: dict[Area, str], called: dict[str, str]
) -> Iterator[Finding]:
    """Everything that a controller is asked. `reasons` is told why an area was left out, `called` what the settings do not tell."""
    seen, at = look_controllers.look(settings, what.env, what.ask, what.clock)
    try:
        yield from controllers.judge(seen, settings.directory.base.text, what.clock())
        identity = Identity.UPN if isinstance(what.policy, Unknown) else what.policy.identity
        signs_in = look_signin.look(settings, what.state, at, identity, asked.connector, asked.service)
        yield from signin.judge(signs_in, what.clock())
        known: Naming | Unknown = _NO_SESSION if at is None else attempt(lambda: naming(at.session))
        if at is None or isinstance(known, Unknown) or isinstance(what.policy, Unknown):
            why = known.why if isinstance(known, Unknown) else "The policy does not load."
            reasons[Area.DOMAIN] = reasons[Area.RIGHTS] = why
            return
        netbios = attempt(lambda: look_rights.netbios(at.session, known))
        if not isinstance(netbios, Unknown):
            called["CONTOSO"] = netbios
        places = _places(settings, what.policy)
        names = attempt(lambda: look_rights.names(at.session, known))
        attributes = names if isinstance(names, Unknown) else names.attributes
        facts = attempt(lambda: look_domain.look(at.session, known, places.targets, attributes))
        if isinstance(facts, Unknown):
            reasons[Area.DOMAIN] = facts.why
        else:
            yield from domain.judge(facts, what.policy, _upns(what.state))
        if isinstance(names, Unknown):
            reasons[Area.RIGHTS] = names.why
            return
        yield from _rights(Examined(at.session, known, names, places), what.policy, asked)
    finally:
        if at is not None:
            at.session.close()


@dataclass(frozen=True, slots=True)
class Examined:
    """A domain that was signed in to."""

    session: Session
    naming: Naming
    names: Names
    places: Places


def _rights(at: Examined, policy: Policy, asked: Asked) -> Iterator[Finding]:
    mine = asked.account
    yield from _account(at, policy, mine, lambda: look_rights.own_token(at.session, at.naming))
    if asked.writer is not None and mine == "reader":
        name = asked.writer
        yield from _account(at, policy, "writer", lambda: look_rights.token_of(at.session, at.naming, name))


def _account(at: Examined, policy: Policy, kind: str, who: Callable[[], Token]) -> Iterator[Finding]:
    def judged() -> list[Finding]:
        token = who()
        names = Names(at.names.attributes, at.names.guids, look_rights.sid_names(at.session, at.naming, token.sids))
        seen = look_rights.seen(at.session, at.naming, token, names, at.places)
        return list((rights.writer if kind == "writer" else rights.reader)(seen, policy))

    found = attempt(judged)
    if isinstance(found, Unknown):
        mine = [c for c in RIGHTS if c.id.startswith(f"rights.{kind}")]
        yield from (check.unknown(found.why, subject=kind) for check in (PRIVILEGED, *mine))
    else:
        yield from found


def _places(settings: Settings, policy: Policy) -> Places:
    """Every OU that settings and policy name; those outside the configured ones are refused when the policy loads."""
    ous = settings.directory.ous
    named: list[DN] = [*ous, *(p.ou for p in policy.placement)]
    if policy.lifecycle.left_move is not None:
        named.append(policy.lifecycle.left_move)
    return Places(settings.directory.base, ous, tuple(dict.fromkeys(named)))


def _upns(state: State | Unknown | None) -> frozenset[str] | Unknown:
    if state is None or isinstance(state, Unknown):
        return Unknown("Nothing was imported yet." if state is None else state.why)
    named = (g.attributes.get("userPrincipalName") for g in state.guests.values() if g.removed is None)
    found = frozenset(upn for upn in named if isinstance(upn, str))
    return found or Unknown("No guest was imported yet.")
