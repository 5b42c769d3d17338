"""The files of `policies/`, made into one checked policy. Pure: no file is opened and nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.config.check import check, load_schema
from reconciler.config.located import Document, parse
from reconciler.config.problems import Problem, refuse
from reconciler.errors import PolicyError
from reconciler.graph.attributes import REQUIRED
from reconciler.model.dn import DN

from . import safety, writing
from .anchor import check_anchor
from .draft import Draft
from .expressions import BOOL
from .model import Flow, Join, Policy

KIND = "GuestPolicy"
_SUFFIXES = (".yaml", ".yml")
_REMEDY = "Correct the policy; `reconcile validate` checks it again."


def load_policy(files: Sequence[tuple[str, bytes]], settings_ous: Sequence[DN] | None) -> Policy:
    """Return the policy in the files of `policies/`, given as (path, bytes); files that are not YAML are passed over.

    Exactly one file holds a GuestPolicy. With `settings_ous`, every OU of the policy must be inside one of them.
    Raises PolicyError with everything that is off, one line each, each with file:line:column.
    """
    document = _only_policy(
        [parse(data, path, PolicyError) for path, data in sorted(files) if path.endswith(_SUFFIXES)]
    )
    refuse(check(document, load_schema(__package__, "schema.json")), PolicyError, _REMEDY)
    draft = Draft(document, settings_ous)
    policy = _read(draft)
    refuse(draft.problems, PolicyError, _REMEDY)
    if policy is None:
        raise PolicyError(f"{document.file}:1:1: the policy could not be read", _REMEDY)
    return policy


def _only_policy(documents: list[Document]) -> Document:
    policies = [d for d in documents if isinstance(d.value, dict) and d.value.get("kind") == KIND]
    others = [d for d in documents if d not in policies]
    problems: list[Problem] = [
        d.problem(("kind",), f"not a policy: a file of policies/ begins with apiVersion: reconcile/v1 and kind: {KIND}")
        for d in others
    ]
    problems += [
        d.problem(
            ("kind",),
            f"a second {KIND}: {policies[0].file} holds one, and there is one for each directory",
            at_key=True,
        )
        for d in policies[1:]
    ]
    refuse(problems, PolicyError, f"Keep exactly one {KIND} under policies/.")
    if not policies:
        raise PolicyError("policies/: no policy here", "`reconcile init` writes the default one.")
    return policies[0]


def _read(draft: Draft) -> Policy | None:
    """Read everything, so that everything is reported; None only where problems were noted."""
    writing.read_declared(draft)
    scope = draft.expression(("scope", "include"), BOOL, draft.rule("scope", "include"))
    joins = writing.read_joins(draft)
    placement = writing.read_placement(draft)
    flows = writing.read_flows(draft)
    initial = writing.read_initial(draft, flows)
    writing.check_required(draft)
    check_anchor(draft, joins, flows, initial)
    lifecycle, guards = safety.read_lifecycle(draft), safety.read_guards(draft)
    holds, acknowledge = safety.read_holds(draft), safety.read_acknowledgements(draft)
    if scope is None or initial is None:
        return None
    return Policy(
        file=draft.document.file,
        scope=scope,
        joins=tuple(joins),
        placement=tuple(placement),
        initial=initial,
        flows=tuple(flows),
        lifecycle=lifecycle,
        guards=guards,
        holds=tuple(holds),
        acknowledge=tuple(acknowledge),
        guest_attributes=_guest_attributes(draft),
        account_attributes=_account_attributes(joins, [*flows, *initial.flows]),
        declared=tuple(draft.declared.values()),
        identity=safety.read_sign_in(draft),
    )


def _guest_attributes(draft: Draft) -> tuple[str, ...]:
    read = {attribute for expression in draft.expressions for attribute in expression.syntax.reads}
    return tuple(sorted((read | set(REQUIRED)) - {"id"}))


def _account_attributes(joins: Sequence[Join], flows: Sequence[Flow]) -> tuple[str, ...]:
    names = {j.attribute for j in joins} | {f.attribute for f in flows} | {"userAccountControl"}
    return tuple(sorted(names - {"cn"}))
