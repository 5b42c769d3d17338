"""Peers for the Graph end: a scripted one, and a source of users that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.demo.pki import Authority, Files, Issued
from reconciler.demo.tenant import Tenant
from reconciler.graph.client import GraphClient
from reconciler.graph.source import GraphUsers
from reconciler.graph.transport import Transport

from .places import CLIENT, SECRET, TENANT, Place, entra
from .scripted import FixedToken, Peer


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Authority.create("Graph tests").write(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"])


@pytest.fixture
def peer(tls: Files) -> Iterator[Peer]:
    with Peer(tls) as running:
        yield running


@pytest.fixture
def session(tls: Files) -> Iterator[Transport]:
    with Transport(str(tls.ca)) as opened:
        yield opened


@pytest.fixture
def tokens() -> FixedToken:
    return FixedToken()


@pytest.fixture
def client(peer: Peer, session: Transport, tokens: FixedToken) -> GraphClient:
    return GraphClient(f"{peer.origin}/v1.0", session, tokens)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def users(client: GraphClient, slept: list[float]) -> GraphUsers:
    return GraphUsers(client, slept.append)


@pytest.fixture(autouse=True)
def _nobody_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies and account out of the tests."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("Sign-in tests")


@pytest.fixture(scope="session")
def issued(authority: Authority) -> Issued:
    return authority.issue(["reconcile"])


@pytest.fixture
def tenant(authority: Authority) -> Iterator[Tenant]:
    with Tenant(TENANT, CLIENT, [{"mail": "alice@fabrikam.com"}], secret=SECRET, pki=authority) as running:
        running.set_device_interval(1)
        yield running


@pytest.fixture
def place(tenant: Tenant, tmp_path: Path) -> Place:
    ca_file = str(tenant.ca_file(tmp_path))
    return lambda credential="secret", **other: entra(tenant.authority, ca_file, credential, **other)
