"""What `forge.require` demands of a merged pull request, and what of it is not met, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.settings import Forge, RequiredCheck

from .port import Check, Opinion, Review

_SHORT = 12


def unmet(forge: Forge, review: Review, checks: Sequence[Check]) -> tuple[str, ...]:
    """Return one sentence for each requirement that is not met; none means that the plan may be applied.

    Approvals count when they are of the very commit that was merged, by people who may write to the repository and had
    no part in it. What somebody who may write asks to be changed stands against all of them. Checks count by the worst
    verdict under their name, whoever reported it, and only where an app (or whom the settings name) reported one.
    """
    return (
        *_origin(review),
        *_approvals(forge.approvals, review),
        *(words for wanted in forge.checks for words in _check(wanted, review.pull.head, checks)),
    )


def approvers(review: Review) -> tuple[str, ...]:
    """Return whose approval of the present head counts."""
    return tuple(o.by for o in review.opinions if o.approves and not _discounted(o, review))


def _origin(review: Review) -> Iterator[str]:
    if review.foreign:
        yield (
            "it came from a copy (fork) of the repository, where others may push: propose it from a branch of "
            "the repository itself"
        )


def _approvals(required: int, review: Review) -> Iterator[str]:
    head = review.pull.head[:_SHORT]
    for opinion in review.opinions:
        if not opinion.approves and opinion.may_write and opinion.person:
            yield f"{opinion.by} asks for changes: they must approve {head}, or their review must be dismissed"
    if required and review.pusher == "":
        yield f"nobody is named who pushed {head}, so nobody's approval is known to be another's: wait a minute and try again"
    if required and review.anybody:
        yield (
            f"{head} was pushed by a workflow's own token, which works for whoever may push a workflow, so nobody's "
            "approval is known to be another's: propose with the token of an app"
        )
    approving = [o for o in review.opinions if o.approves]
    discounted = [(o.by, reason) for o in approving if (reason := _discounted(o, review))]
    counted = approvers(review)
    if len(counted) < required:
        there = f"only {_listed(counted)}" if counted else "nobody"
        need = "1 approval is required" if required == 1 else f"{required} approvals are required"
        why = "".join(f"; {by}'s does not count: {reason}" for by, reason in discounted)
        yield f"{need} of {head}, and {there} approved it{' so that it counts' if discounted else ''}{why}"


def _discounted(opinion: Opinion, review: Review) -> str | None:
    """Return why an approval does not count, or None."""
    reasons = (
        (not opinion.person, "an app cannot approve"),
        (opinion.by == review.author, "they opened the pull request"),
        (opinion.by == review.pusher, "they pushed that commit"),
        (opinion.by in review.writers, "they wrote or pushed some of it"),
        (
            opinion.commit != review.pull.head,
            f"they approved {opinion.commit[:_SHORT]}, and more was pushed after that",
        ),
        (not opinion.may_write, "they may not write to the repository"),
    )
    return next((words for applies, words in reasons if applies), None)


def _check(wanted: RequiredCheck, head: str, checks: Sequence[Check]) -> Iterator[str]:
    found = [c for c in checks if c.name == wanted.name]
    of = f"check {wanted.name} on {head[:_SHORT]}"
    if not found:
        yield f"{of}: nobody reported it"
        return
    reporters = sorted({c.by for c in found})
    if wanted.app is not None and wanted.app not in reporters:
        yield f"{of}: {_listed(reporters)} reported it, and {wanted.app} must"
    elif wanted.app is None and all(c.person for c in found):
        yield (
            f"{of}: {_listed(reporters)} reported it, a person's account and no app: "
            "name it as the check's `app` in forge.require.checks if that is right"
        )
    for check in found:
        if check.passed is None:
            yield f"{of}: {check.by} has not finished it"
        elif not check.passed:
            yield f"{of}: {check.by} says {check.said or 'failure'}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
