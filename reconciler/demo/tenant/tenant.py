"""The tenant as a whole: where requests go, and what an administrator can do."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.people import Person
from reconciler.demo.pki import Authority

from .answers import Answer, Call, Clock, Entropy, Json, Stationery
from .assertions import AUDIENCE, GITHUB, Assertions, Federation, Issuers
from .delta import Delta
from .devices import Devices
from .faults import Faults, Quirks
from .front import Front, Log
from .github import Actions
from .graph import Graph
from .invitations import staff, user_of
from .query import KNOWN
from .reads import Reads
from .server import Request, Server
from .signin import SignIn
from .store import Properties, Store, User
from .tokens import AccessTokens


def _now() -> datetime:
    return datetime.now(UTC)


class Tenant:
    """One Entra tenant with one application registered in it; the package's docstring shows how to use it.

    `users` are generated people or Graph properties. `members` (with `userType` Member) and one user without a
    userType come on top. `page_size` is what a client gets that asks for none. `clock` rules the directory, `wall`
    sign-in.
    """

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        users: Iterable[Person | Properties] = (),
        *,
        secret: str | None = None,
        domain: str = "contoso.onmicrosoft.com",
        members: int = 3,
        page_size: int = 100,
        quirks: Quirks | None = None,
        pki: Authority | None = None,
        clock: Clock = _now,
        wall: Clock = _now,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        self.tenant_id, self.client_id, self.domain = tenant_id, client_id, domain
        self.secret = secret if secret is not None else entropy(24).hex()
        self.pki = pki or Authority.create("Test tenant root")
        self._clock = clock
        self._server: Server | None = None
        self._log = Log()
        self._stationery = Stationery(clock, entropy)
        self.faults = Faults(self._stationery)
        self._store = Store(clock)
        self._delta = Delta(
            self._store, self.faults, self._stationery, entropy=entropy, page_size=page_size, quirks=quirks or Quirks()
        )
        self._tokens = AccessTokens(wall, entropy, self._stationery)
        self._devices = Devices(wall, entropy)
        self._issuers = Issuers(wall, self._stationery)
        self._assertions = Assertions(client_id, self._issuers, wall)
        self._actions = Actions(self._issuers, self._stationery, entropy)
        graph = Graph(
            self._delta,
            Reads(self._store, self.faults, self._stationery, entropy, page_size),
            self._tokens,
            faults=self.faults,
            stationery=self._stationery,
            log=self._log.batched,
        )
        self._sign_in = SignIn(
            tenant_id,
            client_id,
            self.secret,
            assertions=self._assertions,
            issuers=self._issuers,
            devices=self._devices,
            tokens=self._tokens,
            faults=self.faults,
            stationery=self._stationery,
            entropy=entropy,
        )
        self._front = Front(
            (tenant_id, domain),
            graph,
            self._sign_in,
            actions=self._actions,
            issuers=self._issuers,
            stationery=self._stationery,
        )
        for properties in staff(members, domain):
            self._store.add(self._stationery.guid(), properties)
        for person in users:
            self.invite(person)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        if self._server is None:
            self._server = Server(self.pki, self._answer, lambda: self.faults.slow)

    def stop(self) -> None:
        """Stop listening and close every connection; the directory stays as it is, and can be started again."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        """`https://localhost:PORT`; RuntimeError while the tenant is not started."""
        if self._server is None:
            raise RuntimeError("the tenant is not started")
        return f"https://localhost:{self._server.port}"

    @property
    def authority(self) -> str:
        """The sign-in host, as https://login.microsoftonline.com is one; msal wants `/<tenant id>` after it."""
        return self.url

    @property
    def graph(self) -> str:
        """Microsoft Graph's service root."""
        return f"{self.url}/v1.0"

    def ca_file(self, directory: Path) -> Path:
        """Write the root certificate to trust into `directory`, made if missing, and return the file."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "tenant-ca.pem"
        file.write_bytes(self.pki.pem)
        return file

    def _answer(self, call: Call) -> Answer:
        answer = self._front.answer(call, self.url)
        self._log.answered(call, answer)
        return answer

    # What an administrator does

    def invite(self, person: Person | Properties) -> str:
        """Add a guest and return the id; ValueError where the userPrincipalName is taken or a property unknown."""
        given = person.properties if isinstance(person, Person) else person
        _check(given)
        user_id = str(given.get("id") or self._stationery.guid()).lower()
        self._store.add(user_id, user_of(given, self.domain, self._clock()))
        return user_id

    def update(self, user_id: str, **properties: Json) -> None:
        """Change a live user; None clears a property."""
        _check(properties)
        self._store.update(user_id, properties)

    def soft_delete(self, user_id: str) -> None:
        """Delete a live user, restorable for 30 days."""
        self._store.soft_delete(user_id)

    def restore(self, user_id: str) -> None:
        """Bring a soft-deleted user back."""
        self._store.restore(user_id)

    def purge(self, user_id: str) -> None:
        """Delete a user for good, live or soft-deleted."""
        self._store.purge(user_id)

    def get(self, user_id: str) -> User:
        """Return a user, live or soft-deleted."""
        return self._store.get(user_id)

    def guests(self) -> tuple[User, ...]:
        """Return every live guest."""
        users = (self._store.find(i) for i in self._store.live())
        return tuple(u for u in users if u is not None and u.properties.get("userType") == "Guest")

    # Sign-in

    def register_certificate(self, certificate_pem: bytes) -> None:
        """Let the application sign in with this certificate's key."""
        self._assertions.register(certificate_pem)

    def federate(self, subject: str, issuer: str = GITHUB, audience: str = AUDIENCE) -> None:
        """Let the application sign in with this issuer's assertions about this subject."""
        self._assertions.federate(Federation(subject, issuer, audience))

    def mint(
        self,
        subject: str,
        issuer: str = GITHUB,
        audience: str = AUDIENCE,
        *,
        lifetime: timedelta = timedelta(minutes=5),
        forged: bool = False,
    ) -> str:
        """Return an assertion as the issuer would sign it; a forged one has another key's signature."""
        claims: dict[str, Json] = {"sub": subject, "aud": audience}
        return self._issuers.sign(issuer, claims, lifetime, forged=forged)

    def actions(self, subject: str) -> dict[str, str]:
        """Return the environment of a GitHub Actions job with `id-token: write`, whose assertions name this subject."""
        return self._actions.environment(subject, self.url)

    def approve(self, user_code: str | None = None) -> None:
        """Sign in at the other end of a pending device code, of any where no code is given; KeyError without one."""
        self._devices.decide(user_code, "approved")

    def deny(self, user_code: str | None = None) -> None:
        """Decline a pending device code."""
        self._devices.decide(user_code, "declined")

    def set_device_interval(self, seconds: int) -> None:
        """Tell device code clients to poll that often: Entra says 5, and with less than 1 msal never stops polling."""
        self._sign_in.device_interval = seconds

    def consent(self, *permissions: str) -> None:
        """Let the app have exactly these application permissions: from the next token on, they are its roles."""
        self._sign_in.roles = list(permissions)

    def expire_access_tokens(self) -> None:
        """Let every access token handed out so far be expired."""
        self._tokens.expire()

    # Delta

    @property
    def quirks(self) -> Quirks:
        """The freedoms taken from now on."""
        return self._delta.quirks

    @quirks.setter
    def quirks(self, quirks: Quirks) -> None:
        self._delta.quirks = quirks

    def expire_delta_links(self) -> None:
        """Let every delta and next link handed out so far be expired."""
        self._delta.expire()

    # Requests

    @property
    def requests(self) -> tuple[Request, ...]:
        """Everything asked so far, in the order of the answers."""
        return self._log.requests

    def forget_requests(self) -> None:
        """Begin the log anew."""
        self._log.clear()


def _check(properties: Mapping[str, object]) -> None:
    unknown = sorted(set(properties) - KNOWN)
    if unknown:
        raise ValueError(f"a user of Microsoft Graph has no {', '.join(unknown)}")
