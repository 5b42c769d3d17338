"""The plan on the tip of the protected branch: whether it may be carried out now, and carrying it out once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reconciler import __version__
from reconciler.apply.journal import Journal, Outcome, journal_path
from reconciler.apply.receipt import Approved, Receipt, counts, written_on
from reconciler.apply.run import Ends, run
from reconciler.apply.unfinished import journals, written_unrecorded
from reconciler.directory.port import DirectoryWriter
from reconciler.errors import (
    GitError,
    GuardError,
    LockedError,
    ReconcileError,
    SettingsError,
    StalePlanError,
    StateError,
)
from reconciler.git import lock as locks
from reconciler.git import notes
from reconciler.git.holder import Holder
from reconciler.git.repository import Repository
from reconciler.model.settings import Settings
from reconciler.planning.encode import stored_digest
from reconciler.planning.guards import guards

from .approval import approved
from .committed import unedited
from .context import Context
from .loading import Planned, load_settings, planned

Told = tuple[str, str, str]
"""A receipt: the commit it is on, the digest it is of, and its text."""
CLOCKS = timedelta(minutes=10)
"""How far the clocks of the machines that import and that apply may be apart."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The plan on the protected branch's tip, and where it came from."""

    context: Context
    repository: Repository
    remote: str
    branch: str
    commit: str
    made: Planned
    journal: Path
    """Where this plan's journal is kept."""

    @staticmethod
    def fetch(context: Context, repository: Repository, here: Settings, journal: Path | None) -> Merged:
        """Return it, freshly fetched. Raises SettingsError, and StalePlanError unless the plan is what its tree yields."""
        remote, branch = here.forge.remote, here.forge.branch
        commit = repository.fetch(remote, branch)
        tree = repository.at(commit)
        settings = load_settings(context, tree)
        if (settings.forge.remote, settings.forge.branch) != (remote, branch):
            raise SettingsError(
                f"reconcile.yaml here and on {remote}/{branch} name different forges",
                "Pull, and look at what changed in it.",
            )
        stored = tree.read("state/plan.json")
        if stored is None:
            raise StalePlanError(
                f"{remote}/{branch} holds no plan", "Run `reconcile propose` and merge what it proposes."
            )
        claimed = stored_digest(stored)
        made = planned(context, tree)
        if made.encoded.digest != claimed:
            raise StalePlanError(
                f"the plan on {remote}/{branch} ({claimed}) is not what its tree yields ({made.encoded.digest}): policy, settings or "
                "state were changed beside it, or the plan was edited",
                "Run `reconcile snapshot` and `reconcile propose`, and merge the new plan.",
            )
        unedited(tree, stored, made)
        path = journal or journal_path(context.env, made.plan.origin.domain_dn, made.encoded.digest)
        return Merged(context, repository, remote, branch, commit, made, path)

    def applied(self) -> bool:
        """Whether this plan has its receipt, and nobody holds the lock any more."""
        return self._spent(self._receipts()) is not None and locks.read(self.repository, self.remote) is None

    def check_pinned(self, digest: str | None) -> None:
        """Raise unless this is the plan that was asked for, if one was."""
        own = self.made.encoded.digest
        if digest is not None and digest.lower() != own:
            raise StalePlanError(
                f"{self.remote}/{self.branch} holds plan {own}, not {digest.lower()}",
                "Look at the plan that is merged, and name its digest.",
            )

    def check(self) -> None:
        """Raise unless this plan may be applied now."""
        if not self.made.plan.changes:
            return
        receipts = self._receipts()
        if spent := self._spent(receipts):
            if locks.read(self.repository, self.remote) is not None:
                with suppress(LockedError):  # a run that was killed after its receipt left the lock behind
                    locks.acquire(self.repository, self.remote, self._holder(), self._now()).release()
            raise spent
        self._check_time()
        self._check_guards(receipts)
        found = approved(self.context, self.repository, self.made.settings, self.commit)
        if found and found.by and found.pusher is None:
            self.context.say(
                "This GitHub does not say who pushed {}: that its approval is not the pusher's own is for the branch's rules to see to.",
                found.head,
            )

    def _check_time(self) -> None:
        as_of = self.made.plan.origin.as_of
        if datetime.fromisoformat(as_of) > self._now() + CLOCKS:
            raise StalePlanError(
                f"plan {self.made.encoded.digest} is as of {as_of}, which is yet to come: a clock is wrong, and time decides what "
                "is deleted",
                "Correct the clock here, or where the snapshot was made; then run `reconcile snapshot` and `reconcile propose`.",
            )
        expires = datetime.fromisoformat(self.made.plan.origin.expires)
        if self._now() > expires:
            raise StalePlanError(
                f"plan {self.made.encoded.digest} expired at {self.made.plan.origin.expires}: it is "
                f"{self._now():%Y-%m-%dT%H:%M:%SZ} by this machine's clock",
                "Run `reconcile snapshot` and `reconcile propose` for a fresh one.",
            )

    def apply(self) -> list[Outcome]:
        """Carry the plan out under the lock; leave a receipt."""
        lock = locks.acquire(self.repository, self.remote, self._holder(), self._now())
        try:
            if self.repository.fetch(self.remote, self.branch) != self.commit:
                raise StalePlanError(
                    f"{self.branch} moved while this plan was shown",
                    "Run `reconcile apply` again to see what it holds now.",
                )
            receipts = self._receipts()
            if spent := self._spent(receipts):
                raise spent
            # Asked again: hours may have passed at the prompt, another run may have ended, and the approval may be withdrawn.
            self._check_time()
            self._check_guards(receipts)
            by = approved(self.context, self.repository, self.made.settings, self.commit)
            journal = Journal(self.journal, self.context.ports.clock)
            try:
                return self._carry_out(journal, lock, by)
            except ReconcileError as error:
                more = f"The plan is not spent: run the same command again to go on. Journal: {self.journal}"
                error.remedy = f"{error.remedy}\n{more}".strip()
                raise
            finally:
                journal.dispose()
        finally:
            self._give_back(lock)

    def _give_back(self, lock: locks.Lock) -> None:
        """Release the lock. A remote that is gone must not hide how the work ended: that is told either way."""
        try:
            lock.release()
        except GitError as error:
            self.context.say(
                "The lock could not be given back: {}. Run the same command again from here, or `reconcile unlock` after {}.",
                error.what.partition("\n")[0],
                f"{lock.holder.expires:%Y-%m-%dT%H:%M:%SZ}",
            )

    def _carry_out(self, journal: Journal, lock: locks.Lock, by: Approved | None) -> list[Outcome]:
        made, context = self.made, self.context
        started = self._now()
        source = context.ports.source(made.settings, context.env, lambda words: context.say("{}", words))
        writer = context.ports.writer(made.settings, made.policy, context.env, context.ask, made.plan.origin.controller)
        try:
            _same_domain(made, writer)
            journal.open(made.plan, made.encoded.digest, self.commit)
            ends = Ends(source, writer, made.subjects, made.policy)
            ous = made.settings.directory.ous
            outcomes = run(made.plan, ends, ous, journal, lambda: _keep(lock, self._now()), context.progress())
        finally:
            writer.close()
        receipt = Receipt(
            digest=made.encoded.digest,
            changes_digest=made.encoded.changes_digest,
            commit=self.commit,
            directory=self.repository.prefix or ".",
            owner=lock.holder.owner,
            run=lock.holder.run,
            started=started,
            ended=self._now(),
            plan=made.plan,
            outcomes=outcomes,
            approved=by,
        )
        notes.add_receipt(self.repository, self.remote, self.commit, made.encoded.digest, receipt.text())
        journal.close(counts(outcomes))
        return outcomes

    def _receipts(self) -> list[Told]:
        """Return what the remote's receipts say now."""
        return list(notes.all_receipts(self.repository, self.remote))

    def _check_guards(self, receipts: list[Told]) -> None:
        """Guards again, now with what was written the same day already: by receipts, and by journals of runs that left none."""
        plan, origin = self.made.plan, self.made.plan.origin
        day = datetime.fromisoformat(origin.as_of).date()
        told = written_on(day, origin.domain_sid, [text for _, _, text in receipts])
        recorded = {self.made.encoded.digest, *(digest for _, digest, _ in receipts)}
        folder = journal_path(self.context.env, origin.domain_dn, self.made.encoded.digest).parent
        planned_keys = {c.key for c in plan.changes}
        files = journals(folder, self.journal, day, recorded)
        earlier = Counter(told) + Counter(written_unrecorded(files, day, origin.domain_sid, recorded, planned_keys))
        refused = [
            f"{g.action} guard: {g.message}"
            for g in guards(plan.changes, plan.managed, self.made.policy, day, earlier)
            if g.refused
        ]
        if refused:
            raise GuardError("\n".join(refused), "Nothing was applied.")

    def _spent(self, receipts: list[Told]) -> StalePlanError | None:
        for commit, digest, _ in receipts:
            if digest == self.made.encoded.digest:
                return StalePlanError(
                    f"plan {digest} has been applied already; its receipt is on {commit} (git notes --ref reconcile show {commit})",
                    "Run `reconcile snapshot` and `reconcile propose` for what is left to do.",
                )
        return None

    def _holder(self) -> Holder:
        env = self.context.env
        run_id = env.get("GITHUB_RUN_ID") or env.get("CI_JOB_URL") or env.get("BUILD_BUILDURI") or ""
        where = f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}/actions/runs/{run_id}"
        name = where if env.get("GITHUB_RUN_ID") else run_id
        return Holder.here(digest=self.made.encoded.digest, run=name, version=__version__, now=self._now())

    def _now(self) -> datetime:
        return self.context.ports.clock()


def _keep(lock: locks.Lock, now: datetime) -> None:
    """Prove the lock is still ours; renew it once a third of its time is gone."""
    if lock.holder.expires - now < locks.TTL * 2 / 3:
        lock.renew(now)
    else:
        lock.check(now)


def _same_domain(made: Planned, writer: DirectoryWriter) -> None:
    domain, planned_for = writer.domain(), made.plan.origin
    if domain.sid != planned_for.domain_sid:
        raise StateError(
            f"{domain.controller} serves {domain.dn} ({domain.sid}), but the plan is for {planned_for.domain_dn} "
            f"({planned_for.domain_sid})",
            "Check directory.controllers in reconcile.yaml.",
        )
