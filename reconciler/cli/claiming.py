"""Which names that pending changes would take belong to somebody outside the OUs: asked while the domain can be reached."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.directory.port import DirectoryReader
from reconciler.git.overlay import Overlay
from reconciler.model.plan import Plan
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.model import Claim, State
from reconciler.state.paths import CLAIMS, MANIFEST

from .context import Context
from .inputs import Inputs
from .loading import policy_files

if TYPE_CHECKING:
    from .importing import Base
    from .planning import Laid


def claims_of(
    context: Context,
    settings: Settings,
    policy: Policy,
    base: Base,
    reader: DirectoryReader,
    state: State,
    before: Laid | None,
) -> tuple[Claim, ...]:
    """Return the claims that go with a state; its own are not looked at.

    `before` is what this import has laid side by side already, which is used up.
    """
    from reconciler.planning.impostors import look_alikes
    from reconciler.planning.wanted import wanted_names

    if state.manifest.graph is None:
        return ()
    plan = _plan(context, replace(settings, batch=sys.maxsize), policy, base, state, before)
    claims = [c for c in look_alikes(plan, reader.administrators) if c.owner not in state.accounts]
    for attribute, values in wanted_names(plan).items():
        owners = reader.owners("cn" if attribute == "distinguishedName" else attribute, values)
        claims += [Claim(attribute, v, o) for v, o in owners.items() if o not in state.accounts]
    return tuple(sorted(claims, key=lambda c: (c.attribute, c.value)))


def _plan(context: Context, settings: Settings, policy: Policy, base: Base, state: State, before: Laid | None) -> Plan:
    """Return the plan that would be made of this state, at the cost of what changed since the last one was made."""
    from reconciler.state.manifest import dump_manifest
    from reconciler.state.shards import files_of

    from .planning import make

    files: dict[str, bytes | None] = {MANIFEST: dump_manifest(state.manifest), CLAIMS: None}
    for side in (state.guests, state.accounts):
        files |= files_of(side) or {}
    inputs = Inputs(Overlay(base.tree, files), settings, tuple(policy_files(base.tree)), ())
    return make(context, inputs, policy, base.cache, before)[0]
