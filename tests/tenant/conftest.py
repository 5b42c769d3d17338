"""A tenant of ten guests, and a plain client that trusts its root and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msal
import pytest
import requests

from reconciler.demo.people import generate
from reconciler.demo.pki import Authority
from reconciler.demo.tenant import Tenant

TENANT = "7b3f0000-0000-4000-8000-000000000001"
CLIENT = "5d1c0000-0000-4000-8000-000000000002"
SECRET = "a client secret of the test tenant"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Client:
    """Asks the tenant as any program would: over HTTPS, with a token from msal."""

    def __init__(self, tenant: Tenant, ca: Path) -> None:
        self.tenant = tenant
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca)
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def application(self, credential: object) -> msal.ConfidentialClientApplication:
        authority = f"{self.tenant.authority}/{self.tenant.tenant_id}"
        return msal.ConfidentialClientApplication(
            CLIENT,
            client_credential=credential,
            authority=authority,
            instance_discovery=False,
            http_client=self.session,
        )

    def sign_in(self, credential: object) -> dict[str, object]:
        answer = self.application(credential).acquire_token_for_client(["https://graph.microsoft.com/.default"])
        return dict(answer)

    def token(self) -> str:
        return str(self.sign_in(SECRET)["access_token"])

    def get(self, path: str, **headers: str) -> requests.Response:
        url = path if path.startswith("https:") else f"{self.tenant.graph}{path}"
        return self.session.get(url, headers=headers, timeout=10)

    def batch(self, *requests_: dict[str, object]) -> requests.Response:
        return self.session.post(f"{self.tenant.graph}/$batch", json={"requests": list(requests_)}, timeout=10)

    def pages(self, path: str, **headers: str) -> list[dict[str, object]]:
        """Read a list or a delta round to its end."""
        pages = []
        link: object = path
        while link is not None:
            answer = self.get(str(link), **headers)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json())
            link = pages[-1].get("@odata.nextLink")
        return pages


def objects(pages: list[dict[str, object]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for page in pages:
        value = page["value"]
        assert isinstance(value, list)
        found.extend(value)
    return found


def delta_link(pages: list[dict[str, object]]) -> str:
    return str(pages[-1]["@odata.deltaLink"])


@pytest.fixture(scope="session")
def pki() -> Authority:
    return Authority.create("Test tenant root")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(pki: Authority, clock: Clock) -> Iterator[Tenant]:
    with Tenant(TENANT, CLIENT, generate(10, seed=5), secret=SECRET, clock=clock, pki=pki) as running:
        yield running


@pytest.fixture
def client(tenant: Tenant, tmp_path: Path) -> Iterator[Client]:
    client = Client(tenant, tenant.ca_file(tmp_path))
    with client.session:
        yield client
    tenant.forget_requests()
