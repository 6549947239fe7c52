"""One open stream: what it is sent, by how far the page has read."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.web.reader import KEEP_ALIVE, STALLED, News, Reader


class Request:
    """A request whose connection may be full as soon as something is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = 0
        self.full_for: Any = None
        self.transport = self

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written.append(data)
        if self.full_for is not None:
            self.full_for.pauseProducing()

    def abortConnection(self) -> None:
        """Count it."""
        self.aborted += 1


class ReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.request = Request()
        self.reader = Reader(self.request, "en", self.clock)  # type: ignore[arg-type]

    def sent(self, change: bytes = b"") -> list[bytes]:
        """What the page is sent in its turn."""
        before = len(self.request.written)
        self.reader.send(News(change, lambda: b"state", lambda: b"alive"))
        return self.request.written[before:]

    def test_everything_comes_first_then_what_changes(self) -> None:
        self.assertEqual([b"state"], self.sent(b"1"))
        self.assertEqual([b"2"], self.sent(b"2"))
        self.assertEqual([], self.sent())

    def test_a_silent_stream_shows_that_it_is_alive(self) -> None:
        self.sent()
        self.clock.advance(KEEP_ALIVE)
        self.assertEqual([b"alive"], self.sent())
        self.assertEqual([], self.sent())

    def test_whoever_is_outdated_gets_everything(self) -> None:
        self.sent()
        self.reader.outdate()
        self.assertEqual([b"state"], self.sent(b"1"))

    def test_a_full_connection_gets_nothing(self) -> None:
        self.sent()
        self.reader.pauseProducing()
        self.assertEqual([], self.sent(b"1") + self.sent())

    def test_a_page_that_missed_a_change_gets_everything(self) -> None:
        for miss in (lambda: self.sent(b"1"), self.reader.outdate):
            self.sent()
            self.reader.pauseProducing()
            miss()
            self.reader.resumeProducing()
            self.assertEqual([b"state"], self.sent(b"2"))

    def test_a_page_that_missed_nothing_goes_on(self) -> None:
        self.sent()
        self.reader.pauseProducing()
        self.sent()
        self.reader.resumeProducing()
        self.assertEqual([b"2"], self.sent(b"2"))

    def test_it_may_be_full_while_it_is_written_to(self) -> None:
        self.request.full_for = self.reader
        self.assertEqual([b"state"], self.sent())
        self.assertEqual([], self.sent(b"1"))
        self.reader.resumeProducing()
        self.assertEqual([b"state"], self.sent())

    def test_it_is_outdated_still_where_it_was_full_before_everything_was_sent(self) -> None:
        self.reader.pauseProducing()
        self.reader.resumeProducing()
        self.assertEqual([b"state"], self.sent(b"1"))

    def test_a_page_that_does_not_read_is_dropped_once_and_for_good(self) -> None:
        self.sent()
        self.reader.pauseProducing()
        self.clock.advance(STALLED - 1)
        self.sent()
        self.reader.pauseProducing()
        self.assertEqual(0, self.request.aborted)
        self.clock.advance(1)
        self.sent()
        for happens in (
            self.reader.resumeProducing,
            self.reader.pauseProducing,
            self.reader.outdate,
            self.reader.stopProducing,
        ):
            happens()
            self.assertEqual([], self.sent(b"1"))
        self.assertEqual(1, self.request.aborted)
