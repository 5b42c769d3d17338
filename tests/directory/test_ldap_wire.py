"""Search entries are walked directly: to the same end as ldap3's own decoder, at a fraction of its cost, or not at all."""

from __future__ import annotations

import gc
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import ldap3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.core.exceptions import LDAPException, LDAPSocketReceiveError
from ldap3.protocol.rfc4511 import LDAPMessage
from ldap3.strategy.base import RESPONSE_COMPLETE, SESSION_TERMINATED_BY_SERVER
from ldap3.strategy.sync import SyncStrategy
from ldap3.utils.asn1 import decode_message_fast
from pyasn1.codec.ber.decoder import decode as decode_by_pyasn1

from reconciler.directory.ldap import wire
from reconciler.directory.ldap.strategy import Walking
from tests.support.costs import ratio
from tests.support.scripted import done, octets, paging, reference, result, tlv

Attributes = Sequence[tuple[str, Sequence[bytes]]]
Tlv = Callable[..., bytes]
NUMBER = 7
DECODE: Any = decode_message_fast
DISCONNECTION = tlv(
    0x30, b"\x02\x01\x00", tlv(0x78, tlv(0x0A, b"\x34"), octets(b""), octets(b""), tlv(0x8A, b"1.3.6.1.4.1.1466.20036"))
)


def four(tag: int, *parts: bytes) -> bytes:
    """Return an element as Active Directory writes constructed ones: the length always in four bytes."""
    body = b"".join(parts)
    return bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body


def shortest(tag: int, *parts: bytes) -> bytes:
    """Return an element with the shortest length there is."""
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if len(body) < 0x80 else bytes([0x80 | len(size)]) + size) + body


def message(*parts: bytes, number: int = NUMBER, wrap: Tlv = shortest) -> bytes:
    """Return an LDAPMessage."""
    size = number.bit_length() // 8 + 1
    return wrap(0x30, tlv(2, number.to_bytes(size, "big")), *parts)


def entry(dn: str, attributes: Attributes, wrap: Tlv = shortest, leaf: Tlv = shortest) -> bytes:
    """Return a SearchResultEntry."""
    fields = [
        wrap(0x30, leaf(4, name.encode()), wrap(0x31, *(leaf(4, value) for value in values)))
        for name, values in attributes
    ]
    return wrap(0x64, leaf(4, dn.encode()), wrap(0x30, *fields))


NAMES = st.one_of(
    st.sampled_from(["cn", "objectGUID", "memberOf;range=0-1499", "memberOf", "userCertificate;binary", "sn;lang-de"]),
    st.text("abcXYZ0123456789-;=", min_size=1, max_size=140),
)
VALUES = st.one_of(st.binary(max_size=40), st.binary(min_size=120, max_size=300), st.text(max_size=20).map(str.encode))
ENTRIES = st.builds(
    entry,
    st.text(max_size=150),
    st.lists(st.tuples(NAMES, st.lists(VALUES, max_size=4)), max_size=6, unique_by=lambda pair: pair[0].lower()),
    st.sampled_from([shortest, four, tlv]),
    st.sampled_from([shortest, four]),
)
CONTROLS = st.sampled_from([b"", paging(b""), paging(b"more" * 20), tlv(0xA0, tlv(0x30, octets(b"1.2.3")))])
OTHERS = st.sampled_from(
    [
        reference(b"ldap://dc.child.contoso.test/DC=child"),
        tlv(0x79, tlv(0x80, b"1.2.3"), tlv(0x81, b"on its way")),
        tlv(0x79),
    ]
)
ENDS = st.sampled_from(
    [
        done(),
        done(4, b"00000004: size limit"),
        done(10, b"0000202B: RefErr", b"ldap://elsewhere/DC=x"),
        result(0x78, 0, b"extended"),
        result(0x6D, 68, b"taken"),
    ]
)
ANSWERS = st.builds(
    lambda parts, end, controls: b"".join(message(*part) for part in parts) + message(end, controls),
    st.lists(st.tuples(st.one_of(ENTRIES, ENTRIES, OTHERS), CONTROLS), max_size=6),
    ENDS,
    CONTROLS,
)


def connection() -> Any:
    return ldap3.Connection(ldap3.Server("127.0.0.1", get_info=ldap3.NONE), check_names=False)


@contextmanager
def said(data: bytes, cuts: Sequence[int] = ()) -> Iterator[Any]:
    """Yield a connection whose server sends `data`, in parts that end at `cuts`, and then no more; it hears what is sent to it."""
    ours, theirs = socket.socketpair()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})

    def send() -> None:
        with suppress(OSError):  # who was told enough has gone
            for start, end in pairwise(places):
                theirs.sendall(data[start:end])
            theirs.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    with theirs:
        try:
            with ours:
                target = connection()
                target.socket = ours
                sender.start()
                yield target
        finally:
            sender.join(5)


def received(data: bytes, strategy: Any = Walking, cuts: Sequence[int] = ()) -> Any:
    with said(data, cuts) as target:
        return strategy(target)._get_response(NUMBER, 5)


def alike(answer: Any) -> Any:
    """Return an answer in the form in which both strategies must agree."""
    if not isinstance(answer, list):
        return answer
    return [
        (each.dn, {name: [*values] for name, values in each.values.items()})
        if isinstance(each, wire.Found)
        else _by_ldap3(each)
        for each in answer
    ]


def _by_ldap3(each: Any) -> Any:
    if not isinstance(each, Mapping) or each["type"] != "searchResEntry":
        return each
    return bytes(each["raw_dn"]).decode(), {k.lower(): v or [] for k, v in each["raw_attributes"].items()}


class TestAgreement:
    """Whatever a server says, ldap3's own strategy understands the same by it."""

    @given(ANSWERS, st.lists(st.integers(0, 5000), max_size=5))
    @settings(max_examples=200, deadline=None)
    def test_an_answer_in_any_pieces(self, data: bytes, cuts: list[int]) -> None:
        assert alike(received(data, cuts=cuts)) == alike(received(data, SyncStrategy))

    @given(ENTRIES, CONTROLS)
    @settings(max_examples=200, deadline=None)
    def test_an_entry_as_the_standards_own_grammar_reads_it(self, given_entry: bytes, controls: bytes) -> None:
        data = message(given_entry, controls)
        decoded, rest = decode_by_pyasn1(data, asn1Spec=LDAPMessage())
        there = decoded["protocolOp"].getComponent()
        values = {str(a["type"]).lower(): [bytes(v) for v in a["vals"]] for a in there["attributes"]}
        start, end = wire.frame(data, 0) or (0, 0)
        found, last = wire.entry(data, start + len(wire.head(NUMBER, wire.ENTRY)))
        wire.controls(data, last, end)
        assert (found.dn, found.values, rest) == (bytes(there["object"]).decode(), values, b"")

    @given(ENTRIES, st.data())
    @settings(max_examples=400, deadline=None)
    def test_a_damaged_entry_is_refused_or_read_as_ldap3_reads_it(self, given_entry: bytes, data: Any) -> None:
        whole = message(given_entry)
        start, end = wire.frame(whole, 0) or (0, 0)
        start += len(wire.head(NUMBER, wire.ENTRY))
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(start, end - 1))] = data.draw(st.integers(0, 255))
        try:
            found, last = wire.entry(bytes(damaged), start)
            wire.controls(bytes(damaged), last, end)
        except ValueError:
            return
        stock = connection().strategy.decode_response_fast(DECODE(bytes(damaged)))
        assert alike([found]) == alike([stock])

    @given(st.integers(0, 2**31 - 1))
    def test_a_message_id_of_any_size(self, number: int) -> None:
        data = message(entry("CN=a", [("cn", [b"a"])]), number=number)
        start, end = wire.frame(data, 0) or (0, 0)
        assert data.startswith(wire.head(number, wire.ENTRY), start)
        assert wire.message(data, start, end).number == number
        assert DECODE(data)["messageID"] == number

    def test_an_id_written_at_greater_length_than_needed(self) -> None:
        data = shortest(0x30, tlv(2, b"\0\0\0\x07"), entry("CN=a", [("cn", [b"a"])])) + message(done())
        assert alike(received(data)) == alike(received(data, SyncStrategy))


def ended(data: bytes) -> wire.Ended:
    start, end = wire.frame(data, 0) or (0, 0)
    return wire.ended(data, wire.message(data, start, end).at, end)


class TestResults:
    """How a search or a modify ended is read directly, to what ldap3 makes of the same bytes."""

    DIAGNOSTICS = st.one_of(st.text(max_size=30).map(str.encode), st.binary(max_size=200))
    RESULTS = st.builds(
        lambda tag, code, diagnostic, referral, controls, wrap: message(
            wrap(tag, tlv(0x0A, bytes([code])), octets(b""), octets(diagnostic), referral), controls, wrap=wrap
        ),
        st.sampled_from([wire.DONE, wire.MODIFIED]),
        st.sampled_from([0, 4, 10, 16, 19, 20, 32, 50, 53, 68, 80]),
        DIAGNOSTICS,
        st.sampled_from([b"", tlv(0xA3, octets(b"ldap://elsewhere/DC=x"))]),
        st.sampled_from(
            [
                b"",
                paging(b""),
                paging(b"more" * 20),
                tlv(0xA0, tlv(0x30, octets(b"1.2.3"), tlv(1, b"\xff"), octets(b"other"))),
                tlv(0xA0, tlv(0x30, octets(b"1.2.3")), paging(b"two")[2:]),
                tlv(
                    0xA0,
                    tlv(
                        0x30, octets(wire.PAGED.encode()), tlv(1, b"\0"), octets(tlv(0x30, tlv(2, b"\5"), octets(b"c")))
                    ),
                ),
            ]
        ),
        st.sampled_from([shortest, four]),
    )

    @staticmethod
    def by_ldap3(data: bytes) -> wire.Ended:
        stock = connection().strategy.decode_response_fast(DECODE(data))
        paged = stock.get("controls", {}).get(wire.PAGED)
        return wire.Ended(stock["result"], stock["message"], bytes(paged["value"]["cookie"]) if paged else None)

    @given(RESULTS)
    @settings(max_examples=300, deadline=None)
    def test_a_result(self, data: bytes) -> None:
        assert ended(data) == self.by_ldap3(data)

    @given(RESULTS, st.data())
    @settings(max_examples=400, deadline=None)
    def test_a_damaged_result_is_refused_or_read_as_ldap3_reads_it(self, whole: bytes, data: Any) -> None:
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        try:
            found = ended(bytes(damaged))
            stock = self.by_ldap3(bytes(damaged))
        except (ValueError, LookupError, TypeError, LDAPException):
            return  # refused by us; or a code or an operation that ldap3 does not know, which the session refuses
        assert found == stock

    @given(st.sampled_from([0, 16, 32]), st.sampled_from([wire.DONE, wire.MODIFIED]))
    def test_what_a_later_standard_adds_behind_a_result_is_passed_over(self, code: int, tag: int) -> None:
        data = message(tlv(tag, tlv(0x0A, bytes([code])), octets(b""), octets(b"said"), tlv(0x8F, b"new")))
        assert ended(data) == wire.Ended(code, "said", None)

    @pytest.mark.parametrize("kind", [result(0x67, 0), result(0x69, 0), result(0x78, 0), result(0x6D, 0)])
    def test_a_search_that_ends_like_something_else_is_refused(self, kind: bytes) -> None:
        with said(message(entry("CN=a", [("cn", [b"a"])])) + message(kind)) as target:
            target.closed, target.listening = False, True
            strategy = Walking(target)
            target.server.next_message_id = lambda: NUMBER
            with pytest.raises(LDAPSocketReceiveError, match="the answer to a search or a modify is a"):
                strategy.ask(b"", b"")


class TestEveryEntry:
    def test_takes_this_path_and_is_counted(self) -> None:
        data = b"".join(message(entry(f"CN={n}", [("cn", [b"x"])])) for n in range(50)) + message(done())
        with said(data, [10, 11, 500]) as target:
            strategy = Walking(target)
            answer = strategy._get_response(NUMBER, 5)
        assert [type(each) for each in answer[:-2]] == [wire.Found] * 50
        assert strategy.walked == 50
        assert answer[-1] == RESPONSE_COMPLETE


class TestRefusals:
    """What is not LDAP is an error, and never a part of an answer."""

    @given(st.binary(max_size=400))
    @settings(max_examples=300, deadline=None)
    def test_any_bytes_at_all(self, data: bytes) -> None:
        self.judge(data)

    @given(ANSWERS, st.data())
    @settings(max_examples=300, deadline=None)
    def test_an_answer_that_was_damaged(self, answer: bytes, data: Any) -> None:
        damaged = bytearray(answer)
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        self.judge(bytes(damaged))

    @staticmethod
    def judge(data: bytes) -> None:
        try:
            answer = received(data)
        except LDAPException:
            return
        assert answer == SESSION_TERMINATED_BY_SERVER or answer[-1] == RESPONSE_COMPLETE

    @pytest.mark.parametrize(
        "data",
        [
            b"\x30\x80\x02\x01\x07\x64\x80\0\0\0\0",
            b"\x30\x84\xff\xff\xff\xff" + bytes(100),
            b"\x30\x88" + b"\xff" * 8 + bytes(100),
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            message(tlv(0x65, tlv(0x30, b"") * 3)),
            message(done(), octets(b"no controls")),
            message(done()) [:-1] + b"\xff" + message(done()),
            message(entry("CN=a", [("cn", [b"a"]), ("CN", [b"b"])])),
            message(tlv(0x64, octets(b"CN=\xff"), tlv(0x30))),
            message(tlv(0x64, octets(b"CN=a"), tlv(0x30, tlv(0x30, octets(b"\xff"), tlv(0x31))))),
            message(tlv(0x64, octets(b"CN=a"))),
            message(tlv(0x64, octets(b"CN=a"), tlv(0x30, tlv(0x30, octets(b"cn"), tlv(0x30, octets(b"a")))))),
            message(tlv(0x64, octets(b"CN=a"), tlv(0x30, tlv(0x30, octets(b"cn"), tlv(0x31, tlv(0x24, octets(b"a"))))))),
            message(done(), number=8),
            message(done(), number=0),
        ],
        ids=[
            "indefinite", "4-GB", "beyond-measure", "http", "no-result", "no-controls", "lengths-disagree",
            "attribute-twice", "dn-not-text", "name-not-text", "no-attributes", "values-not-a-set", "value-in-parts",
            "not-asked", "nobody-asked",
        ],
    )  # fmt: skip
    def test_what_no_server_should_say(self, data: bytes) -> None:
        with pytest.raises(LDAPSocketReceiveError):
            received(data)

    def test_elements_in_elements_without_end(self) -> None:
        nested = b""
        for _ in range(20_000):
            nested = shortest(0x30, nested)
        for around in (tlv(0x65, nested), tlv(0x64, nested), tlv(0x64, octets(b"CN=a"), nested), nested):
            with pytest.raises(LDAPSocketReceiveError):
                received(message(around))

    def test_an_entry_that_ends_beyond_its_message(self) -> None:
        whole = entry("CN=a", [("cn", [b"abc"])])
        data = shortest(0x30, b"\x02\x01\x07", whole[:-1]) + whole[-1:] + message(done())
        with pytest.raises(LDAPSocketReceiveError, match="cannot be read"):
            received(data)

    def test_a_connection_that_ends_within_an_answer(self) -> None:
        data = message(entry("CN=a", [("cn", [b"a"])])) + message(done())
        for end in range(len(data)):
            assert received(data[:end]) == SESSION_TERMINATED_BY_SERVER

    def test_a_notice_of_disconnection_behind_a_result_comes_after_it(self) -> None:
        with said(message(done()) + DISCONNECTION) as target:
            strategy = Walking(target)
            assert strategy._get_response(NUMBER, 5)[-1] == RESPONSE_COMPLETE
            assert strategy._get_response(NUMBER, 5) == SESSION_TERMINATED_BY_SERVER


class TestCost:
    """Ratios of CPU time on the same bytes."""

    @pytest.fixture(autouse=True)
    def alone(self) -> Iterator[None]:
        """Leave what other tests left behind where it is: the collector would go through it on our time."""
        gc.collect()
        gc.freeze()
        yield
        gc.unfreeze()

    def test_a_page_costs_a_third_of_what_ldap3_takes_at_most(self) -> None:
        page = b"".join(message(guest(n)) for n in range(1000)) + message(done())
        assert ratio(lambda: cpu(page, Walking), lambda: cpu(page, SyncStrategy), 1 / 3, turns=30) < 1 / 3

    def test_a_long_answer_costs_as_much_for_each_entry_as_a_short_one(self) -> None:
        entries = [message(guest(n)) for n in range(24_000)]
        short, long = b"".join(entries[:3000]) + message(done()), b"".join(entries) + message(done())
        each = ratio(lambda: cpu(long, Walking) / 8, lambda: cpu(short, Walking), 3, turns=30)
        assert each < 3  # what grew with the square would be eight times as much


def guest(number: int) -> bytes:
    """Return an entry like those that an import reads: 14 attributes."""
    bits, name = random.Random(number), f"{number:07}"
    texts = {
        "cn": name,
        "sn": "Sanchez",
        "givenName": f"Given {name}",
        "displayName": f"Given {name} Sanchez",
        "sAMAccountName": f"x{name}",
        "userPrincipalName": f"user{name}_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        "mail": f"user{name}@fabrikam.com",
        "employeeType": "Guest",
        "adminDescription": f"User_{name}",
        "userAccountControl": "262656",
        "primaryGroupID": "513",
    }
    attributes: list[tuple[str, Sequence[bytes]]] = [(name, [value.encode()]) for name, value in texts.items()]
    attributes += [("objectClass", [b"top", b"person", b"organizationalPerson", b"user"])]
    attributes += [
        ("objectGUID", [bits.randbytes(16)]),
        ("objectSid", [bytes.fromhex("010500000000000515000000") + bits.randbytes(16)]),
    ]
    return entry(f"CN={name},OU=Guests,DC=contoso,DC=test", attributes)


def cpu(data: bytes, strategy: Any) -> float:
    """Return the seconds of CPU that receiving `data` took. The server's share is another thread's."""
    with said(data) as target:
        receiver = strategy(target)
        start = time.thread_time()
        receiver._get_response(NUMBER, 5)
        return time.thread_time() - start
