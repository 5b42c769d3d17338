"""What is proposed, merged or rejected already, so that nobody is asked twice and nothing is touched for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from reconciler.errors import ReconcileError
from reconciler.forge.open import open_forge
from reconciler.forge.port import Forge, PullRequest, Standing
from reconciler.forge.require import approvers
from reconciler.git import lock as locks
from reconciler.git.history import differing
from reconciler.git.notes import all_receipts
from reconciler.git.proposal import plan_branch
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.model.plan import Conflict, Plan
from reconciler.planning.encode import stored_digest

from .approval import approved
from .committed import edited
from .context import Context
from .loading import Planned, planned

_KEEP_LINK = timedelta(days=5)
"""An import is committed by itself when the committed one is older: delta links live seven days."""
_REFRESH = 2
_REFRESH_APPROVED = 8
"""A proposal is renewed with less than a half of its lifetime left, and an approved one with less than an eighth."""

Points = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a plan tells a reviewer: its changes, by their digest, and what needs a person or is held."""

    changes: str
    points: Points
    empty: bool
    expires: datetime

    @staticmethod
    def of(made: Planned) -> Said:
        """Return what a plan says."""
        plan = made.plan
        expires = datetime.fromisoformat(plan.origin.expires)
        return Said(made.encoded.changes_digest, points(plan), not plan.changes, expires)

    def repeats(self, other: Said) -> bool:
        """Tell whether a reviewer has heard this: the same changes, or, without any, the same points."""
        return self.changes == other.changes and (not self.empty or self.points == other.points)


def points(plan: Plan) -> Points:
    """Return what of a plan needs a person, or is held back."""
    both: tuple[Conflict, ...] = (*plan.conflicts, *plan.held)
    return frozenset((c.subject, c.kind) for c in both)


@dataclass(frozen=True)
class Pending:
    """The remote and the forge, looked at as far as a decision needs it. Nothing here writes."""

    context: Context
    repository: Repository
    made: Planned
    tip: str
    """The protected branch's."""

    @cached_property
    def forge(self) -> Forge:
        """The forge, where it is needed: a run with nothing to say needs no token."""
        return open_forge(self.made.settings, self.context.env)

    @cached_property
    def said(self) -> Said:
        """What the new plan says."""
        return Said.of(self.made)

    @cached_property
    def commit(self) -> str | None:
        """The tip of the plan branch on the remote; None when there is none, or when the protected branch holds it."""
        asked, name = self.made.settings.forge, plan_branch(self.repository)
        commit = self.repository.fetch_ref(asked.remote, f"refs/heads/{name}")
        return commit if commit and differing(self.repository, commit, self.tip) else None

    @cached_property
    def latest(self) -> PullRequest | None:
        """The open pull request, or the newest that ended."""
        return self.forge.latest(plan_branch(self.repository), self.made.settings.forge.branch)

    @property
    def open(self) -> PullRequest | None:
        """The open pull request."""
        return self.latest if self.latest and self.latest.standing is Standing.OPEN else None

    def stands(self) -> bool:
        """Tell whether the plan branch is what reviewers see: on a forge, by an open pull request of its tip."""
        return self.made.settings.forge.kind == "git" or (self.open is not None and self.open.head == self.commit)

    def news(self) -> bool:
        """Tell whether there is anything to decide: a change, or a point that the protected branch does not tell."""
        return bool(self.made.plan.changes) or bool(self.said.points - _points_at(self.repository.at(self.tip)))

    def due(self) -> bool:
        """Tell whether the import must be committed although nothing follows from it."""
        from reconciler.state.store import last_import

        committed = last_import(self.repository.at(self.tip))
        return committed is None or self._as_of - datetime.fromisoformat(committed.as_of) >= _KEEP_LINK

    def applying(self) -> str | None:
        """Return who is carrying out the merged plan at the time of this import, if anybody is."""
        holder = locks.read(self.repository, self.made.settings.forge.remote)
        return holder.described() if holder and holder.expires > self._as_of else None

    def waiting(self) -> Planned | None:
        """Return the merged plan if it is about to be applied and does what this one would: nobody is asked for it twice.

        What keeps silence is sure of it: the plan is what its tree yields, has no receipt, is within the guards, has more
        than half of its lifetime left, and came by a pull request that was approved as `apply` asks. Checks are not asked for:
        whoever proposes need not be allowed to read them, and what they lack can be made up for.
        """
        if not self.made.plan.changes or _changes_at(self.repository.at(self.tip)) != self.made.encoded.changes_digest:
            return None
        merged = self._sound(self.tip)
        if merged is None or merged.plan.refused or not self._repeats(merged) or self._applied(merged):
            return None
        try:
            approved(self.context, self.repository, merged.settings, self.tip, checks=False)
        except ReconcileError:  # apply will say why; its remedy is another proposal
            return None
        return merged

    def _repeats(self, merged: Planned) -> bool:
        """Tell whether this plan, of a newer import, says what the merged one does, which is good for a while."""
        there, newer = Said.of(merged), merged.plan.origin.serial < self.made.plan.origin.serial
        return (
            newer and there.repeats(self.said) and there.expires - self._as_of > self.made.settings.lifetime / _REFRESH
        )

    def _applied(self, merged: Planned) -> bool:
        receipts = all_receipts(self.repository, self.made.settings.forge.remote)
        return any(digest == merged.encoded.digest for _, digest, _ in receipts)

    def rejected(self) -> PullRequest | None:
        """Return the newest pull request if somebody closed it without merging, and it said what this plan says.

        What it said is computed from the tree it was of, never read from a text that can be edited afterwards.
        """
        pull = self.latest
        if pull is None or pull.standing is not Standing.REJECTED:
            return None
        found = self.repository.fetch_ref(self.made.settings.forge.remote, pull.ref)
        there = self._sound(pull.head) if found == pull.head else None
        return pull if there and Said.of(there).repeats(self.said) else None

    @cached_property
    def proposed(self) -> Planned | None:
        """The plan on the plan branch; None unless it is just what its tree yields."""
        return self._sound(self.commit) if self.commit else None

    def unchanged(self) -> bool:
        """Tell whether the plan branch proposes just this, soundly, on what the protected branch holds, for long enough."""
        commit = self.commit
        base = commit and self.repository.merge_base(commit, self.tip)
        if not commit or not base or differing(self.repository, base, self.tip):
            return False
        if {"policies", "reconcile.yaml"} & {*differing(self.repository, commit, self.tip)}:
            return False
        said = Said.of(self.proposed) if self.proposed else None
        if said is None or (said.changes, said.points) != (self.said.changes, self.said.points):
            return False
        left, lifetime = said.expires - self._as_of, self.made.settings.lifetime
        return left > lifetime / _REFRESH or (left > lifetime / _REFRESH_APPROVED and self._approved(commit))

    @property
    def _as_of(self) -> datetime:
        """This import's time: the only one here."""
        return datetime.fromisoformat(self.made.plan.origin.as_of)

    def _approved(self, commit: str) -> bool:
        pull = self.open
        return pull is not None and pull.head == commit and bool(approvers(self.forge.review(pull.number)))

    def _sound(self, commit: str) -> Planned | None:
        """Return the plan of a commit; None unless it is there and just what its tree yields."""
        try:
            tree = self.repository.at(commit)
            stored = tree.read("state/plan.json")
            if stored is None:
                return None
            there = planned(self.context, tree)
            sound = stored_digest(stored) == there.encoded.digest and not edited(tree, stored, there)
        except ReconcileError:  # damaged, or edited: it is not taken for a plan
            return None
        return there if sound else None


def _changes_at(tree: Tree) -> object:
    """Return the digest of the changes that a tree's plan claims."""
    return _plan_at(tree).get("changes_digest")


def _plan_at(tree: Tree) -> Mapping[str, Any]:
    try:
        document = json.loads(tree.read("state/plan.json") or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _points_at(tree: Tree) -> Points:
    document = _plan_at(tree)
    lists = [document.get(name) for name in ("conflicts", "held")]
    rows = [row for found in lists if isinstance(found, list) for row in found if isinstance(row, dict)]
    return frozenset((str(row.get("subject")), str(row.get("kind"))) for row in rows)
