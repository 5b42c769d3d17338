"""A client certificate and its key from a file, in the form msal takes."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import Certificate, load_pem_x509_certificates

from reconciler.errors import SettingsError

_SOURCE = "RECONCILE_ENTRA_CERTIFICATE"
_PASSWORD = "RECONCILE_ENTRA_CERTIFICATE_PASSWORD"  # noqa: S105  the variable's name
_REMEDY = f"{_SOURCE} must name a PEM file with an RSA private key and its certificate, or a PFX file."


def load(path: Path, password: str) -> dict[str, str]:
    """Return `private_key` and `public_certificate`, both PEM, from a PEM or PFX file; an empty password is none.

    Of several certificates the one that belongs to the key is taken. Raises SettingsError for an unusable file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", _REMEDY) from error
    secret = password.encode() or None
    key, certificates = _pem(data, secret, path) if b"-----BEGIN " in data else _pfx(data, secret, path)
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(f"{path} holds no RSA private key", f"Entra accepts RSA keys only. {_REMEDY}")
    public = key.public_key()
    leaf = next((each for each in certificates if each.public_key() == public), None)
    if leaf is None:
        raise SettingsError(f"{path} holds no certificate that belongs to its private key", _REMEDY)
    return {
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "public_certificate": leaf.public_bytes(serialization.Encoding.PEM).decode(),
    }


def _pem(data: bytes, password: bytes | None, path: Path) -> tuple[object, list[Certificate]]:
    encrypted = b"ENCRYPTED" in data
    if encrypted and password is None:
        raise SettingsError(f"The private key in {path} is encrypted", f"Set {_PASSWORD}.")
    try:
        key = serialization.load_pem_private_key(data, password if encrypted else None)
    except (ValueError, TypeError) as error:
        raise _unusable(path, "private key", encrypted=encrypted) from error
    try:
        return key, load_pem_x509_certificates(data)
    except ValueError as error:
        raise _unusable(path, "certificate", encrypted=False) from error


def _pfx(data: bytes, password: bytes | None, path: Path) -> tuple[object, list[Certificate]]:
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(data, password)
    except (ValueError, TypeError) as error:
        raise _unusable(path, "private key", encrypted=True) from error
    return key, [each for each in (leaf, *others) if each is not None]


def _unusable(path: Path, what: str, *, encrypted: bool) -> SettingsError:
    remedy = f"Check {_PASSWORD}. {_REMEDY}" if encrypted else _REMEDY
    return SettingsError(f"{path} holds no usable {what}", remedy)
