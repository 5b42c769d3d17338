"""Signing in with a certificate, and files that do not hold a usable one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from reconciler.demo.pki import Authority, Issued, Validity
from reconciler.demo.tenant import Tenant
from reconciler.errors import SettingsError
from reconciler.graph.port import GuestSource

from .places import Place, guests, refusal, source
from .scripted import write_pem

PASSWORD = "correct horse"


def pem(issued: Issued, password: str | None = None) -> bytes:
    key = serialization.load_pem_private_key(issued.key_pem, None)
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


def pfx(issued: Issued, password: str | None) -> bytes:
    key = serialization.load_pem_private_key(issued.key_pem, None)
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    certificate = load_pem_x509_certificate(issued.certificate_pem)
    return pkcs12.serialize_key_and_certificates(b"reconcile", key, certificate, None, sealed)  # type: ignore[arg-type]


class TestACertificate:
    @pytest.fixture
    def use(self, tenant: Tenant, issued: Issued, place: Place, tmp_path: Path) -> Callable[..., GuestSource]:
        tenant.register_certificate(issued.certificate_pem)

        def use(content: bytes, password: str | None = None) -> GuestSource:
            env = {"RECONCILE_ENTRA_CERTIFICATE": str(write_pem(tmp_path / "app", content))}
            return source(
                place("certificate"), env | ({"RECONCILE_ENTRA_CERTIFICATE_PASSWORD": password} if password else {})
            )

        return use

    @pytest.mark.parametrize(
        ("content", "password"),
        [
            (lambda i, _root: i.key_pem + i.certificate_pem, None),
            (lambda i, _root: i.certificate_pem + i.key_pem, None),
            (lambda i, root: root + i.certificate_pem + i.key_pem, None),
            (lambda i, _root: i.key_pem + i.certificate_pem, "not needed"),
            (lambda i, _root: pem(i, PASSWORD) + i.certificate_pem, PASSWORD),
            (lambda i, _root: pfx(i, PASSWORD), PASSWORD),
            (lambda i, _root: pfx(i, None), None),
        ],
        ids=["key first", "certificate first", "chain", "superfluous password", "encrypted PEM", "PFX", "open PFX"],
    )
    def test_signs_in(
        self,
        use: Callable[..., GuestSource],
        issued: Issued,
        authority: Authority,
        content: Callable[[Issued, bytes], bytes],
        password: str | None,
    ) -> None:
        assert guests(use(content(issued, authority.pem), password)) == ["alice@fabrikam.com"]

    @pytest.mark.parametrize(
        ("content", "password", "why"),
        [
            (lambda _i: b"", None, "no usable private key"),
            (lambda _i: b"\x30\x82garbage", None, "no usable private key"),
            (lambda i: i.certificate_pem, None, "no usable private key"),
            (lambda i: i.key_pem, None, "no usable certificate"),
            (
                lambda i: i.key_pem + Authority.create("x").issue(["x"]).certificate_pem,
                None,
                "belongs to its private key",
            ),
            (lambda i: pem(i, PASSWORD) + i.certificate_pem, None, "is encrypted"),
            (lambda i: pem(i, PASSWORD) + i.certificate_pem, "wr0ng", "no usable private key"),
            (lambda i: pfx(i, PASSWORD), "wr0ng", "no usable private key"),
            (lambda i: pfx(i, PASSWORD), None, "no usable private key"),
        ],
    )
    def test_that_cannot_be_used_is_refused_before_anything_is_sent(
        self,
        use: Callable[..., GuestSource],
        tenant: Tenant,
        issued: Issued,
        content: Callable[[Issued], bytes],
        password: str | None,
        why: str,
    ) -> None:
        with pytest.raises(SettingsError, match=why) as caught:
            use(content(issued), password)
        assert "RECONCILE_ENTRA_CERTIFICATE" in caught.value.remedy
        assert "wr0ng" not in str(caught.value)
        assert tenant.requests == ()

    def test_that_is_not_there_is_refused_with_its_path(self, place: Place, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"nowhere\.pem cannot be read: No such file"):
            source(place("certificate"), {"RECONCILE_ENTRA_CERTIFICATE": str(tmp_path / "nowhere.pem")})

    def test_that_the_app_does_not_know_is_named_by_its_code(
        self, use: Callable[..., GuestSource], authority: Authority
    ) -> None:
        other = authority.issue(["other"])
        error = refusal(use(other.key_pem + other.certificate_pem))
        assert "AADSTS700027" in error.what
        assert "RECONCILE_ENTRA_CERTIFICATE" in error.remedy

    def test_that_has_expired_is_named_by_its_code(
        self, use: Callable[..., GuestSource], authority: Authority, tenant: Tenant
    ) -> None:
        past = datetime.now(UTC) - timedelta(days=60)
        other = authority.issue(["other"], Validity.around(past))
        tenant.register_certificate(other.certificate_pem)
        assert "expired" in refusal(use(other.key_pem + other.certificate_pem)).what
