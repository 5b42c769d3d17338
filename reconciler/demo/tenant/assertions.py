"""Client assertions (RFC 7523): signed by a registered certificate's key, or by an issuer the application trusts.

Verified as Entra documents it: signature, audience, lifetime, and who it speaks of. The times are the machine's.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .answers import Clock, Json, Stationery

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an assertion is refused: Entra's code and words."""

    code: int
    what: str


@dataclass(frozen=True, slots=True)
class Federation:
    """One federated identity credential: assertions of this issuer for this audience about this subject are trusted."""

    subject: str
    issuer: str = GITHUB
    audience: str = AUDIENCE


class Issuers:
    """Signing keys by issuer, made when first needed: ours, GitHub's, anybody's."""

    def __init__(self, wall: Clock, stationery: Stationery) -> None:
        self._wall, self._stationery = wall, stationery
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}

    def key(self, issuer: str) -> rsa.RSAPrivateKey:
        """Return the issuer's key."""
        with self._lock:
            if issuer not in self._keys:
                self._keys[issuer] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return self._keys[issuer]

    def sign(self, issuer: str, claims: Mapping[str, Json], lifetime: timedelta, *, forged: bool = False) -> str:
        """Return a token of this issuer; a forged one is signed by somebody else's key."""
        now = self._wall()
        stamps = {"iat": _stamp(now), "nbf": _stamp(now), "exp": _stamp(now + lifetime), "jti": self._stationery.guid()}
        key = self.key(f"not {issuer}" if forged else issuer)
        return jwt.encode({"iss": issuer, **stamps, **claims}, key, "RS256", headers={"kid": _kid(issuer)})

    def keys(self, issuer: str) -> Json:
        """Return the issuer's public keys as a JSON Web Key Set (RFC 7517)."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key(issuer).public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "kid": _kid(issuer)}]}


class Assertions:
    """What one application trusts: its certificates and its federated credentials."""

    def __init__(self, client_id: str, issuers: Issuers, wall: Clock) -> None:
        self._client_id, self._issuers, self._wall = client_id, issuers, wall
        self._certificates: dict[str, x509.Certificate] = {}
        self._federations: list[Federation] = []

    def register(self, certificate_pem: bytes) -> None:
        """Trust assertions signed with this certificate's key."""
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        der = certificate.public_bytes(serialization.Encoding.DER)
        for algorithm in ("sha1", "sha256"):
            thumbprint = hashlib.new(algorithm, der, usedforsecurity=False).digest()
            self._certificates[urlsafe_b64encode(thumbprint).decode().rstrip("=")] = certificate

    def federate(self, federation: Federation) -> None:
        """Trust assertions of somebody else's."""
        self._federations.append(federation)

    def problem(self, assertion: str, audiences: tuple[str, ...]) -> Problem | None:
        """Return why an assertion is refused, or None; `audiences` are the names of the token endpoint."""
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError:
            return Problem(50027, "JWT token is invalid or malformed.")
        thumbprint = header.get("x5t#S256") or header.get("x5t")
        if thumbprint:
            return self._signed(assertion, str(thumbprint).rstrip("="), claims, audiences)
        return self._federated(assertion, claims)

    def _signed(
        self, assertion: str, thumbprint: str, claims: Mapping[str, Json], audiences: tuple[str, ...]
    ) -> Problem | None:
        certificate = self._certificates.get(thumbprint)
        if certificate is None:
            return Problem(
                700027, "The certificate with identifier used to sign the client assertion is not registered."
            )
        if certificate.not_valid_after_utc < self._wall():
            return Problem(700027, "The certificate used to sign the client assertion is expired.")
        if not _verifies(assertion, certificate.public_key()):
            return Problem(700027, "The client assertion failed signature validation.")
        if claims.get("aud") not in audiences:
            return Problem(700023, "Client assertion audience claim does not match Realm issuer.")
        if {claims.get("iss"), claims.get("sub")} != {self._client_id}:
            return Problem(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
        return self._lifetime(claims)

    def _federated(self, assertion: str, claims: Mapping[str, Json]) -> Problem | None:
        issuer, subject, audience = claims.get("iss"), str(claims.get("sub")), claims.get("aud")
        candidates = [f for f in self._federations if f.issuer == issuer]
        if not candidates:
            return _unmatched(700211, "issuer", issuer)
        if not _verifies(assertion, self._issuers.key(str(issuer)).public_key()):
            return Problem(50013, "Assertion failed signature validation. [Reason - The key was not found.]")
        candidates = [f for f in candidates if f.audience == audience]
        if not candidates:
            return _unmatched(700212, "audience", audience)
        if all(f.subject != subject for f in candidates):
            same_but_case = any(f.subject.casefold() == subject.casefold() for f in candidates)
            return _unmatched(7002138 if same_but_case else 700213, "subject", subject)
        return self._lifetime(claims)

    def _lifetime(self, claims: Mapping[str, Json]) -> Problem | None:
        now = self._wall()
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int | float) or not isinstance(begins, int | float):
            return Problem(50027, "JWT token is invalid or malformed.")
        if expires < _stamp(now) or begins > _stamp(now + _SKEW):
            return Problem(700024, "Client assertion is not within its valid time range.")
        return None


def _verifies(assertion: str, key: CertificatePublicKeyTypes) -> bool:
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        jwt.PyJWS().decode(assertion, key, algorithms=["RS256", "PS256"])
    except jwt.PyJWTError:
        return False
    return True


def _unmatched(code: int, name: str, value: Json) -> Problem:
    advice = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    return Problem(
        code, f"No matching federated identity record found for presented assertion {name} '{value}'. {advice}"
    )


def _stamp(when: datetime) -> int:
    return int(when.timestamp())


def _kid(issuer: str) -> str:
    return hashlib.sha256(issuer.encode()).hexdigest()[:16]
