"""The manhole: who gets in, and what there is inside."""

import re
import socket
from dataclasses import replace
from datetime import datetime
from shutil import which
from typing import Any
from unittest import SkipTest

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.conch.telnet import DO, DONT, ECHO, IAC, NAWS, SB, SE, SGA, WILL
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ProcessDone
from twisted.internet.protocol import ProcessProtocol, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from hargassner.admin.console import namespace
from hargassner.admin.login import LOGIN_TIMEOUT
from hargassner.admin.manhole import (
    LONGEST_LOGIN,
    MOST_CONSOLES,
    MOST_LOGINS,
    WARNED_AGAIN_AFTER,
    Manhole,
    ManholeFactory,
)
from hargassner.config import Config, ManholeConfig, StateConfig
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import BoilerDescribed, ParameterChanged, TelemetryLine
from hargassner.parts import build
from hargassner.proxy.session import Session
from tests.cases import ClockCase, DescriptorCase, free_ports
from tests.doubles.clocks import TwoClocks
from tests.doubles.documents import document
from tests.telling import tell

CONFIG = ManholeConfig(listen="tcp:0:interface=127.0.0.1", password="open sesame")
WRONG = "open cinnamon"
DOCUMENT = document([("TK", "°C"), ("e\x9b2J", "%")])


class Client:
    """Types into a connection of its own, and reads what is shown."""

    def __init__(self, factory: ManholeFactory, address: str = "192.0.2.9") -> None:
        self.left = False
        self.transport = StringTransport()
        protocol = factory.buildProtocol(IPv4Address("TCP", address, 40000))
        assert protocol is not None
        self.protocol = protocol
        self.protocol.makeConnection(self.transport)

    def types(self, data: str | bytes) -> str:
        """Type this; what is shown then, without telnet and terminal commands."""
        self.transport.clear()
        self.protocol.dataReceived(data if isinstance(data, bytes) else data.encode())
        return self.screen()

    def screen(self) -> str:
        shown = re.sub(rb"\xff[\xfb-\xfe].|\x1b\[[0-9;]*[A-Za-z]", b"", self.transport.value())
        return shown.replace(b"\r", b"").decode()

    def log_in(self, password: str = "open sesame") -> str:
        self.types("admin\r\n")
        return self.types(f"{password}\r\n")

    @property
    def is_open(self) -> bool:
        return not (self.transport.disconnecting or self.transport.disconnected)

    def leave(self) -> None:
        """Go away, if that has not been done."""
        if not self.left:
            self.left = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


class ManholeCase(ClockCase):
    """A manhole with one name inside, and a client at its door."""

    def setUp(self) -> None:
        super().setUp()
        self.said: list[object] = []
        self.factory = ManholeFactory(CONFIG, self.clock, self.names())
        self.client = self.connect()

    def names(self) -> dict[str, object]:
        return {"said": self.said}

    def connect(self, address: str = "192.0.2.9") -> Client:
        client = Client(self.factory, address)
        self.addCleanup(client.leave)
        return client


class LoginTests(ManholeCase):
    """Who gets in."""

    def test_name_and_password_are_asked_for_and_the_password_is_not_echoed(self) -> None:
        self.assertEqual("Username: ", self.client.screen())
        self.client.types("admin\r\n")
        self.assertEqual(IAC + WILL + ECHO + b"Password: ", self.client.transport.value())

    def test_whoever_knows_them_gets_in(self) -> None:
        self.assertIn("help() tells what there is", self.client.log_in())
        self.client.types("said.append(40 + 2)\r\n")
        self.assertEqual([42], self.said)
        self.assertIn("manhole: 192.0.2.9 logged in", self.log.lines)

    def test_the_return_key_may_be_followed_by_nul(self) -> None:
        self.client.types("admin\r\0")
        self.assertIn("help() tells what there is", self.client.types("open sesame\r\0"))

    def test_a_client_that_negotiates_about_nothing_gets_in(self) -> None:
        """Or refuses that its password is not echoed; and nothing is logged of that."""
        self.client.types("admin\r\n")
        self.client.types(IAC + DONT + ECHO)
        self.assertIn("help() tells what there is", self.client.types("open sesame\r\n"))
        self.assertEqual([], self.flushLoggedErrors())

    def test_what_is_typed_ahead_of_the_console_is_dropped(self) -> None:
        self.client.types("admin\r\nopen sesame\r\nsaid.append(1)\r\n")
        self.assertEqual([], self.said)
        self.client.types("said.append(2)\r\n")
        self.assertEqual([2], self.said)

    def test_nobody_gets_in_with_a_wrong_name_or_password_or_without(self) -> None:
        for number, (name, password) in enumerate(
            (
                ("admin", WRONG),
                ("root", "open sesame"),
                ("admin", ""),
                ("", ""),
                ("admin", "open sesame "),
            )
        ):
            client = self.connect(f"192.0.2.{number + 20}")
            client.types(f"{name}\r\n")
            self.assertEqual("\n", client.types(f"{password}\r\n"))
            client.types("said.append(1)\r\n")
            client.leave()
        self.assertEqual([], self.said)

    def test_a_wrong_password_is_logged_with_the_address_and_without_itself(self) -> None:
        self.client.types("open sesame\r\n")
        self.client.types(f"{WRONG}\r\n")
        self.assertEqual(
            ["manhole: 192.0.2.9 gave a wrong name or password, 1 in a row"], self.log.lines
        )

    def test_after_a_wrong_password_the_next_attempt_has_to_wait(self) -> None:
        self.client.log_in(WRONG)
        self.assertEqual("", self.client.types("admin\r\nopen sesame\r\n"))
        self.clock.advance(1)
        self.assertEqual("Login incorrect\nUsername: ", self.client.screen())
        self.assertIn("help() tells what there is", self.client.log_in())

    def test_three_wrong_passwords_end_the_connection(self) -> None:
        for seconds in (1, 2):
            self.client.log_in(WRONG)
            self.assertTrue(self.client.is_open)
            self.clock.advance(seconds)
        self.assertIn("The next login is possible in 4 s.", self.client.log_in(WRONG))
        self.assertFalse(self.client.is_open)

    def test_a_new_connection_does_not_shorten_the_wait(self) -> None:
        self.client.log_in(WRONG)
        self.client.leave()
        early = self.connect()
        self.assertIn("The next login is possible in 1 s.", early.screen())
        self.assertFalse(early.is_open)
        early.leave()
        self.clock.advance(1)
        self.assertIn("help() tells what there is", self.connect().log_in())

    def test_nor_does_one_that_was_there_before(self) -> None:
        other = self.connect()
        self.client.log_in(WRONG)
        self.assertIn("The next login is possible in 1 s.", other.log_in())
        self.assertFalse(other.is_open)

    def test_another_address_does_not_wait_for_it(self) -> None:
        self.client.log_in(WRONG)
        self.assertIn("help() tells what there is", self.connect("192.0.2.10").log_in())

    def test_guesses_become_few(self) -> None:
        self.client.leave()
        guesses = 0
        for _ in range(600):
            client = self.connect()
            if client.is_open:
                client.log_in(WRONG)
                guesses += 1
            client.leave()
            self.clock.advance(1)
        # 1 + 2 + 4 + 8 + 16 + 32 seconds, and then one a minute.
        self.assertEqual(15, guesses)
        self.assertEqual(4, len(self.log.lines))

    def test_whoever_does_not_log_in_is_not_waited_for(self) -> None:
        self.clock.advance(LOGIN_TIMEOUT - 1)
        self.assertFalse(self.client.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(self.client.transport.disconnecting)
        self.assertNotIn("help() tells what there is", self.client.log_in())

    def test_a_console_stays_for_as_long_as_one_likes(self) -> None:
        self.client.log_in()
        self.clock.advance(100 * LOGIN_TIMEOUT)
        self.assertFalse(self.client.transport.disconnecting)

    def test_there_are_not_more_consoles_than_a_few(self) -> None:
        self.client.log_in()
        for _ in range(MOST_CONSOLES - 1):
            self.connect().log_in()
        address = IPv4Address("TCP", "192.0.2.10", 40000)
        for _ in range(3):
            self.assertIsNone(self.factory.buildProtocol(address))
        self.assertEqual(
            ["manhole: 192.0.2.10 is refused, 4 are connected"], self.log.at(LogLevel.warn)
        )
        self.client.leave()
        self.assertIsNotNone(self.factory.buildProtocol(address))

    def test_an_address_has_not_more_logins_than_two(self) -> None:
        self.connect()
        self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 40000)))
        self.assertIn("help() tells what there is", self.connect("192.0.2.10").log_in())

    def test_logins_that_are_left_open_keep_nobody_out(self) -> None:
        idle = [self.connect(f"192.0.2.{number // 2 + 20}") for number in range(MOST_LOGINS - 1)]
        owner = self.connect("192.0.2.10")
        self.connect("192.0.2.30")
        self.assertEqual([True, True], [each.is_open for each in (self.client, owner)])
        self.assertEqual(2, [each.is_open for each in idle].count(False))
        self.assertIn("help() tells what there is", owner.log_in())

    def test_what_is_no_telnet_is_cut_off(self) -> None:
        for garbage in (IAC + b"\x01", IAC + SB + IAC + SE, b"x" * (LONGEST_LOGIN + 1)):
            client = self.connect("192.0.2.10")
            client.types(garbage)
            self.assertTrue(client.transport.disconnected)
            client.types(b"admin\r\nopen sesame\r\n")
        self.assertEqual(
            ["manhole: 192.0.2.10 is cut off: ValueError('Stumped', b'\\x01')"],
            self.log.lines,
        )
        self.assertEqual([], self.flushLoggedErrors())

    def test_what_is_no_telnet_is_said_again_after_an_hour(self) -> None:
        for _ in range(2):
            self.connect("192.0.2.10").types(IAC + b"\x01")
            self.clock.advance(WARNED_AGAIN_AFTER)
        self.assertEqual(2, len(self.log.lines))

    def test_a_manhole_without_a_password_is_not_made(self) -> None:
        with self.assertRaises(ValueError):
            ManholeFactory(replace(CONFIG, password=""), self.clock, {})


class AnyBytesTests(ManholeCase):
    """The law: whatever comes before the login lets nobody in, and is one line in the log."""

    def setUp(self) -> None:
        super().setUp()

    def loud(self) -> list[object]:
        """What was logged for owners to read, by Twisted too."""
        return [each for each in self.log.everything if each["log_level"] >= LogLevel.info]

    @given(
        pieces=st.lists(
            st.one_of(
                st.binary(max_size=30),
                st.sampled_from(
                    [
                        *(IAC, IAC + SB, IAC + SE, IAC + WILL + ECHO, IAC + DO + ECHO),
                        *(IAC + DO + SGA, IAC + b"\x01", b"admin\r\n", b"\r\0", b"\r\n"),
                        *(b"\x03", b"\x04", b"x" * 5000),
                    ]
                ),
            ),
            max_size=30,
        )
    )
    @example(pieces=[b"admin\r\n", b"\r\n", IAC + b"\x01"])
    def test_any_bytes(self, pieces: list[bytes]) -> None:
        factory = ManholeFactory(CONFIG, self.clock, self.names())
        before = len(self.loud())
        client = Client(factory)
        for piece in pieces:
            if client.is_open:
                client.types(piece)
        self.assertFalse(any(each.is_inside for each in factory.connections))
        client.leave()
        self.assertLessEqual(len(self.loud()) - before, 1)
        self.assertEqual([], self.flushLoggedErrors())


class ConsoleTests(ManholeCase):
    """The console."""

    def setUp(self) -> None:
        super().setUp()
        self.client.log_in()

    def test_lines_can_be_edited_and_come_back(self) -> None:
        self.client.types("said.append(12)\x1b[D\x7f3\r\n")
        self.client.types("\x1b[A\r\n")
        self.assertEqual([13, 13], self.said)

    def test_an_exception_is_shown_and_stays_in_the_console(self) -> None:
        self.assertIn("ZeroDivisionError: division by zero", self.client.types("1/0\r\n"))
        self.assertIn("3", self.client.types("1 + 2\r\n"))
        self.assertEqual([], self.flushLoggedErrors())

    def test_what_would_end_the_program_ends_the_console(self) -> None:
        self.client.types("raise SystemExit('no')\r\n")
        self.assertTrue(self.client.transport.disconnecting)

    def test_nothing_that_is_shown_steers_the_terminal(self) -> None:
        self.client.transport.clear()
        self.client.types(r"print('\x1b]0;x\x07' + chr(0x9b) + '\tend')" + "\r\n")
        shown = self.client.transport.value().partition(b"\r\n")[2]
        self.assertIn("\ufffd]0;x\ufffd\ufffd".encode(), shown)
        self.assertNotIn(b"\x1b", shown)
        self.assertNotIn(b"\t", shown)

    def test_a_key_that_is_no_ascii_is_refused_with_a_beep(self) -> None:
        self.assertEqual("\a\a", self.client.types("ü"))

    def test_each_console_has_names_of_its_own(self) -> None:
        other = self.connect()
        other.log_in()
        self.client.types("mine = 1\r\n")
        self.assertIn("NameError", other.types("mine\r\n"))

    def test_the_size_of_the_terminal_leaves_the_screen_alone(self) -> None:
        self.client.types(IAC + WILL + NAWS + IAC + DO + SGA)
        size = IAC + SB + NAWS + b"\x00\x64\x00\x28" + IAC + SE
        self.assertEqual("", self.client.types(size))

    def test_the_end_of_the_manhole_ends_it(self) -> None:
        self.factory.end_all()
        self.assertTrue(self.client.transport.disconnected)


class InsideTests(ManholeCase):
    """The helpers, typed as their users type them."""

    def setUp(self) -> None:
        super().setUp()
        self.client.log_in()

    def names(self) -> dict[str, object]:
        self.wall_clock = TwoClocks()
        parts = build(Config(state=StateConfig(self.mktemp())), reactor)
        self.parts = replace(parts, clock=self.wall_clock)
        return namespace(self.parts)

    def shown(self, line: str) -> list[str]:
        """What a line shows, without its echo and the next prompt."""
        return self.client.types(f"{line}\r\n").splitlines()[1:-1]

    def hear_telemetry(self) -> None:
        session = Session(1, ("192.0.2.7", 51975), self.parts.gateway.proxy)
        self.parts.gateway.proxy.sessions[1] = session
        self.parts.journal.observe(session).boiler_sent(b"zIP 10.0.0.72\r\npm 65.90 7 \r\n")
        for event in (
            BoilerDescribed(DOCUMENT, parse_descriptor(DOCUMENT)),
            TelemetryLine(b"pm 65.90 7 "),
        ):
            tell(self.parts.boiler, event, 1.0, 1)

    def test_help_tells_of_every_name(self) -> None:
        told = {line.split()[0].removesuffix("()") for line in self.shown("help()")[:-1]}
        self.assertEqual(told, set(namespace(self.parts)))

    def test_status_before_anything_was_heard(self) -> None:
        shown = self.shown("status()")
        self.assertIn("gateway    not heard yet", shown)
        self.assertIn("broker     none configured", shown)

    def test_channels_by_a_part_of_their_name(self) -> None:
        self.assertEqual(["none"], self.shown("channels()"))
        self.hear_telemetry()
        head, line = self.shown("channels('tK')")
        self.assertEqual(["channel", "name", "value", "unit", "since"], head.split())
        self.assertEqual(["tk", "TK", "65.90", "°C"], line.split()[:4])

    def test_names_from_the_wire_are_printable(self) -> None:
        self.hear_telemetry()
        self.client.types("channels()\r\n")
        self.assertIn("e\ufffd2J".encode(), self.client.transport.value())

    def test_settings(self) -> None:
        self.parts.boiler.apply(ParameterChanged("4", "Temp. jour", None, "20.0"), 1.0)
        _, line = self.shown("settings('temp')")
        self.assertIn("Temp. jour  20.0", line)
        self.assertEqual(["none"], self.shown("settings('zone')"))

    def test_times_are_those_of_the_wall_clock(self) -> None:
        """As it is set now, and not as it was when they were noted."""
        clock = self.wall_clock
        clock.step(datetime(2026, 11, 25, 12, 0).timestamp())
        self.parts.boiler.apply(ParameterChanged("4", "Temp. jour", None, "20.0"), 60.0)
        self.assertIn("2026-11-25 12:01:00", self.shown("settings()")[-1])
        clock.step(-3600)
        self.assertIn("2026-11-25 11:01:00", self.shown("settings()")[-1])

    def test_sessions(self) -> None:
        self.hear_telemetry()
        _, line = self.shown("sessions()")
        self.assertEqual(["1", "192.0.2.7:51975"], line.split()[:2])

    def test_the_last_lines_of_the_dialogue_and_the_log(self) -> None:
        self.assertEqual(["none"], self.shown("log()"))
        self.hear_telemetry()
        self.assertEqual(3, len(self.shown("dialogue()")))
        [last] = self.shown("dialogue(1)")
        self.assertTrue(last.endswith("1  boiler  pm 65.90 7"))

    def test_counters_and_faults(self) -> None:
        self.assertIn("proxy     refused             0", self.shown("counters()"))
        self.assertEqual(["none"], self.shown("faults()"))


class Terminal(Protocol):
    """A telnet client on a real connection."""

    def __init__(self) -> None:
        self.shown = b""
        self.over: Deferred[None] = Deferred()
        self._awaited = b""
        self._waiting: Deferred[bytes] | None = None

    def types(self, data: bytes, awaited: bytes) -> "Deferred[bytes]":
        """Type this, and wait until that is shown; the result is all that was shown."""
        self.shown = b""
        self._awaited = awaited
        self._waiting = Deferred()
        self.write(data)
        return self._waiting

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        self.shown += data
        if IAC + WILL + ECHO in data:
            self.write(IAC + DO + ECHO)
        if self._waiting is not None and self._awaited in self.shown:
            waiting, self._waiting = self._waiting, None
            waiting.callback(self.shown)

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(None)


class RealManholeTests(DescriptorCase):
    """Over a real connection."""

    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        [self.number] = free_ports(1)
        listen = f"tcp:{self.number}:interface=127.0.0.1"
        self.manhole = Manhole(replace(CONFIG, listen=listen), reactor, {"answer": 42})
        self.manhole.startService()

    @inlineCallbacks
    def test_a_conversation(self) -> Any:
        terminal = Terminal()
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.number)
        yield connectProtocol(endpoint, terminal)
        yield terminal.types(b"admin\r\n", b"Password: ")
        yield terminal.types(b"open sesame\r\n", b">>> ")
        shown = yield terminal.types(b"answer\r\n", b"\n>>> ")
        self.assertIn(b"42", shown)
        yield self.manhole.stopService()
        yield terminal.over

    @inlineCallbacks
    def test_only_one_that_others_can_reach_is_warned_of(self) -> Any:
        for listen, warned in (
            ("tcp:0:interface=127.0.0.1", 0),
            ("tcp6:0:interface=\\:\\:1", 0),
            ("tcp:0:interface=0.0.0.0", 1),
        ):
            manhole = Manhole(replace(CONFIG, listen=listen), MemoryReactorClock(), {})
            manhole.startService()
            lines = [each for each in self.log.at(LogLevel.warn) if listen in each]
            self.assertEqual(len(lines), warned, listen)
            yield manhole.stopService()
        yield self.manhole.stopService()

    @inlineCallbacks
    def test_a_client_that_lost_its_network_does_not_keep_its_place(self) -> Any:
        factory = ManholeFactory(CONFIG, reactor, {})
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        terminal = Terminal()
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        yield connectProtocol(endpoint, terminal)
        yield terminal.types(b"admin\r\n", b"Password: ")
        [connection] = factory.connections
        sock = connection.transport.getHandle()
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        yield port.stopListening()
        yield self.manhole.stopService()
        factory.end_all()
        yield terminal.over

    @inlineCallbacks
    def test_a_port_in_use_is_said_with_whoever_holds_it(self) -> Any:
        listen = f"tcp:{self.number}:interface=127.0.0.1"
        second = Manhole(replace(CONFIG, listen=listen), reactor, {})
        second.startService()
        [line] = self.log.at(LogLevel.warn)
        self.assertIn(f"the manhole cannot listen on {listen}, and tries again: ", line)
        self.assertIn(f"TCP port {self.number} on 127.0.0.1 is in use by ", line)
        self.assertIn("(process ", line)
        yield second.stopService()
        yield self.manhole.stopService()

    @inlineCallbacks
    def test_the_telnet_program(self) -> Any:
        telnet = which("telnet")
        if telnet is None:
            yield self.manhole.stopService()
            raise SkipTest("there is no telnet program here")
        program = Program()
        reactor.spawnProcess(
            program,
            telnet,
            ["telnet", "127.0.0.1", str(self.number)],
            env={"TERM": "xterm"},
            usePTY=True,
        )
        yield program.types(b"", b"Username: ")
        yield program.types(b"admin\r", b"Password: ")
        shown = yield program.types(WRONG.encode() + b"\r", b"Username: ")
        self.assertNotIn(WRONG.encode(), shown)
        yield program.types(b"admin\r", b"Password: ")
        yield program.types(b"open sesame\r", b">>> ")
        shown = yield program.types(b"answer\r", b"\n>>> ")
        self.assertIn(b"42", shown)
        yield program.types(b"half a line\x03", b"KeyboardInterrupt")
        program.write(b"exit()\r")
        yield program.over
        yield self.manhole.stopService()


class Program(ProcessProtocol, Terminal):
    """The telnet program, in a terminal of its own."""

    def __init__(self) -> None:
        Terminal.__init__(self)

    def connectionMade(self) -> None:
        """Its terminal is there."""

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def outReceived(self, data: bytes) -> None:
        self.dataReceived(data)

    def processEnded(self, reason: Failure) -> None:
        reason.trap(ProcessDone)
        self.over.callback(None)
