"""What is read of a branch's rules on GitHub, and of the older branch protection beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.errors import ForgeError
from reconciler.forge.git import PlainGit
from reconciler.forge.github import GitHub
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in

from .facts import protection
from .rules import Rules, of


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


@pytest.fixture
def rules(hub: StandIn) -> Rules:
    return of(hub)


@pytest.fixture
def forge(hub: StandIn) -> GitHub:
    return GitHub(hub.url, REPOSITORY, TOKEN, trust=True)


def test_given_the_documented_ruleset_then_everything_is_required(forge: GitHub, rules: Rules) -> None:
    assert forge.protection("main") == protection()


def test_given_a_public_repository_without_rules_then_nothing_is(forge: GitHub, rules: Rules) -> None:
    rules.visibility, rules.rules = "public", []
    found = forge.protection("main")
    assert (found.visibility, found.pull_request, found.approvals, found.rewritable) == ("public", False, 0, True)
    assert found.checks == frozenset()


@pytest.mark.parametrize("kind", ["non_fast_forward", "deletion"])
def test_given_only_one_of_two_rules_then_history_can_be_rewritten(kind: str, forge: GitHub, rules: Rules) -> None:
    rules.rules = [r for r in rules.rules if r["type"] != kind]
    assert forge.protection("main").rewritable


def test_given_a_bypass_list_then_it_is_named_and_where_it_is_hidden_not_guessed(forge: GitHub, rules: Rules) -> None:
    rules.rulesets[42]["bypass_actors"] = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
    assert forge.protection("main").bypass == ("RepositoryRole 5 (always)",)
    del rules.rulesets[42]["bypass_actors"]
    assert forge.protection("main").bypass is None
    rules.rulesets[42]["current_user_can_bypass"] = "always"
    assert forge.protection("main").bypass == ("the token's own identity",)


OLDER: dict[str, Any] = {
    "required_pull_request_reviews": {
        "dismiss_stale_reviews": True,
        "require_code_owner_reviews": True,
        "required_approving_review_count": 2,
        "require_last_push_approval": True,
    },
    "required_status_checks": {"strict": True, "contexts": ["reconcile/plan"]},
    "enforce_admins": {"enabled": True},
    "allow_force_pushes": {"enabled": False},
    "allow_deletions": {"enabled": False},
}


def test_given_the_older_protection_then_an_administrator_reads_it(forge: GitHub, rules: Rules) -> None:
    rules.rules, rules.older, rules.administrator = [], dict(OLDER), True
    assert forge.protection("main") == protection(approvals=2)
    rules.older["enforce_admins"] = {"enabled": False}
    assert forge.protection("main").bypass == ("administrators (enforce_admins is off)",)


def test_given_the_older_protection_then_those_it_lets_past_are_named(forge: GitHub, rules: Rules) -> None:
    past = {"users": [{"login": "mallory"}], "teams": [{"slug": "ops"}], "apps": [{"slug": "reconcile"}]}
    reviews = {**OLDER["required_pull_request_reviews"], "bypass_pull_request_allowances": past}
    rules.rules, rules.administrator = [], True
    rules.older = {**OLDER, "required_pull_request_reviews": reviews}
    assert forge.protection("main").bypass == ("user mallory", "team ops", "app reconcile")


def test_given_a_hidden_bypass_list_then_the_older_protection_does_not_stand_for_it(
    forge: GitHub, rules: Rules
) -> None:
    rules.older, rules.administrator = dict(OLDER), True
    del rules.rulesets[42]["bypass_actors"]
    assert forge.protection("main").bypass is None


def test_given_the_older_protection_then_another_token_says_that_it_cannot_read_it(forge: GitHub, rules: Rules) -> None:
    rules.rules, rules.older = [], dict(OLDER)
    assert not forge.protection("main").readable


def test_given_a_refusal_then_it_is_told(hub: StandIn) -> None:
    with pytest.raises(ForgeError, match="401"):
        GitHub(hub.url, REPOSITORY, "wrong", trust=True).protection("main")


def test_a_plain_remote_cannot_be_asked() -> None:
    assert PlainGit("origin").protection("main") is None
