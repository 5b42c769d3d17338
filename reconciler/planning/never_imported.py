"""A policy without what it cannot say yet: whatever needs an attribute that was never imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.speculation import Unknown
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Expression, Flow, Policy
from reconciler.state.model import Manifest

_NEXT = "The next import reads it"


class UnplannableError(Exception):
    """Nothing at all can be said; `unknown` are the rules to blame."""

    def __init__(self, unknown: tuple[Unknown, ...]) -> None:
        super().__init__("; ".join(u.what for u in unknown))
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class _NeverImported:
    """Stands for a condition that cannot be decided for anybody: a guest it is asked about becomes a conflict."""

    rule: Rule
    source: str
    reads: frozenset[str]
    why: str

    def value(self, guest: Guest) -> Value | None:  # noqa: ARG002  the port's signature
        raise EvaluationError(self.rule, self.why)

    def test(self, guest: Guest) -> bool:  # noqa: ARG002  the port's signature
        raise EvaluationError(self.rule, self.why)


def decidable(policy: Policy, manifest: Manifest) -> tuple[Policy, tuple[Unknown, ...]]:
    """Return the policy cut down to what was imported, and what was cut.

    A flow is left out; a condition of `placement` becomes a conflict of everybody it is asked about. Raises
    UnplannableError where that would not do: scope, joins, and the names and the anchor of every account.
    """
    graph, directory = manifest.graph, manifest.directory
    if graph is None or directory is None:
        return policy, ()
    cut = _Cut(frozenset((*graph.attributes, "id")), frozenset((*directory.attributes, "cn")))
    basis = [*cut.of_basis(policy)]
    if basis:
        raise UnplannableError(tuple(basis))
    flows = cut.flows(policy.flows)
    initial = replace(policy.initial, flows=cut.flows(policy.initial.flows))
    placement = tuple(replace(p, when=cut.condition(p.when)) if p.when else p for p in policy.placement)
    return (
        replace(
            policy,
            flows=flows,
            initial=initial,
            placement=placement,
            guest_attributes=tuple(a for a in policy.guest_attributes if a in cut.guest),
            account_attributes=tuple(a for a in policy.account_attributes if a in cut.account),
        ),
        tuple(cut.unknown),
    )


class _Cut:
    def __init__(self, guest: frozenset[str], account: frozenset[str]) -> None:
        self.guest = guest
        self.account = account
        self.unknown: list[Unknown] = []

    def of_basis(self, policy: Policy) -> Iterator[Unknown]:
        """Yield what stands in the way of any plan."""
        needed = {"sAMAccountName", "userPrincipalName", policy.anchor.attribute}
        names = [f for f in (*policy.flows, *policy.initial.flows) if f.attribute in needed]
        whole = [policy.scope, policy.initial.cn, *(j.expression for j in policy.joins), *(f.expression for f in names)]
        for expression in dict.fromkeys(whole):
            if missing := sorted(expression.reads - self.guest):
                yield _unknown(expression.rule, _reads(missing), "so nothing can be said about anybody")
        for attribute, rule in [(j.attribute, j.expression.rule) for j in policy.joins] + [
            (f.attribute, f.expression.rule) for f in names
        ]:
            if attribute not in self.account:
                yield _unknown(rule, _holds(attribute), "so nothing can be said about anybody")

    def flows(self, flows: Iterable[Flow]) -> tuple[Flow, ...]:
        """Return those whose two ends were imported."""
        kept = []
        for flow in flows:
            missing = sorted(flow.expression.reads - self.guest)
            if missing:
                what, so = _reads(missing), f"so what {flow.attribute} would become is not known"
            elif flow.attribute not in self.account:
                what, so = _holds(flow.attribute), "so which of them would change is not known"
            else:
                kept.append(flow)
                continue
            self.unknown.append(_unknown(flow.expression.rule, what, so))
        return tuple(kept)

    def condition(self, when: Expression) -> Expression:
        """Return the condition, or what stands for one that cannot be decided."""
        missing = sorted(when.reads - self.guest)
        if not missing:
            return when
        self.unknown.append(_unknown(when.rule, _reads(missing), "so where new accounts would go is not known"))
        return _NeverImported(when.rule, when.source, frozenset(), f"it {_reads(missing)}")


def _reads(missing: list[str]) -> str:
    return f"reads {' and '.join(missing)} of guests, which was never imported"


def _holds(attribute: str) -> str:
    return f"writes {attribute}, which was never imported from the accounts"


def _unknown(rule: Rule, what: str, so: str) -> Unknown:
    return Unknown(f"{rule.name} ({rule.file}:{rule.line}) {what}, {so}. {_NEXT}.", rule)
