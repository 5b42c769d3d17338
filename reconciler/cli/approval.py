"""Whether the forge knows what is to be applied as merged, approved and checked: what `forge.require` says."""

from __future__ import annotations

from dataclasses import replace

from reconciler.apply.receipt import Approved
from reconciler.errors import ForgeError, NotApprovedError
from reconciler.forge.open import open_forge
from reconciler.forge.port import PullRequest, Review
from reconciler.forge.require import approvers, unmet
from reconciler.git.history import differing, introduced
from reconciler.git.proposal import plan_branch
from reconciler.git.repository import Repository
from reconciler.model.settings import Settings

from .context import Context

_AGAIN = "Run `reconcile snapshot` and `reconcile propose`, and have that pull request reviewed and merged."


def approved(
    context: Context, repository: Repository, settings: Settings, tip: str, *, checks: bool = True
) -> Approved | None:
    """Return who approved what is on the protected branch's `tip`: it came from a pull request that satisfies `forge.require`.

    That is the merged one which brought the present policies, settings and state to the branch, and its reviewed head must
    hold exactly these. With plain git only the branch counts, and there is nothing to return. Without `checks` it is not asked
    what was reported on the head. Raises NotApprovedError, saying all that is not met.
    """
    asked = settings.forge if checks else replace(settings.forge, checks=())
    if asked.kind == "git":
        return None
    forge = open_forge(settings, context.env)
    commit = introduced(repository, tip)
    pull = forge.merged(commit, plan_branch(repository), asked.branch)
    if pull is None:
        raise NotApprovedError(
            f"policies, settings and state are on {asked.branch} as of {commit}, which no merged pull request brought there",
            f"Find out who pushed it. {_AGAIN}",
        )
    review = forge.review(pull.number)
    _same_content(repository, settings, tip, review.pull)
    missing = unmet(asked, review, forge.checks(review.pull.head) if asked.checks else ())
    if missing:
        what = f"pull request {pull.number} ({pull.url}), merged as {commit}, does not satisfy forge.require"
        raise NotApprovedError("\n- ".join([what, *missing]), _remedy(review))
    return Approved(pull.number, pull.url, review.pull.head, review.pusher, approvers(review))


def _same_content(repository: Repository, settings: Settings, tip: str, pull: PullRequest) -> None:
    found = repository.fetch_ref(settings.forge.remote, pull.ref)
    if found != pull.head:
        raise ForgeError(
            f"{pull.ref} on {settings.forge.remote} is {found or 'absent'}, but pull request {pull.number} is of {pull.head}",
            "Check that forge.remote and forge.repository in reconcile.yaml are the same repository.",
        )
    if other := differing(repository, pull.head, tip):
        raise NotApprovedError(
            f"what was reviewed in pull request {pull.number} ({pull.url}) is not what {settings.forge.branch} holds: "
            f"{' and '.join(other)} at {pull.head} and at {tip} differ",
            _AGAIN,
        )


def _remedy(review: Review) -> str:
    return (
        f"Meet it in the pull request, which can still be reviewed, then run the same command again. Or: {_AGAIN}"
        if not review.foreign
        else _AGAIN
    )
