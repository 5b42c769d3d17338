"""Signing in as whoever this machine is: with an Azure CLI that is a script of ours."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from reconciler.errors import GraphError, SettingsError
from reconciler.graph.azure import AzureTokens

from .places import TENANT, entra, source

SCOPE = "https://graph.test/.default"
WHERE = entra("https://graph.test", None, "azure")
SCRIPT = """#!/bin/sh
echo "$@" >> {calls}
count=$(wc -l < {calls})
echo '{{"accessToken": "token '$count'", "expires_on": 1000, "expiresOn": "1970-01-01 00:16:40", "tokenType": "Bearer"}}'
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `az` that answers before every other on the path; what it is asked goes into the file returned."""
    log = tmp_path / "calls"
    script = tmp_path / "bin" / "az"
    script.parent.mkdir()
    script.write_text(SCRIPT.format(calls=log))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return log


def test_asks_the_cli_for_a_token_of_this_tenant_and_graph(calls: Path) -> None:
    assert AzureTokens(WHERE, SCOPE, lambda: 0).token() == "token 1"
    asked = calls.read_text()
    assert "https://graph.test" in asked
    assert TENANT in asked


def test_keeps_the_token_until_shortly_before_its_end(calls: Path) -> None:
    now = [0.0]
    tokens = AzureTokens(WHERE, SCOPE, lambda: now[0])
    assert [tokens.token(), tokens.token()] == ["token 1", "token 1"]
    now[0] = 701
    assert tokens.token() == "token 2"


def test_asks_again_when_the_token_was_refused(calls: Path) -> None:
    tokens = AzureTokens(WHERE, SCOPE, lambda: 0)
    tokens.token()
    assert tokens.token(renew=True) == "token 2"


def test_without_either_says_what_to_do_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/identity")
    monkeypatch.setenv("IDENTITY_HEADER", json.dumps("h1dden"))
    with pytest.raises(GraphError, match="Neither the Azure CLI nor a managed identity") as caught:
        AzureTokens(WHERE, SCOPE, lambda: 0).token()
    assert "az login" in caught.value.remedy
    assert "h1dden" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(SettingsError, match="azure-identity is not installed") as caught:
        source(WHERE)
    assert "extra `azure`" in caught.value.remedy


def test_a_tenant_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"entra\.tenant"):
        source(entra("https://graph.test", None, "azure", tenant="contoso; rm -rf"))
