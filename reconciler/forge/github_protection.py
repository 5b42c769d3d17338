"""Reads the rules for a branch on GitHub: rulesets (any reader may see them) and the older branch protection (administrators).

https://docs.github.com/rest/repos/rules and https://docs.github.com/rest/branches/branch-protection
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from .protection import Protection
from .rest import RefusedError, Rest

_HIDDEN: Final = frozenset({403, 404})


def protection(rest: Rest, branch: str) -> Protection:
    """Return what holds for a branch. Raises ForgeError."""
    about = rest.record("GET", "")
    visible = about.get("visibility") or ("private" if about.get("private") else "public")
    rules = list(rest.rows(f"/rules/branches/{quote(branch, safe='')}"))
    found = Protection(str(visible))
    for rule in rules:
        found = _with(found, str(rule.get("type")), _record(rule.get("parameters")))
    kinds = {str(rule.get("type")) for rule in rules}
    found = replace(found, rewritable=not {"non_fast_forward", "deletion"} <= kinds)
    rulesets = sorted({int(rule["ruleset_id"]) for rule in rules if "ruleset_id" in rule})
    found = replace(found, bypass=_bypass(rest, rulesets))
    return _older(rest, branch, found)


def _with(found: Protection, kind: str, said: Mapping[str, Any]) -> Protection:
    if kind == "pull_request":
        return replace(
            found,
            pull_request=True,
            approvals=max(found.approvals, int(said.get("required_approving_review_count") or 0)),
            last_push=found.last_push or said.get("require_last_push_approval") is True,
            stale_dismissed=found.stale_dismissed or said.get("dismiss_stale_reviews_on_push") is True,
            owners=found.owners or said.get("require_code_owner_review") is True,
        )
    if kind == "required_status_checks":
        names = {str(check.get("context")) for check in said.get("required_status_checks") or ()}
        return replace(found, checks=found.checks | names)
    return found


def _bypass(rest: Rest, rulesets: list[int]) -> tuple[str, ...] | None:
    """Who may get past these rulesets. Only who may write a ruleset is shown its list; everybody is told about themselves."""
    past: list[str] = []
    complete = True
    for number in rulesets:
        found = rest.record("GET", f"/rulesets/{number}?includes_parents=true")
        if found.get("current_user_can_bypass") not in (None, "never"):
            past.append("the token's own identity")
        actors = found.get("bypass_actors")
        if isinstance(actors, list):
            past += [f"{a.get('actor_type')} {a.get('actor_id')} ({a.get('bypass_mode')})" for a in actors]
        else:
            complete = False
    return tuple(dict.fromkeys(past)) if complete or past else None


def _older(rest: Rest, branch: str, found: Protection) -> Protection:
    name = quote(branch, safe="")
    about = rest.record("GET", f"/branches/{name}")
    if not _record(about.get("protection")).get("enabled"):
        return found
    try:
        said = rest.record("GET", f"/branches/{name}/protection")
    except RefusedError as refused:
        if refused.status not in _HIDDEN:
            raise
        return replace(found, readable=False)
    past = list(found.bypass or ())
    reviews = said.get("required_pull_request_reviews")
    if isinstance(reviews, dict):
        past += _allowed(_record(reviews.get("bypass_pull_request_allowances")))
        as_rule = {**reviews, "dismiss_stale_reviews_on_push": reviews.get("dismiss_stale_reviews")}
        as_rule["require_code_owner_review"] = reviews.get("require_code_owner_reviews")
        found = _with(found, "pull_request", as_rule)
    wanted = _record(said.get("required_status_checks"))
    names = {str(name) for name in wanted.get("contexts") or ()}
    open_ = _on(said, "allow_force_pushes") or _on(said, "allow_deletions")
    if not _on(said, "enforce_admins"):
        past.append("administrators (enforce_admins is off)")
    hidden = found.bypass is None and not past
    return replace(
        found,
        checks=found.checks | names,
        rewritable=found.rewritable and open_,
        bypass=None if hidden else tuple(past),
    )


def _allowed(said: Mapping[str, Any]) -> list[str]:
    """Who may push to the branch without a pull request."""
    kinds = (("user", "users", "login"), ("team", "teams", "slug"), ("app", "apps", "slug"))
    return [f"{kind} {_record(one).get(name)}" for kind, key, name in kinds for one in said.get(key) or ()]


def _on(said: Mapping[str, Any], name: str) -> bool:
    return _record(said.get(name)).get("enabled") is True


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
