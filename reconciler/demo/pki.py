"""A certificate authority for loopback: the demonstration and the tests speak real, verified TLS.

Keys are RSA 2048 in PKCS #8 PEM, which OpenSSL, Samba's GnuTLS and msal's certificate credential all accept.
Certificates carry what strict verifiers ask for (RFC 5280: critical basicConstraints, key identifiers, SAN).
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LEEWAY = timedelta(hours=1)
_LIFETIME = timedelta(days=30)
_COMMON_NAME_MAX = 64


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when (both timezone-aware)."""

    not_before: datetime
    not_after: datetime

    @staticmethod
    def around(now: datetime | None = None) -> Validity:
        """Return an hour back to thirty days ahead of `now`, by default the wall clock's."""
        now = now or datetime.now(UTC)
        return Validity(now - _LEEWAY, now + _LIFETIME)


@dataclass(frozen=True, slots=True)
class Issued:
    """A leaf certificate and its private key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    def thumbprint(self, algorithm: str = "sha1") -> str:
        """Return the hex digest of the DER certificate: SHA-1 as Entra's portal shows it, or `sha256`."""
        der = x509.load_pem_x509_certificate(self.certificate_pem).public_bytes(serialization.Encoding.DER)
        return hashlib.new(algorithm, der, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Files:
    """Where a certificate was written: the CA's, the leaf's, and the leaf's key (mode 0600)."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A root that lives in memory: whoever trusts `pem` trusts what it issues."""

    _certificate: x509.Certificate = field(repr=False)
    _key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def create(cls, common_name: str, validity: Validity | None = None) -> Authority:
        """Return a new self-signed root."""
        key = _new_key()
        name = _name(common_name)
        certificate = (
            _builder(name, name, key.public_key(), key.public_key(), validity)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The root's certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, names: Sequence[str], validity: Validity | None = None) -> Issued:
        """Return a certificate for these DNS names and IP addresses, good for servers and for clients.

        The first name is the subject. Raises ValueError when there is none.
        """
        if not names:
            raise ValueError("a certificate needs at least one name")
        key = _new_key()
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _builder(_name(names[0]), self._certificate.subject, key.public_key(), self._key.public_key(), validity)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def write(self, directory: Path, names: Sequence[str], validity: Validity | None = None) -> Files:
        """Issue a certificate and write `ca.pem`, `cert.pem` and `key.pem` into `directory`, made if missing."""
        issued = self.issue(names, validity)
        directory.mkdir(parents=True, exist_ok=True)
        files = Files(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
        files.ca.write_bytes(self.pem)
        files.cert.write_bytes(issued.certificate_pem)
        files.key.unlink(missing_ok=True)
        with os.fdopen(os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(issued.key_pem)
        return files


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_COMMON_NAME_MAX])])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    validity: Validity | None,
) -> x509.CertificateBuilder:
    validity = validity or Validity.around()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
