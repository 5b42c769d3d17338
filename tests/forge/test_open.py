"""The forge that `reconcile.yaml` names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.errors import SettingsError
from reconciler.forge.git import PlainGit
from reconciler.forge.github import GitHub
from reconciler.forge.open import open_forge
from reconciler.forge.port import Instruction, Published
from reconciler.model.dn import DN
from reconciler.model.settings import Directory, Entra, Forge, Settings

from .conftest import TOKEN, StandIn


def settings(
    kind: str = "github", url: str = "https://api.github.com", repository: str | None = "contoso/identity"
) -> Settings:
    return Settings(
        Entra("t", "c", "secret", "https://login.test", "https://graph.test", None),
        Directory(("ldaps://dc1",), DN("DC=contoso,DC=test"), (), "simple", None),
        Forge(kind, "origin", "main", url, repository, 1, ()),
        timedelta(hours=24),
        5000,
        "0" * 64,
        ".",
    )


def test_github_is_opened_with_the_programs_own_token_before_the_workflows(stand_in: StandIn) -> None:
    env = {"GITHUB_TOKEN": "another", "RECONCILE_FORGE_TOKEN": f" {TOKEN}\n"}
    forge = open_forge(settings(url=stand_in.url + "/"), env)
    assert isinstance(forge, GitHub)
    assert forge.find("reconcile/plan", "main") is None


def test_the_workflows_token_does_where_there_is_no_other(stand_in: StandIn) -> None:
    assert open_forge(settings(url=stand_in.url), {"GITHUB_TOKEN": TOKEN}).find("reconcile/plan", "main") is None


def test_plain_git_needs_no_token_and_says_how_to_merge() -> None:
    forge = open_forge(settings("git", repository=None), {})
    assert isinstance(forge, PlainGit)
    said = forge.publish(Published("reconcile/plan", "main", "b" * 40, "t", "b"))
    assert isinstance(said, Instruction)
    assert f"git merge {'b' * 40} && git push origin main" in said.text
    assert "git fetch origin main reconcile/plan && git diff" in said.text


def test_names_in_the_words_to_copy_are_quoted_for_the_shell() -> None:
    said = PlainGit("origin").publish(Published("reconcile/plan", "main;rm -rf ~", "b" * 40, "t", "b"))
    assert "'main;rm -rf ~'" in said.text
    assert " main;rm" not in said.text


def test_an_unknown_forge_is_refused() -> None:
    with pytest.raises(SettingsError, match="bitbucket"):
        open_forge(settings("bitbucket"), {})


def test_github_without_a_token_is_refused_with_the_variables_name() -> None:
    with pytest.raises(SettingsError, match="RECONCILE_FORGE_TOKEN"):
        open_forge(settings(), {"RECONCILE_FORGE_TOKEN": "  "})


def test_a_token_with_a_line_break_inside_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError) as refused:
        open_forge(settings(), {"RECONCILE_FORGE_TOKEN": "ghs_abc\r\nHost: evil"})
    assert "ghs_abc" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com",
        "ftp://x",
        "https://",
        "https://user:pw@ghe.test/api/v3",
        "https://x/?a=b",
        "",
        "https://[::1",
        "http://localhost.evil.test",
    ],
)
def test_the_token_is_only_ever_sent_over_tls(url: str) -> None:
    with pytest.raises(SettingsError, match=r"forge\.url"):
        open_forge(settings(url=url), {"RECONCILE_FORGE_TOKEN": TOKEN})


@pytest.mark.parametrize("repository", [None, "", "identity", "a/b/c", "../x", "contoso/identity?x"])
def test_a_repository_that_is_no_owner_and_name_is_refused(repository: str | None) -> None:
    with pytest.raises(SettingsError, match=r"forge\.repository"):
        open_forge(settings(repository=repository), {"RECONCILE_FORGE_TOKEN": TOKEN})
