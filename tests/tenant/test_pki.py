"""The loopback authority: what it issues is trusted by those who trust it, and by nobody else."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.demo.pki import Authority, Files, Validity


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Test root")


def handshake(files: Files, trusted: bytes, name: str) -> str:
    """Shake hands over a socket pair, verifying as strictly as OpenSSL can; return the negotiated version."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.cert, files.key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_verify_locations(cadata=trusted.decode())
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except (ssl.SSLError, OSError):
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours, client.wrap_socket(ours, server_hostname=name) as tls:
            return str(tls.version())
    finally:
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_root_accepts_each_name(authority: Authority, tmp_path: Path, name: str) -> None:
    files = authority.write(tmp_path / "made" / "here", ["localhost", "127.0.0.1"])
    assert handshake(files, authority.pem, name).startswith("TLS")


def test_a_client_that_trusts_another_root_refuses(authority: Authority, tmp_path: Path) -> None:
    files = authority.write(tmp_path, ["localhost"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, Authority.create("Other root").pem, "localhost")


def test_a_name_that_was_not_issued_is_refused(authority: Authority, tmp_path: Path) -> None:
    files = authority.write(tmp_path, ["localhost"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, authority.pem, "elsewhere.test")


def test_an_expired_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    past = Validity.around(datetime.now(UTC) - timedelta(days=365))
    files = authority.write(tmp_path, ["localhost"], past)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(files, authority.pem, "localhost")


def test_the_key_is_for_its_owner_alone_even_when_rewritten(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("old")
    (tmp_path / "key.pem").chmod(0o644)
    files = authority.write(tmp_path, ["localhost"])
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_nothing_secret_shows_in_a_repr(authority: Authority) -> None:
    issued = authority.issue(["localhost"])
    assert "PRIVATE" not in repr(issued)
    assert "_key" not in repr(authority)


def test_a_certificate_without_a_name_is_refused(authority: Authority) -> None:
    with pytest.raises(ValueError, match="at least one name"):
        authority.issue([])
