"""The journal: the last lines of dialogue and log."""

import threading
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, Logger, LogLevel, LogPublisher
from zope.interface.verify import verifyObject

from hargassner.discovery import Devices
from hargassner.monitor.traffic_log import DialogueLine, Journal, JournalKeeping, LogLine
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import IExchangeObserver
from hargassner.proxy.session import Session
from tests.cases import ClockCase

TOKEN = b"0A1B2C3D"
KEY = b"1300112233445566778899AABBCCDDEEFF"


class JournalCase(ClockCase):
    """A journal of five lines, and a session that it observes."""

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_700_000_000)
        self.journal = Journal(self.clock, 5)
        proxy = ProxyFactory(self.clock, lambda _: Deferred(), Access(["any"], Devices(self.clock)))
        self.session = Session(3, ("192.0.2.7", 51975), proxy)

    def texts(self) -> list[str]:
        return [line.text for line in self.journal.dialogue]


class DialogueTests(JournalCase):
    """What is kept of a session."""

    def setUp(self) -> None:
        super().setUp()
        self.observer = self.journal.observe(self.session)

    def test_it_is_an_honest_observer(self) -> None:
        verifyObject(IExchangeObserver, self.observer)

    def test_requests_of_the_bridge_are_kept_and_their_answers(self) -> None:
        self.observer.bridge_sent(b'$par set "4;3;20"\r\n')
        self.observer.bridge_received(b"$ack\r\n")
        self.assertEqual(
            [("bridge", '$par set "4;3;20"'), ("boiler", "$ack")],
            [(line.direction, line.text) for line in self.journal.dialogue[1:]],
        )

    def test_lines_are_kept_with_their_time_session_and_direction(self) -> None:
        self.clock.advance(1.5)
        self.observer.gateway_sent(b"$upt")
        self.observer.gateway_sent(b"ime\r\n")
        self.clock.advance(1)
        self.observer.boiler_sent(b"$666151\r")
        self.observer.boiler_sent(b"\n")
        self.observer.over("the client closed")
        self.assertEqual(
            (
                DialogueLine(1_700_000_000, 3, "bridge", "192.0.2.7 connected"),
                DialogueLine(1_700_000_001.5, 3, "gateway", "$uptime"),
                DialogueLine(1_700_000_002.5, 3, "boiler", "$666151"),
                DialogueLine(1_700_000_002.5, 3, "bridge", "over: the client closed"),
            ),
            self.journal.dialogue,
        )

    def test_the_oldest_lines_make_room_for_the_newest(self) -> None:
        for number in range(7):
            self.observer.boiler_sent(b"zNr %d\r\n" % number)
        self.assertEqual(["zNr 2", "zNr 3", "zNr 4", "zNr 5", "zNr 6"], self.texts())

    def test_telemetry_is_shortened(self) -> None:
        self.observer.boiler_sent(b"pm 9 20.0 7.7\r\npm" + b" 65.9" * 90 + b" \r\n")
        short, long = self.texts()[-2:]
        self.assertEqual("pm 9 20.0 7.7", short)
        self.assertEqual("pm" + " 65.9" * 11 + " 65…", long)

    def test_long_lines_are_shortened_and_endless_ones_too(self) -> None:
        for line in (b"z" + b"-" * 5000, b"z" + b"-" * 100_000):
            self.observer.boiler_sent(line + b"\r\n")
            self.assertEqual("z" + "-" * 119 + "…", self.texts()[-1])

    def test_control_characters_become_printable(self) -> None:
        self.observer.boiler_sent(b"z\x1b[2J\x07 R\xe9duire\nx\r\n")
        self.observer.boiler_sent(b"pm \x1b]0;x\x9b1 \r\n")
        self.assertEqual(
            ["z\ufffd[2J\ufffd Réduire\ufffdx", "pm \ufffd]0;x\ufffd1 "], self.texts()[-2:]
        )

    def test_neither_token_nor_key_is_kept(self) -> None:
        self.journal = Journal(self.clock)
        observer = self.journal.observe(self.session)
        observer.gateway_sent(b"$daq stop\r\n$Login  Token\r\n")
        observer.boiler_sent(b"$daq stopped\r\nzIP 10.0.0.72\r\npm 1 2 \r\n$" + TOKEN + b"\r\n")
        observer.gateway_sent(b"$login key " + KEY + b"\r\n")
        observer.boiler_sent(b"zclient login (7421)\r\n$ack\r\nzsaid " + TOKEN + b"?\r\n")
        self.assertEqual(
            [
                "$daq stop",
                "$Login  Token",
                "…",
                "zIP 10.0.0.72",
                "pm 1 2 ",
                "…",
                "$login key …",
                "zclient login (7421)",
                "$ack",
                "zsaid ********?",
            ],
            self.texts()[1:],
        )

    def test_a_token_in_a_form_that_is_not_known_is_not_kept_either(self) -> None:
        self.observer.gateway_sent(b"$login token\r\n")
        self.observer.boiler_sent(b"$t0k-en!\r\n")
        self.observer.gateway_sent(b"$login key x\r\n")
        self.observer.boiler_sent(b"zwrong key for t0k-en!\r\n")
        self.assertNotIn("t0k-en!", " ".join(self.texts()))

    def test_after_a_refused_login_replies_are_shown(self) -> None:
        self.observer.gateway_sent(b"$login token\r\n")
        self.observer.boiler_sent(b"$permission denied\r\n$V2.18\r\n")
        self.assertEqual(["$permission denied", "$V2.18"], self.texts()[-2:])


class ListenerTests(JournalCase):
    """Who wants to know of each line."""

    def setUp(self) -> None:
        super().setUp()
        self.heard: list[object] = []

    def say(self, text: str) -> None:
        self.journal.said(3, "boiler", text)

    def test_a_listener_is_told_of_each_line_until_it_stops(self) -> None:
        stop = self.journal.on_line(self.heard.append)
        self.say("one")
        line = LogLine(1.0, "info", "hargassner.proxy.session", "two")
        self.journal.logged(line)
        stop()
        stop()
        self.say("three")
        self.assertEqual(self.heard, [self.journal.dialogue[0], line])

    def test_the_same_listener_twice_is_two_listeners(self) -> None:
        stop = self.journal.on_line(self.heard.append)
        self.journal.on_line(self.heard.append)
        stop()
        self.say("one")
        self.assertEqual(1, len(self.heard))

    def test_a_listener_that_fails_harms_nobody_and_is_told_no_more(self) -> None:
        failures = []

        def fail(line: object) -> None:
            failures.append(line)
            raise ValueError("no")

        self.journal.on_line(fail)
        self.journal.on_line(self.heard.append)
        self.say("one")
        self.say("two")
        self.assertEqual((1, 2), (len(failures), len(self.heard)))
        self.assertEqual(1, len(self.log.at(LogLevel.critical)))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))


class Crossing:
    """Takes calls from other threads, and makes them when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def callFromThread(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.calls.append((call, arguments))


class KeepingTests(JournalCase):
    """The program's log in the journal."""

    def setUp(self) -> None:
        super().setUp()
        self.reactor = Crossing()
        self.publisher = LogPublisher()
        self.keeping = JournalKeeping(self.journal, self.reactor, self.publisher)
        self.logger = Logger("hargassner.proxy.session", observer=self.publisher)
        self.keeping.startService()

    def test_it_is_an_honest_observer(self) -> None:
        verifyObject(ILogObserver, self.keeping)

    def test_a_line_has_its_level_source_and_text(self) -> None:
        self.logger.warn("session {session}: odd", session=3)
        [line] = self.journal.lines
        self.assertEqual(
            ("warn", "hargassner.proxy.session", "session 3: odd"),
            (line.level, line.source, line.text),
        )
        self.assertEqual(line.at, self.clock.seconds())

    def test_debugging_lines_are_left_out(self) -> None:
        self.logger.debug("nobody wants this")
        self.assertEqual((), self.journal.lines)

    def test_a_failure_tells_its_cause(self) -> None:
        with self.logger.failuresHandled("doing a thing"):
            raise ValueError("not this one")
        [line] = self.journal.lines
        self.assertEqual("critical", line.level)
        self.assertIn("ValueError: not this one", line.text)

    def test_a_line_is_bounded_and_printable(self) -> None:
        self.logger.info("{text}", text="\x1b[2J" + "x" * 1000)
        [line] = self.journal.lines
        self.assertEqual("\ufffd[2J" + "x" * 496 + "…", line.text)

    def test_a_line_of_another_thread_comes_by_the_reactor(self) -> None:
        thread = threading.Thread(target=self.logger.info, args=("from the disk",))
        thread.start()
        thread.join()
        self.assertEqual((), self.journal.lines)
        [(call, arguments)] = self.reactor.calls
        call(*arguments)
        self.assertEqual("from the disk", self.journal.lines[0].text)

    def test_nothing_is_written_after_the_end(self) -> None:
        self.keeping.stopService()
        self.logger.info("too late")
        self.assertEqual((), self.journal.lines)
