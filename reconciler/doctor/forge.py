"""Checks on the forge: merging must mean that somebody else has looked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.forge.protection import Protection
from reconciler.model.settings import Forge

from .finding import Check, Finding, Steps, Unknown

_RULES: Final = Steps(
    "See Settings, Rules, Rulesets of the repository.", bash=("gh ruleset check main --repo contoso/identity",)
)
_GUIDE: Final = "See docs/how-to/github.md, Rules for main."


def _rule(words: str, body: str) -> Steps:
    return Steps(
        f"{words} {_GUIDE}",
        bash=(
            "gh ruleset list --repo contoso/identity",
            "gh api --method POST repos/contoso/identity/rulesets --input - <<'EOF'",
            '{"name": "main", "target": "branch", "enforcement": "active",',
            '"conditions": {"ref_name": {"include": ["refs/heads/main"], "exclude": []}},',
            f'"rules": [{body}]}}',
            "EOF",
        ),
    )


_PULL: Final = (
    '{"type": "pull_request", "parameters": {"required_approving_review_count": 1, "require_last_push_approval": true,'
    ' "dismiss_stale_reviews_on_push": true, "require_code_owner_review": true, "required_review_thread_resolution": false}}'
)

REACH: Final = Check(
    "forge.reach",
    "The forge answers, and its token is good",
    "Plans are proposed there, and what was approved is asked there.",
    blocks=True,
    look=Steps("", bash=("gh api repos/contoso/identity",)),
    mend=Steps("The message has the remedy; the token is RECONCILE_FORGE_TOKEN. See docs/how-to/github.md."),
)
PRIVATE: Final = Check(
    "forge.private",
    "The repository is private",
    "state/ holds names, addresses and employers of every guest, and git remembers them for ever.",
    blocks=True,
    look=Steps("", bash=("gh repo view contoso/identity --json visibility",)),
    mend=Steps(
        "Make it private; think of what was readable until now as known.",
        bash=("gh repo edit contoso/identity --visibility private --accept-visibility-change-consequences",),
    ),
)
PULL_REQUEST: Final = Check(
    "forge.pull-request",
    "The protected branch takes pull requests only",
    "Whoever can push to it directly can have anything applied that nobody else has seen.",
    blocks=True,
    look=_RULES,
    mend=_rule("Require a pull request before merging.", _PULL),
)
APPROVAL: Final = Check(
    "forge.approval",
    "Somebody must approve",
    "Merging is the approval; without a required review one person alone can have anything applied.",
    blocks=True,
    look=_RULES,
    mend=_rule("Require approvals, as many as forge.require.approvals at least.", _PULL),
)
LAST_PUSH: Final = Check(
    "forge.last-push",
    "Whoever pushed last cannot be the one who approves",
    "GitHub keeps the author of a pull request from approving it. That is the app: a person could push to its branch, and approve.",
    blocks=True,
    look=_RULES,
    mend=_rule("Require approval of the most recent push, by somebody else than who pushed it.", _PULL),
)
OWNERS: Final = Check(
    "forge.code-owners",
    "Code owners must approve what is theirs",
    "CODEOWNERS says who may let through a change of the policy, the settings or the workflows.",
    blocks=False,
    look=_RULES,
    mend=_rule("Require review from code owners.", _PULL),
)
CHECKS_: Final = Check(
    "forge.checks",
    "The plan's check must pass",
    "It proves that the plan in a pull request is what its tree yields.",
    blocks=True,
    look=_RULES,
    mend=_rule(
        "Require the status checks of forge.require.checks.",
        '{"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": false,'
        ' "required_status_checks": [{"context": "reconcile/plan"}]}}',
    ),
)
HISTORY: Final = Check(
    "forge.history",
    "The protected branch can be neither rewritten nor deleted",
    "Its history is the record of who approved what.",
    blocks=True,
    look=_RULES,
    mend=_rule("Block force pushes and deletions.", '{"type": "non_fast_forward"}, {"type": "deletion"}'),
)
BYPASS: Final = Check(
    "forge.bypass",
    "Nobody gets past the rules",
    "A rule with a way past it is a rule for the others only.",
    blocks=True,
    look=Steps(
        "The list is shown to administrators of the repository only: Settings, Rules, Rulesets, Bypass list.",
        bash=(
            "gh api repos/contoso/identity/rulesets --jq '.[].id'",
            "gh api repos/contoso/identity/rulesets/1 --jq .bypass_actors",
        ),
    ),
    mend=Steps(
        "Empty the bypass list, the app's entry first; in the older branch protection, do not allow bypassing its settings.",
        bash=("gh api --method POST repos/contoso/identity/branches/main/protection/enforce_admins",),
    ),
)
CHECKS: Final = (REACH, PRIVATE, PULL_REQUEST, APPROVAL, LAST_PUSH, OWNERS, CHECKS_, HISTORY, BYPASS)
_BY_RULE: Final = (PULL_REQUEST, APPROVAL, LAST_PUSH, OWNERS, CHECKS_, HISTORY)


def judge(forge: Forge, seen: Protection | Unknown | None) -> Iterator[Finding]:
    """Judge the forge; None is a plain remote, which cannot be asked."""
    if seen is None:
        words = "A plain git remote cannot be asked: whoever may push its branch approves."
        yield from (check.unknown(words, subject=forge.branch, look=_ON_THE_SERVER) for check in CHECKS)
        return
    if isinstance(seen, Unknown):
        yield REACH.failed(seen.why)
        yield from (check.unknown("The forge was not reached.") for check in CHECKS[1:])
        return
    yield REACH.passed(subject=forge.repository or "")
    if seen.visibility == "private":
        yield PRIVATE.passed(subject=forge.repository or "")
    else:
        yield PRIVATE.failed(f"It is {seen.visibility}.", subject=forge.repository or "")
    for check, fault in zip(_BY_RULE, _faults(forge, seen), strict=True):
        if not fault:
            yield check.passed(subject=forge.branch)
        elif seen.readable:
            yield check.failed(fault, subject=forge.branch)
        else:
            yield check.unknown(
                f"By the rulesets: {fault} There is an older branch protection besides, which this token may not read.",
                subject=forge.branch,
            )
    yield _bypass(forge, seen)


_ON_THE_SERVER: Final = Steps("Look at the server's own settings: who may push the branch, and what its hooks refuse.")


def _faults(forge: Forge, seen: Protection) -> Iterator[str]:
    yield "" if seen.pull_request else "It takes pushes."
    wanted = max(forge.approvals, 1)
    yield "" if seen.approvals >= wanted else f"{seen.approvals} approvals are required, and {wanted} should be."
    yield "" if seen.last_push else "The most recent push needs no approval of its own."
    yield "" if seen.owners else "Code owners are not asked."
    missing = [check.name for check in forge.checks if check.name not in seen.checks]
    yield f"Not required: {', '.join(missing)}." if missing else ""
    yield "Forced pushes or deletion are allowed." if seen.rewritable else ""


def _bypass(forge: Forge, seen: Protection) -> Finding:
    if seen.bypass == () and not (seen.pull_request or seen.checks or not seen.rewritable):
        return BYPASS.unknown("No rule can be seen that anybody could get past.", subject=forge.branch)
    if seen.bypass is None:
        return BYPASS.unknown("This token is not on the list; who else is, it may not see.", subject=forge.branch)
    if seen.bypass:
        return BYPASS.failed(*(f"{who} may" for who in seen.bypass), subject=forge.branch)
    return BYPASS.passed(subject=forge.branch)
