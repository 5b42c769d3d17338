"""From a URL and credentials to a bound, verified session."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPPackageUnavailableError

from reconciler.errors import DirectoryUnavailableError, SettingsError

from .refusals import Result, bind_refusal, visible
from .session import Session
from .strategy import install
from .tls import VerifiedTls, distrust

_PORTS = {"ldaps": 636, "ldap": 389}
_CATALOG_PORTS = {"ldaps": 3269, "ldap": 3268}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in whole seconds: for a connection and its handshake, and for an answer.

    A page of a search without an index may take a minute on a large domain.
    """

    connect: int = 10
    receive: int = 120


@dataclass(frozen=True, slots=True)
class Simple:
    """A user (UPN, DOMAIN\\name or DN) and a password, sent only over verified TLS."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gssapi:
    """Kerberos, with the tickets of a credential cache (None: the environment's default one)."""

    cache: str | None = None


Credentials = Simple | Gssapi
_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One controller. `url` is as the settings have it; `ldap://` means StartTLS, never a plain connection."""

    url: str
    host: str
    port: int
    starttls: bool

    @staticmethod
    def parse(url: str, *, catalog: bool = False) -> Endpoint:
        """Return where to connect (`catalog`: for the global catalog); SettingsError for anything but a plain URL."""
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme, parts.hostname, parts.port
        except ValueError:
            scheme, host, port = "", None, None
        if scheme not in _PORTS or not host or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
            raise SettingsError(
                f"Not a domain controller's URL: {visible(url)}",
                "Write directory.controllers as ldaps://HOST[:PORT], or ldap://HOST[:PORT] for StartTLS.",
            )
        ports = _CATALOG_PORTS if catalog else _PORTS
        return Endpoint(url, host, ports[scheme] if catalog or port is None else port, starttls=scheme == "ldap")


def dial(
    endpoint: Endpoint,
    trusted: ssl.SSLContext,
    credentials: Credentials,
    *,
    read_only: bool,
    patience: Patience = _PATIENCE,
) -> Session:
    """Connect, verify, bind. Raises DirectoryUnavailableError, with a `code` when it was the bind that was refused."""
    tls = VerifiedTls(trusted)
    # A new one each time: after a failure ldap3 remembers the address as invalid for a while.
    server = ldap3.Server(
        endpoint.host,
        port=endpoint.port,
        use_ssl=not endpoint.starttls,
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=patience.connect,
        allowed_referral_hosts=[],
    )
    connection: Any = ldap3.Connection(
        server,
        client_strategy=ldap3.SYNC,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        auto_escape=False,
        auto_encode=False,
        check_names=False,
        return_empty_attributes=False,
        read_only=read_only,
        receive_timeout=patience.receive,
        **_binding(endpoint, credentials),
    )
    install(connection)
    bound = False
    try:
        _connect(connection, endpoint, tls)
        _bind(connection, endpoint, credentials)
        bound = True
    finally:
        if not bound and connection.socket is not None:  # ldap3 leaves it open
            connection.socket.close()
    return Session(connection, endpoint.url)


def _binding(endpoint: Endpoint, credentials: Credentials) -> dict[str, Any]:
    if isinstance(credentials, Simple):
        return {"user": credentials.user, "password": credentials.password, "authentication": ldap3.SIMPLE}
    return {
        "authentication": ldap3.SASL,
        "sasl_mechanism": ldap3.KERBEROS,
        "sasl_credentials": (endpoint.host, None, _tickets(credentials)),
    }


def _said(error: Exception) -> str:
    """Return an error's words in one line; those of Kerberos have two spaces between sentences."""
    return visible(" ".join(str(error).split()))


def _tickets(credentials: Gssapi) -> Any:
    try:
        gssapi = import_module("gssapi")  # an extra: only who binds with Kerberos has it
    except ImportError as error:
        raise SettingsError(
            "`bind: gssapi` needs the Python package gssapi, which is not installed.",
            "Install reconcile with its extra `kerberos` (see Install in README.md), or use `bind: simple`.",
        ) from error
    store = {"ccache": credentials.cache} if credentials.cache else None
    try:
        return gssapi.Credentials(usage="initiate", store=store)
    except gssapi.exceptions.GSSError as error:
        raise DirectoryUnavailableError(
            f"No Kerberos tickets to sign in with: {_said(error)}", "Get some with kinit, and set KRB5CCNAME."
        ) from error


def _connect(connection: Any, endpoint: Endpoint, tls: VerifiedTls) -> None:
    try:
        connection.open(read_server_info=False)
        if endpoint.starttls:
            connection.start_tls(read_server_info=False)
    except (LDAPException, OSError) as error:
        if tls.failure is not None:
            raise distrust(endpoint.url, tls.failure) from error
        if not connection.server.address_info:  # of which ldap3 says "invalid server address"
            raise DirectoryUnavailableError(
                f"{visible(endpoint.url)} cannot be reached: the name {visible(endpoint.host)} has no address",
                "Check the name, and that this machine asks a DNS server that knows the domain.",
            ) from error
        raise DirectoryUnavailableError(
            f"{visible(endpoint.url)} cannot be reached on port {endpoint.port}: {visible(str(error))}",
            "Check the name, the port, the network, and that the domain controller runs.",
        ) from error
    if not isinstance(connection.socket, ssl.SSLSocket):
        raise DirectoryUnavailableError(f"{visible(endpoint.url)} did not start TLS.", "Use ldaps://.")


def _bind(connection: Any, endpoint: Endpoint, credentials: Credentials) -> None:
    user = credentials.user if isinstance(credentials, Simple) else "with Kerberos"
    failures: tuple[type[Exception], ...] = (LDAPException, OSError)
    if isinstance(credentials, Gssapi):
        failures = (*failures, import_module("gssapi").exceptions.GSSError)
    try:
        connection.bind(read_server_info=False)
    except LDAPPackageUnavailableError as error:
        raise SettingsError(
            f"`bind: gssapi`: {error}", "Install reconcile with its extra `kerberos` (see Install in README.md)."
        ) from error
    except failures as error:
        raise DirectoryUnavailableError(
            f"{visible(endpoint.url)}: signing in {visible(user)} failed: {_said(error)}",
            "Check the network; with Kerberos, also the tickets (klist) and that the URL has its DNS name.",
        ) from error
    result = connection.result
    if result["result"]:
        raise bind_refusal(endpoint.url, user, Result(result["result"], result["description"], result["message"] or ""))
