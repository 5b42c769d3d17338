"""A controller that refers elsewhere, cuts an answer short, lies about its length or speaks nonsense is never believed."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path

import pytest

from reconciler.directory.ldap.dial import Endpoint, Patience, Simple, dial
from reconciler.directory.ldap.entries import Entries
from reconciler.directory.ldap.protected import Groups
from reconciler.directory.ldap.session import Session
from reconciler.directory.ldap.tls import context
from reconciler.directory.ldap.wire import Found
from reconciler.errors import DirectoryError, DirectoryUnavailableError, SettingsError
from tests.support.scripted import (
    BIND,
    EXTENDED,
    SEARCH,
    Answer,
    Script,
    Scripted,
    done,
    entry,
    paging,
    reference,
    result,
    tlv,
)

BASE = "OU=Guests,DC=contoso,DC=test"
ALICE = entry(b"CN=alice," + BASE.encode(), cn=[b"alice"])
PASSWORD = "sesame-Passw0rd"
NESTED = reduce(lambda inside, _n: tlv(0x30, inside), range(5000), b"")
LAST, MORE = paging(b""), paging(b"more")
_SID = bytes.fromhex("010500000000000515000000") + bytes(16)


@contextmanager
def controller(directory: Path, script: Script) -> Iterator[tuple[Scripted, Session]]:
    with Scripted(directory, script) as scripted:
        endpoint = Endpoint.parse(f"ldaps://127.0.0.1:{scripted.port}")
        session = dial(
            endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True, patience=Patience(5, 5)
        )
        try:
            yield scripted, session
        finally:
            session.close()


def read_all(session: Session) -> list[Found]:
    return list(session.search(BASE, "(cn=*)", ["cn"]))


class TestReferrals:
    def test_a_referral_is_an_error_and_the_credentials_go_nowhere(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as elsewhere:
            elsewhere.settimeout(0)
            url = f"ldap://127.0.0.1:{elsewhere.getsockname()[1]}/{BASE}".encode()
            with controller(tmp_path, lambda _n: [(done(10, b"0000202B: RefErr", url), b"")]) as (scripted, session):
                for attempt in (lambda: session.read(BASE, ["cn"]), lambda: read_all(session)):
                    with pytest.raises(DirectoryError, match="referral") as caught:
                        attempt()
                    assert caught.value.code == 10
                    assert "never followed" in caught.value.remedy
                assert scripted.heard == [BIND, SEARCH, SEARCH]
            with pytest.raises(BlockingIOError):
                elsewhere.accept()

    def test_a_reference_to_another_server_makes_an_answer_incomplete(self, tmp_path: Path) -> None:
        answer = [(ALICE, b""), (reference(b"ldap://dc.child.contoso.test/DC=child"), b""), (done(), LAST)]
        with controller(tmp_path, lambda _n: answer) as (_, session):
            with pytest.raises(DirectoryError) as caught:
                read_all(session)
            assert caught.value.code == 10


class TestIncompleteAnswers:
    def test_pages_end_where_the_controller_says_so(self, tmp_path: Path) -> None:
        def script(n: int) -> list[Answer]:
            return [(ALICE, b""), (done(), LAST if n == 3 else MORE)]

        with controller(tmp_path, script) as (scripted, session):
            assert len(read_all(session)) == 3
        assert scripted.received.count(b"more") == 2

    def test_an_answer_that_does_not_say_whether_it_was_all(self, tmp_path: Path) -> None:
        said_nothing = [(ALICE, b""), (done(), b"")]
        with (
            controller(tmp_path, lambda _n: said_nothing) as (_, session),
            pytest.raises(DirectoryError, match="without saying whether that was all"),
        ):
            read_all(session)

    @pytest.mark.parametrize(
        ("code", "kind"),
        [(1, DirectoryError), (3, DirectoryError), (4, DirectoryError), (51, DirectoryUnavailableError)],
    )
    def test_a_later_page_that_fails(self, tmp_path: Path, code: int, kind: type[DirectoryError]) -> None:
        def script(n: int) -> list[Answer]:
            return [(ALICE, b""), (done(), MORE) if n == 1 else (done(code), LAST)]

        with controller(tmp_path, script) as (_, session), pytest.raises(kind) as caught:
            read_all(session)
        assert caught.value.code == code
        assert caught.value.remedy

    @pytest.mark.parametrize(
        "cut",
        [
            b"",
            tlv(0x30, b"\x02\x01\x03", ALICE),
            tlv(0x30, b"\x02\x01\x03", ALICE)[:-4],
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            bytes.fromhex("3003020103"),
            b"\x30\x84\x7f\xff\xff\xff" + bytes(1000),
            b"\x30\x80\x02\x01\x03\0\0",
            tlv(0x30, b"\x02\x01\x03", NESTED),
            tlv(0x30, b"\x02\x01\x03", tlv(0x65, NESTED)),
            tlv(0x30, b"\x02\x01\x03", ALICE[:2] + b"\x7f" + ALICE[3:]) + tlv(0x30, b"\x02\x01\x03", done(), LAST),
            tlv(
                0x30,
                b"\x02\x01\x00",
                tlv(0x78, tlv(0x0A, b"\x34"), tlv(4), tlv(4), tlv(0x8A, b"1.3.6.1.4.1.1466.20036")),
            ),
        ],
        ids=[
            "nothing",
            "no-end",
            "half-an-entry",
            "http",
            "empty-message",
            "two-gigabytes",
            "no-length",
            "nested",
            "nested-result",
            "a-dn-beyond-its-entry",
            "notice-of-disconnection",
        ],
    )
    def test_a_cut_or_senseless_answer_is_a_lost_connection(self, tmp_path: Path, cut: bytes) -> None:
        with controller(tmp_path, lambda _n: cut) as (_, session):
            for _ in range(2):
                with pytest.raises(DirectoryUnavailableError, match="lost"):
                    read_all(session)

    def test_a_controller_that_stops_answering_is_given_up(self, tmp_path: Path) -> None:
        with Scripted(tmp_path, lambda _n: [(ALICE, b"")]) as scripted:
            endpoint = Endpoint.parse(f"ldaps://127.0.0.1:{scripted.port}")
            session = dial(
                endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True, patience=Patience(5, 1)
            )
            with pytest.raises(DirectoryUnavailableError, match="timed out"):
                read_all(session)


class TestHostileText:
    def test_a_diagnostic_cannot_drive_a_terminal(self, tmp_path: Path) -> None:
        answer = [(done(53, b"00002077: \x1b[2J\x07\r\nerror: all fine\x00"), b"")]
        with controller(tmp_path, lambda _n: answer) as (_, session), pytest.raises(DirectoryError) as caught:
            session.read(BASE, ["cn"])
        assert "00002077: \\x1b[2J\\x07\\r\\nerror" in caught.value.what
        assert all(c.isprintable() for c in caught.value.what + caught.value.diagnostic)

    def test_bytes_that_are_no_text_name_object_and_attribute(self, tmp_path: Path) -> None:
        values = {
            "objectclass": [b"user"],
            "objectguid": [uuid.uuid4().bytes],
            "objectsid": [_SID],
            "sn": [b"\xff\xfe"],
        }
        with controller(tmp_path, lambda _n: b"") as (_, session):
            entries = Entries(session, ["sn"], Groups(), source_of_authority=False)
            with pytest.raises(DirectoryError, match=r"CN=alice.*sn"):
                entries.entry(Found("CN=alice,DC=contoso,DC=test", values))


class TestStartTls:
    @pytest.mark.parametrize("code", [1, 2, 52])
    def test_where_it_is_refused_no_password_is_sent(self, tmp_path: Path, code: int) -> None:
        with Scripted(tmp_path, starttls=code) as scripted:
            endpoint = Endpoint.parse(f"ldap://127.0.0.1:{scripted.port}")
            with pytest.raises(DirectoryUnavailableError):
                dial(endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True)
        assert scripted.heard == [EXTENDED]
        assert PASSWORD.encode() not in scripted.received

    @pytest.mark.parametrize(
        "injected", [tlv(0x30, b"\x02\x01\x02", result(0x61, 0)), b"\x30"], ids=["a-bind", "a-byte"]
    )
    def test_what_somebody_put_before_it_is_no_answer_and_no_password_is_sent(
        self, tmp_path: Path, injected: bytes
    ) -> None:
        with Scripted(tmp_path, starttls=0, injected=injected) as scripted:
            endpoint = Endpoint.parse(f"ldap://127.0.0.1:{scripted.port}")
            with pytest.raises(DirectoryUnavailableError, match="before TLS began"):
                dial(endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True)
        assert scripted.heard == [EXTENDED]
        assert PASSWORD.encode() not in scripted.received

    def test_where_it_is_promised_and_kept_the_password_is_sent(self, tmp_path: Path) -> None:
        with Scripted(tmp_path, starttls=0, injected=b"") as scripted:
            endpoint = Endpoint.parse(f"ldap://127.0.0.1:{scripted.port}")
            dial(endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True).close()
        assert scripted.heard[:2] == [EXTENDED, BIND]
        assert PASSWORD.encode() in scripted.received

    def test_where_it_is_promised_and_not_kept_no_password_is_sent(self, tmp_path: Path) -> None:
        with Scripted(tmp_path, starttls=0) as scripted:
            endpoint = Endpoint.parse(f"ldap://127.0.0.1:{scripted.port}")
            with pytest.raises(DirectoryUnavailableError):
                dial(
                    endpoint, context(scripted.ca_file), Simple("u", PASSWORD), read_only=True, patience=Patience(1, 1)
                )
        assert PASSWORD.encode() not in scripted.received


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "host", "port", "starttls"),
        [
            ("ldaps://dc1.contoso.test", "dc1.contoso.test", 636, False),
            ("ldaps://dc1.contoso.test:1636/", "dc1.contoso.test", 1636, False),
            ("ldap://dc1.contoso.test", "dc1.contoso.test", 389, True),
            ("ldaps://[::1]", "::1", 636, False),
        ],
    )
    def test_a_controllers_url(self, url: str, host: str, port: int, starttls: bool) -> None:
        assert Endpoint.parse(url) == Endpoint(url, host, port, starttls)

    def test_a_controllers_global_catalog_has_ports_of_its_own(self) -> None:
        assert Endpoint.parse("ldaps://dc1:1636", catalog=True).port == 3269
        assert Endpoint.parse("ldap://dc1", catalog=True).port == 3268

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "dc1",
            "http://dc1",
            "ldapi:///",
            "ldaps://",
            "ldaps://u:p@dc1",
            "ldaps://dc1/DC=x",
            "ldaps://dc1:x",
            "ldaps://[",
        ],
    )
    def test_anything_else_is_a_mistake_in_the_settings(self, url: str) -> None:
        with pytest.raises(SettingsError):
            Endpoint.parse(url)
