"""The page's connections: how many, for how long, and what they may send."""

import tempfile

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogLevel

from hargassner.web.connections import (
    CONNECTIONS,
    CONNECTIONS_PER_ADDRESS,
    HEADER_TIMEOUT,
    IDLE,
)
from tests.web.cases import Answer, Connection, PageCase

ELSEWHERE = "192.168.1.66"


class ConnectionCase(PageCase):
    def connect(self, client: str = ELSEWHERE) -> Connection:
        return Connection(self.site, client=client)

    @property
    def said(self) -> list[str]:
        """What was logged after the page had begun to listen."""
        return self.log.lines[1:]

    def refused(self, reason: str) -> float:
        """How many were refused for a reason."""
        figures = self.get("/metrics").body.decode()
        start = f'hargassner_web_refused_total{{reason="{reason}"}} '
        [line] = [each for each in figures.splitlines() if each.startswith(start)]
        return float(line.removeprefix(start))


class BodyTests(ConnectionCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(tempfile, "TemporaryFile", self.fail)

    def test_a_body_is_refused_before_any_of_it_came(self) -> None:
        for length in (
            "content-length: 1",
            "content-length: 200000000",
            "transfer-encoding: chunked",
        ):
            for method in ("POST", "GET", "HEAD", "PUT"):
                connection = self.connect()
                connection.send(f"{method} / HTTP/1.1\r\nhost: localhost\r\n{length}\r\n".encode())
                self.assertEqual(b"", connection.transport.value())
                connection.send(b"\r\n")
                self.assertEqual((413, False), (connection.code, connection.is_open))

    def test_nobody_is_told_to_go_on_with_a_body(self) -> None:
        connection = self.connect()
        connection.ask("/", method="POST", content_length="9", expect="100-continue")
        self.assertEqual(413, connection.code)

    def test_what_follows_is_not_read(self) -> None:
        connection = self.connect()
        connection.ask("/", method="POST", content_length="9")
        answer = connection.transport.value()
        for _ in range(3):
            connection.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        self.assertEqual(connection.transport.value(), answer)

    def test_it_is_counted_and_said_once(self) -> None:
        for _ in range(3):
            self.connect().ask("/", method="POST", content_length="9")
        self.assertEqual(
            [f"{ELSEWHERE} sent the web page a request with a body: refused"], self.said
        )
        self.assertEqual(3, self.refused("body"))

    def test_a_body_of_nothing_is_none(self) -> None:
        self.assertEqual(200, self.get("/", content_length="0").code)


class HeaderTests(ConnectionCase):
    def test_a_request_that_drips_is_ended(self) -> None:
        connection = self.connect()
        for each in b"GET / HTTP"[: int(HEADER_TIMEOUT) - 1]:
            self.clock.advance(1)
            connection.send(bytes([each]))
        self.assertTrue(connection.is_open)
        self.clock.advance(1)
        self.assertFalse(connection.is_open)
        self.assertEqual((1, []), (self.refused("late"), self.said))

    def test_the_next_request_on_a_connection_has_no_more_time(self) -> None:
        connection = self.connect()
        connection.ask("/healthz")
        self.clock.advance(IDLE - 1)
        connection.send(b"GET")
        self.clock.advance(HEADER_TIMEOUT - 1)
        connection.send(b" / HTTP/1.1\r\n")
        self.assertTrue(connection.is_open)
        self.clock.advance(1)
        self.assertFalse(connection.is_open)

    def test_a_connection_that_idles_is_ended(self) -> None:
        connection = self.connect()
        connection.ask("/healthz")
        self.clock.advance(IDLE - 1)
        self.assertTrue(connection.is_open)
        self.clock.advance(1)
        self.assertFalse(connection.is_open)

    def test_a_stream_stays(self) -> None:
        connection = self.connect()
        connection.ask("/api/events")
        self.clock.advance(10 * IDLE)
        self.assertTrue(connection.is_open)
        connection.lose()

    def test_requests_one_after_the_other_share_a_connection(self) -> None:
        connection = self.connect()
        for _ in range(3):
            connection.ask("/healthz")
        self.assertEqual(3, connection.transport.value().count(b"200 OK"))
        self.assertTrue(connection.is_open)

    def test_an_empty_line_between_them_is_borne(self) -> None:
        connection = self.connect()
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n")
        connection.ask("/healthz")
        self.assertEqual(2, connection.transport.value().count(b"200 OK"))

    def test_of_requests_at_once_only_the_first_is_answered(self) -> None:
        connection = self.connect()
        connection.send(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1500)
        self.assertEqual(1, connection.transport.value().count(b"200 OK"))
        self.assertFalse(connection.is_open)

    def test_what_follows_the_last_request_of_a_connection_closes_it_no_second_time(self) -> None:
        for request in (
            b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\nmore",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nmore",
        ):
            connection = self.connect()
            connection.send(request)
            self.assertEqual(200, connection.code)
            self.assertFalse(connection.is_open)

    def test_nothing_is_kept_of_what_follows_a_streams_request(self) -> None:
        connection = self.connect()
        connection.ask("/api/events")
        for _ in range(1000):
            connection.send(b"x" * 1000)
        self.assertTrue(connection.is_open)
        self.assertEqual("producing", connection.transport.producerState)
        connection.lose()

    def test_headers_are_bounded_in_size_and_number(self) -> None:
        for headers in (b"x: " + b"y" * 20_000, b"x: y\r\n" * 101, b"x: y" + b"\r\n z" * 10_000):
            connection = self.connect()
            connection.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n" + headers + b"\r\n\r\n")
            self.assertFalse(connection.is_open)
            self.assertNotIn(b"200 OK", connection.transport.value())

    def test_what_is_no_http_is_said_once(self) -> None:
        for garbage in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"x" * 20_000):
            connection = self.connect()
            connection.send(garbage)
            self.assertFalse(connection.is_open)
        self.assertEqual(
            [f"{ELSEWHERE} sent the web page a request that cannot be read: it is no HTTP"],
            self.said,
        )
        self.assertEqual(3, self.refused("malformed"))

    def test_a_length_that_is_no_length_is_no_traceback(self) -> None:
        for length in ("9" * 5000, "-1", "1e3", "\u00b2"):
            connection = self.connect()
            connection.ask("/", content_length=length)
            self.assertFalse(connection.is_open)
        self.assertEqual([], self.flushLoggedErrors())


class CrowdTests(ConnectionCase):
    def drip(self, client: str, count: int) -> list[Connection]:
        connections = []
        for _ in range(count):
            connections.append(self.connect(client))
            connections[-1].send(b"GET / HTTP/1.1\r\n")
            self.clock.advance(0.001)
        return connections

    def test_an_address_has_a_few_connections_and_the_oldest_goes_first(self) -> None:
        dripping = self.drip(ELSEWHERE, 100)
        kept = [each.is_open for each in dripping]
        self.assertEqual([False] * 88 + [True] * CONNECTIONS_PER_ADDRESS, kept)

    def test_dripping_connections_keep_nobody_out(self) -> None:
        for number in range(25):
            self.drip(f"192.168.1.{number + 100}", CONNECTIONS_PER_ADDRESS)
        for owner in ("192.168.1.20", "192.168.1.100", "127.0.0.1"):
            connection = self.connect(owner)
            connection.ask("/api/state")
            self.assertEqual(200, connection.code)
        self.assertLessEqual(len(self.site.connections), CONNECTIONS)

    def test_a_connection_that_is_served_is_not_ended_for_another(self) -> None:
        streams = [self.connect() for _ in range(CONNECTIONS_PER_ADDRESS)]
        for each in streams:
            each.ask("/api/events")
        self.assertIsNone(self.connect().protocol)
        self.assertTrue(all(each.is_open for each in streams))
        self.assertIsNotNone(self.connect("192.168.1.20").protocol)
        self.assertEqual(1, self.refused("crowded"))
        [line] = self.said
        self.assertIn(f"{ELSEWHERE} is one too many for the web page: it has 12", line)
        for each in streams:
            each.lose()

    def test_one_that_is_gone_makes_room(self) -> None:
        streams = [self.connect() for _ in range(CONNECTIONS_PER_ADDRESS)]
        for each in streams:
            each.ask("/api/events")
        streams.pop().lose()
        self.assertIsNotNone(self.connect().protocol)
        for each in streams:
            each.lose()

    def test_a_proxy_on_this_machine_may_have_more(self) -> None:
        dripping = self.drip("127.0.0.1", CONNECTIONS)
        self.assertTrue(all(each.is_open for each in dripping))
        self.drip("127.0.0.1", 1)
        self.assertEqual(1, [each.is_open for each in dripping].count(False))


LINES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            *(b"GET / HTTP/1.1", b"GET /api/events HTTP/1.1", b"HEAD /%ff?%zz HTTP/1.0"),
            *(b"POST / HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET //x/../ HTTP/1.1", b"GET"),
            *(b"Host: localhost", b"Host: [", b"Host:", b"Content-Length: 5", b""),
            *(b"Content-Length: 999999", b"Transfer-Encoding: chunked", b"ffff", b"0"),
            *(b"Connection: close", b"Expect: 100-continue", b"Cookie: =;;=", b" folded"),
        ]
    ),
    st.builds(
        lambda name, value: name + b": " + value,
        st.sampled_from([b"Host", b"Accept-Language", b"Content-Length", b"If-None-Match", b"X"]),
        st.binary(max_size=30),
    ),
)


class AnyBytesTests(PageCase):
    """The law: whatever comes is answered below 500, or the connection is closed."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(tempfile, "TemporaryFile", self.fail)

    @given(
        lines=st.lists(LINES, max_size=12),
        end=st.sampled_from([b"\r\n", b"\n"]),
        cut=st.integers(1, 400),
    )
    def test_any_bytes(self, lines: list[bytes], end: bytes, cut: int) -> None:
        connection = Connection(self.site, client=ELSEWHERE)
        data = end.join([*lines, b"", b""])
        for start in range(0, len(data), cut):
            connection.send(data[start : start + cut])
        answered = connection.transport.value()
        if answered:
            self.assertLess(Answer(answered).code, 500)
            self.assertNotIn(b"HTTP/1.1 5", answered)
        elif connection.is_open:
            # It may want more; but not for ever.
            self.clock.advance(HEADER_TIMEOUT)
            self.assertFalse(connection.is_open)
        connection.lose()
        self.assertEqual([], self.flushLoggedErrors())
        loud = [each for each in self.log.everything if each["log_level"] >= LogLevel.warn]
        self.assertEqual([], loud)
