"""Whom the connection trusts and which way it takes, whatever the environment says."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from reconciler.demo.pki import Authority, Files
from reconciler.errors import GraphError, SettingsError
from reconciler.graph.client import GraphClient
from reconciler.graph.transport import Patience, Transport, explain, https_origin, trust

from .scripted import FixedToken, Peer, Reply, write_pem


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    return write_pem(tmp_path / "stranger.pem", Authority.create("Stranger").pem)


class TestTrust:
    def test_in_the_file_named_outranks_the_environments(
        self, peer: Peer, tls: Files, stranger: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer.on("/", {})
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(stranger))
        found = trust("ca.pem", str(tls.ca.parent), {"REQUESTS_CA_BUNDLE": str(stranger)})
        with Transport(found) as session:
            assert session.get(peer.origin).ok

    def test_in_nobody_else_is_lent_by_the_environment(
        self, peer: Peer, tls: Files, stranger: Path, tokens: FixedToken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
        with Transport(trust(str(stranger), "/", {})) as session:
            client = GraphClient(peer.origin, session, tokens)
            with pytest.raises(
                GraphError, match=r"certificate of localhost:\d+ is not trusted: unable to get local"
            ) as caught:
                client.get(f"{peer.origin}/x")
        assert "entra.ca_file" in caught.value.remedy
        assert peer.asked == []

    @pytest.mark.parametrize(("code", "words"), [(9, "certificate is not yet valid"), (10, "certificate has expired")])
    def test_that_is_not_valid_now_is_no_question_of_trust(self, code: int, words: str) -> None:
        refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
        refused.verify_code, refused.verify_message = code, words
        said = explain(requests.exceptions.SSLError(refused), "https://graph.example/v1.0")
        assert said.what == f"The TLS certificate of graph.example is not valid now: {words}"
        assert "clock" in said.remedy

    def test_that_is_refused_is_not_asked_for_again(self, peer: Peer, stranger: Path) -> None:
        before = time.monotonic()
        with Transport(str(stranger)) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(peer.origin)
        assert time.monotonic() - before < 20, "retrying would take two minutes"

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_is_the_environments_where_no_file_is_named(self, name: str, stranger: Path) -> None:
        assert trust(None, "/", {name: str(stranger)}) == str(stranger)

    def test_is_the_systems_otherwise(self, peer: Peer) -> None:
        found = trust(None, "/", {})
        paths = ssl.get_default_verify_paths()
        assert found in (paths.cafile, paths.capath, True)
        with Transport(found) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(peer.origin)

    @pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("nothing", "holds no PEM certificates")])
    def test_in_an_unusable_file_is_refused_with_its_name(self, tmp_path: Path, content: str | None, why: str) -> None:
        if content is not None:
            (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(SettingsError, match=rf"entra\.ca_file: .*ca\.pem: {why}"):
            trust("ca.pem", str(tmp_path), {})

    def test_needs_the_name_that_was_asked_for(self, tokens: FixedToken, tmp_path: Path) -> None:
        authority = Authority.create("Other names")
        files = authority.write(tmp_path, ["graph.example"])
        with Peer(files) as peer, Transport(str(files.ca)) as session:
            client = GraphClient(peer.origin, session, tokens)
            with pytest.raises(GraphError, match="not trusted: Hostname mismatch"):
                client.get(f"{peer.origin}/x")


class TestWhatSpeaksNoTls:
    """Anything else on that port must not be taken for an untrusted certificate."""

    @pytest.mark.parametrize(
        ("answer", "what"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "spoken to over TLS"), (b"", "cut off")]
    )
    def test_is_told_from_an_untrusted_certificate(
        self, session: Transport, tokens: FixedToken, answer: bytes, what: str
    ) -> None:
        with listening(saying(answer)) as port, pytest.raises(GraphError, match=what) as caught:
            GraphClient(f"https://localhost:{port}", session, tokens).get(f"https://localhost:{port}/x")
        assert "certificate" not in str(caught.value)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield a port where each connection is served, by a thread that has ended when the block has.

    One left behind could accept what is for whoever gets the same file descriptor next.
    """

    def accept() -> None:
        with suppress(OSError):  # shut down
            while True:
                near, _ = listener.accept()
                with suppress(OSError):  # they hung up
                    serve(near)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def saying(answer: bytes) -> Callable[[socket.socket], None]:
    """Return what gives everybody this answer."""

    def serve(near: socket.socket) -> None:
        with near:
            near.recv(4096)
            near.sendall(answer)

    return serve


@pytest.mark.parametrize(("method", "times"), [("GET", 4), ("POST", 1)])
def test_what_may_not_be_done_twice_is_not_repeated_where_its_answer_is_cut(
    session: Transport, peer: Peer, method: str, times: int
) -> None:
    session.mount("https://", HTTPAdapter(max_retries=Patience.bounded().new(allowed_methods=frozenset({"GET"}))))
    peer.on("/", Reply({}, cut=True))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.request(method, peer.origin)
    assert len(peer.asked) == times


def test_the_token_is_not_replaced_by_a_netrc(
    client: GraphClient, peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    peer.on("/", {})
    client.get(f"{peer.origin}/v1.0/x")
    assert peer.asked[0].headers["Authorization"] == "Bearer token-0"


class TestAProxy:
    """Tunnels (RFC 9110, 9.3.6) and remembers where to."""

    @pytest.fixture
    def proxy(self) -> Iterator[tuple[str, list[str]]]:
        tunnels: list[str] = []
        with listening(tunnelling(tunnels)) as port:
            yield f"http://127.0.0.1:{port}", tunnels

    def test_is_used_and_the_peers_certificate_still_checked(
        self, client: GraphClient, peer: Peer, proxy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer.on("/", {})
        monkeypatch.setenv("HTTPS_PROXY", proxy[0])
        assert client.get(f"{peer.origin}/v1.0/x").ok
        assert proxy[1] == [peer.origin.removeprefix("https://")]

    def test_is_passed_by_where_no_proxy_says_so(
        self, client: GraphClient, peer: Peer, proxy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer.on("/", {})
        monkeypatch.setenv("HTTPS_PROXY", proxy[0])
        monkeypatch.setenv("NO_PROXY", "localhost")
        assert client.get(f"{peer.origin}/v1.0/x").ok
        assert proxy[1] == []

    def test_that_is_not_there_is_what_the_error_names(
        self, client: GraphClient, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://someone:hidden@127.0.0.1:1")
        with pytest.raises(GraphError, match="proxy refused the way to localhost") as caught:
            client.get(f"{peer.origin}/v1.0/x")
        assert "hidden" not in str(caught.value)
        assert "HTTPS_PROXY" in caught.value.remedy

    def test_that_asks_who_we_are_says_so(
        self, client: GraphClient, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        with listening(saying(refusal)) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            with pytest.raises(GraphError, match="HTTP 407") as caught:
                client.get(f"{peer.origin}/v1.0/x")
        assert "name:password@" in caught.value.remedy

    @pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://:"])
    def test_that_cannot_be_one_is_what_the_error_names(
        self, client: GraphClient, peer: Peer, monkeypatch: pytest.MonkeyPatch, proxy: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(GraphError, match="proxy on the way to localhost") as caught:
            client.get(f"{peer.origin}/v1.0/x")
        assert "HTTPS_PROXY" in caught.value.remedy


def tunnelling(tunnels: list[str]) -> Callable[[socket.socket], None]:
    """Return what connects everybody to where they ask for, and notes where that is."""

    def serve(near: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += near.recv(4096)
        target = request.split()[1].decode()
        tunnels.append(target)
        host, _, port = target.rpartition(":")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    return serve


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            end.close()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://graph.microsoft.com/v1.0", "https://graph.microsoft.com"),
        ("https://Graph.Microsoft.COM:443/v1.0", "https://graph.microsoft.com"),
        ("https://localhost:8443/v1.0", "https://localhost:8443"),
        ("https://[::1]:8443/v1.0", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert https_origin(url, "entra.graph") == origin


@pytest.mark.parametrize(
    "url", ["http://graph", "graph.microsoft.com", "https://", "https://a@b", "https://h:port", "", "ftp://x"]
)
def test_an_origin_that_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"entra\.graph"):
        https_origin(url, "entra.graph")
