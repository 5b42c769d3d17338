"""GitHub's answers about a branch's rules, as documented, for the stand-in of `tests/support/github.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.hub.repository import Answer, Asked, Hub, route
from tests.support.hub.shapes import page, refusal

Row = dict[str, Any]
_SOURCE = {"ruleset_source_type": "Repository", "ruleset_source": "contoso/identity", "ruleset_id": 42}


@dataclass
class Rules:
    """What one repository's administrators set. `older` is the classic branch protection; None: there is none."""

    visibility: str = "private"
    rules: list[Row] = field(default_factory=list)
    rulesets: dict[int, Row] = field(default_factory=dict)
    older: Row | None = None
    administrator: bool = False


RULES: dict[int, Rules] = {}
"""By the identity of the stand-in."""


def rule(kind: str, **parameters: Any) -> Row:
    return {"type": kind, **_SOURCE, **({"parameters": parameters} if parameters else {})}


def good() -> Rules:
    """What docs/how-to/github.md asks for."""
    review = rule(
        "pull_request",
        required_approving_review_count=1,
        require_last_push_approval=True,
        dismiss_stale_reviews_on_push=True,
        require_code_owner_review=True,
        required_review_thread_resolution=False,
    )
    checks = rule(
        "required_status_checks",
        strict_required_status_checks_policy=True,
        required_status_checks=[{"context": "reconcile/plan", "integration_id": 15368}],
    )
    made = Rules(rules=[review, checks, rule("non_fast_forward"), rule("deletion")])
    made.rulesets[42] = {"id": 42, "name": "main", "current_user_can_bypass": "never", "bypass_actors": []}
    return made


def of(hub: Hub) -> Rules:
    return RULES.setdefault(id(hub), good())


@route("GET", "")
def repository(hub: Hub, _asked: Asked) -> Answer:
    visibility = of(hub).visibility
    return 200, {"full_name": "contoso/identity", "private": visibility != "public", "visibility": visibility}


@route("GET", "/rules/branches/{branch}")
def rules(hub: Hub, asked: Asked, branch: str) -> Answer:
    return 200, page(of(hub).rules if branch == "main" else [], asked.query)


@route("GET", "/rulesets/{number}")
def ruleset(hub: Hub, _asked: Asked, number: str) -> Answer:
    return 200, of(hub).rulesets[int(number)]


@route("GET", "/branches/{branch}")
def branch(hub: Hub, _asked: Asked, branch: str) -> Answer:
    older = of(hub).older is not None
    return 200, {"name": branch, "protected": older or bool(of(hub).rules), "protection": {"enabled": older}}


@route("GET", "/branches/{branch}/protection")
def protection(hub: Hub, _asked: Asked, branch: str) -> Answer:
    older = of(hub).older
    if not of(hub).administrator:
        return 403, refusal("Resource not accessible by integration")
    return (200, older) if older is not None else (404, refusal("Branch not protected"))
