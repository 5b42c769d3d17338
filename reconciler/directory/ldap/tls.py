"""Verified TLS for ldap3: chain and host name are checked by OpenSSL, before anything is sent."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import ldap3

from reconciler.errors import DirectoryUnavailableError, SettingsError

from .refusals import visible

_NAME_MISMATCH = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH."""
_EXPIRED = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED."""


def context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts `ca_file` (PEM) alone, or the system's roots; SettingsError for a bad file."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"directory.ca_file {visible(str(ca_file))} cannot be read as PEM certificates: {error}",
            "Name the PEM file of the authority that issued the domain controllers' certificates.",
        ) from error


class VerifiedTls(ldap3.Tls):
    """ldap3's TLS with OpenSSL's own host name check; keeps the failure, of which ldap3 would only keep the text."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = trusted
        self.failure: ssl.SSLError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002  ldap3's signature
        """Replace the connection's socket by a verified one. A handshake takes no longer than a connect may."""
        patience = connection.socket.gettimeout()
        connection.socket.settimeout(connection.server.connect_timeout)
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)
        except ssl.SSLError as error:
            self.failure = error
            raise
        connection.socket.settimeout(patience)


def distrust(url: str, error: ssl.SSLError) -> DirectoryUnavailableError:
    """Return the error for a failed handshake: another name, another authority, expired, or no TLS at all."""
    where = visible(url)
    if not isinstance(error, ssl.SSLCertVerificationError):
        return DirectoryUnavailableError(
            f"{where} does not speak TLS as expected: {visible(str(error))}",
            "Check the port, and that the domain controller has a certificate for LDAPS.",
        )
    why = visible(error.verify_message)
    if error.verify_code in _NAME_MISMATCH:
        return DirectoryUnavailableError(
            f"{where} shows a certificate for another name: {why}",
            "Use the name that the certificate was issued for in reconcile.yaml (directory.controllers).",
        )
    if error.verify_code in _EXPIRED:
        return DirectoryUnavailableError(
            f"{where} shows a certificate that is not valid now: {why}", "Renew it, or correct this machine's clock."
        )
    return DirectoryUnavailableError(
        f"{where} shows a certificate that is not trusted: {why}",
        "Set directory.ca_file in reconcile.yaml to the PEM file of the authority that issued it.",
    )
