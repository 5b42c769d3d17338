"""`reconcile verify`: proves that guests can sign in, as Application Proxy's connector would. Writes nothing, anywhere."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.directory.connect import USER
from reconciler.errors import DirectoryUnavailableError, Exit, SettingsError, UsageError
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.model.identity import Identity
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.model import State

from .context import Context, Env
from .loading import load_policy, load_settings

if TYPE_CHECKING:
    from reconciler.verify.people import Subject
    from reconciler.verify.port import DelegationFacts
    from reconciler.verify.report import Report
    from reconciler.verify.tickets import Source

KEYTAB, CACHE, PRINCIPAL = "RECONCILE_CONNECTOR_KEYTAB", "RECONCILE_CONNECTOR_CACHE", "RECONCILE_CONNECTOR"
RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line. `guest` is None with --all."""

    guest: str | None
    service: str
    identity: Identity | None
    """None for the policy's."""
    keytab: str | None
    cache: str | None
    connector: str | None
    http: str | None
    http_user: str | None
    sample: int
    seed: str


@dataclass(frozen=True, slots=True)
class _Chosen:
    people: Sequence[Subject]
    seed: str | None
    population: int
    without_account: int


def verify(context: Context, asked: Asked) -> Exit:
    """Try one guest, or a sample; exit 1 unless every one of them is let in."""
    from reconciler.render.verification import verification
    from reconciler.render.verification_json import document
    from reconciler.verify.principals import service
    from reconciler.verify.tickets import library

    library()
    spn = service(asked.service)
    source = _source(asked, context.env)
    tree = Repository.open(context.directory).files_tree()
    settings = load_settings(context, tree)
    policy = load_policy(tree, settings)
    report = _prove(context, asked, spn, source, settings, policy, _state(tree))
    if context.json:
        context.print_json(document(report))
    else:
        verification(report, context.out)
    return Exit.OK if report.passed else Exit.ERROR


def _state(tree: Tree) -> State:
    from reconciler.state.store import load_state

    return load_state(tree)


def _source(asked: Asked, env: Env) -> Source:
    """Return whose keytab or cache to use: never a default one."""
    from reconciler.verify.tickets import Source

    keytab, cache = asked.keytab, asked.cache
    if keytab is None and cache is None:
        keytab, cache = env.get(KEYTAB), env.get(CACHE)
    if keytab and cache:
        raise SettingsError(f"{KEYTAB} and {CACHE} are both set.", "Set one of them.")
    if not keytab and not cache:
        raise SettingsError(
            "There is no identity for the connector.",
            f"Name its keytab with --keytab or {KEYTAB}, or a credential cache of it with --cache or {CACHE}. The default "
            "cache (KRB5CCNAME) is never used: it may be anybody's.",
        )
    if keytab:
        keytab = keytab.removeprefix("FILE:")
        try:
            with Path(keytab).open("rb"):
                pass
        except OSError as error:
            raise SettingsError(
                f"The connector's keytab {keytab} cannot be read: {error.strerror}",
                "Check the path and who may read it.",
            ) from error
    return Source(keytab or None, cache or None, asked.connector or env.get(PRINCIPAL) or None)


def _choose(asked: Asked, state: State, policy: Policy) -> _Chosen:
    from reconciler.verify.people import population, sample, subject

    if asked.guest is not None:
        return _Chosen([subject(state, asked.guest)], None, 1, 0)
    everybody, without = population(state, policy)
    if not everybody:
        raise UsageError("No active guest has an account yet.", "Apply a plan first, then run `reconcile snapshot`.")
    seed = secrets.token_hex(8) if asked.seed == RANDOM else asked.seed
    return _Chosen(sample(everybody, asked.sample, seed), seed, len(everybody), without)


def _facts(context: Context, settings: Settings) -> tuple[DelegationFacts | None, str]:
    """Return the directory, or None and why not: a proof does without it, and knows less."""
    if settings.directory.bind == "simple" and not context.env.get(USER) and context.ask is None:
        return None, f"{USER} is not set"
    try:
        return context.ports.delegation(settings, context.env, context.ask), ""
    except DirectoryUnavailableError as error:
        return None, error.what


def _prove(
    context: Context, asked: Asked, spn: str, source: Source, settings: Settings, policy: Policy, state: State
) -> Report:
    from reconciler.directory.ldap.dial import Endpoint
    from reconciler.verify.agent import Agent
    from reconciler.verify.alone import alone
    from reconciler.verify.diagnose import connector_obstacles, refused
    from reconciler.verify.facts import Surroundings
    from reconciler.verify.gather import candidates
    from reconciler.verify.page import Site
    from reconciler.verify.port import RefusedError
    from reconciler.verify.principals import realm_of
    from reconciler.verify.prove import Prover
    from reconciler.verify.report import Report

    chosen = _choose(asked, state, policy)
    identity = asked.identity or policy.identity or Identity.UPN
    realm, clock = realm_of(settings.directory.base), context.ports.clock
    hosts = [Endpoint.parse(url).host for url in settings.directory.controllers]
    site = Site.of(asked.http, asked.http_user, context.env) if asked.http else None
    facts, unread = _facts(context, settings)
    with closing(facts) if facts else nullcontext():
        # Everything that may need the caller's own tickets comes before they are out of reach.
        to_try = candidates(chosen.people, identity, state.manifest.as_of, facts)
        around = Surroundings(spn)
        if facts:
            around = replace(around, services=facts.serving(spn), skew=facts.skew(clock()))
        report = Report(
            spn=spn,
            identity=identity,
            connector=source.principal or "",
            source=str(source),
            realm=realm,
            directory=facts.url if facts else "",
            unread=unread,
            attempts=(),
            url=asked.http,
            seed=chosen.seed,
            population=chosen.population,
            without_account=chosen.without_account,
            wanted=len(to_try),
        )
        with alone(context.env, realm, hosts):
            try:
                agent = Agent(source, realm, site)
            except RefusedError as error:
                if facts and source.principal:
                    around = replace(around, connector=facts.principal(source.principal))
                return replace(report, failed=refused(error.refusal, around, None, clock()), refusal=error.refusal)
            if facts:
                around = replace(around, connector=facts.principal(agent.principal))
            prover = Prover(agent, around, clock, page=site is not None)
            attempts = []
            with context.progress().task("Signing guests in", len(to_try)) as task:
                for attempt in prover.prove(to_try):
                    attempts.append(attempt)
                    task.done(len(attempts))
    everywhere = tuple(connector_obstacles(prover.around, clock()))
    return replace(report, connector=agent.principal, attempts=tuple(attempts), everywhere=everywhere)
