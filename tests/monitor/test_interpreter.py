"""The interpreter: from passing bytes to the model, and to the log."""

import random

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.boiler.model import Boiler
from hargassner.discovery import Announcement, Devices, FoundBoiler, FoundGateway, ServiceList
from hargassner.monitor.interpreter import Interpreter
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import IExchangeObserver
from hargassner.proxy.session import Session
from tests.cases import Log
from tests.doubles.documents import SMALL
from tests.doubles.login import KEY, TOKEN


class InterpreterCase(SynchronousTestCase):
    """A model, and one session that is interpreted."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.boiler = Boiler()
        self.described: list[bytes] = []
        self.interpreter = Interpreter(
            self.boiler, self.clock, lambda event: self.described.append(event.document)
        )
        proxy = ProxyFactory(self.clock, lambda _: Deferred(), Access(["any"], Devices(self.clock)))
        self.session = Session(1, ("192.0.2.7", 51975), proxy)
        self.log = Log(self)
        self.session_interpreter = self.interpreter.observe(self.session)

    def log_in(self) -> None:
        self.session_interpreter.gateway_sent(b"$login token\r\n")
        self.session_interpreter.boiler_sent(TOKEN)
        self.session_interpreter.gateway_sent(KEY)
        self.session_interpreter.boiler_sent(b"zclient login (7)\r\n$a")
        self.session_interpreter.boiler_sent(b"ck\r\n")


class SessionTests(InterpreterCase):
    """One session, interpreted."""

    def test_it_is_an_honest_observer(self) -> None:
        verifyObject(IExchangeObserver, self.session_interpreter)

    def test_a_login_reaches_the_session_and_the_model(self) -> None:
        self.log_in()
        self.assertTrue(self.session.logged_in)
        self.assertEqual(1, self.boiler.availability.session.number)

    def test_without_a_login_there_is_no_gateway_session(self) -> None:
        self.session_interpreter.gateway_sent(b"$apiversion\r\n")
        self.session_interpreter.boiler_sent(b"$permission denied\r\n")
        self.assertFalse(self.session.logged_in)
        self.assertIsNone(self.boiler.availability.session)

    def test_the_end_of_the_session_reaches_the_model(self) -> None:
        self.log_in()
        self.session_interpreter.over("the client closed")
        self.assertIsNone(self.boiler.availability.session)

    def test_a_descriptor_is_handed_on_and_telemetry_understood(self) -> None:
        self.session_interpreter.gateway_sent(b"$daq desc\r\n")
        self.session_interpreter.boiler_sent(b"$<<" + SMALL + b">>\r\npm 7 65.9 1 \r\n")
        self.assertEqual([SMALL], self.described)
        self.assertEqual("65.9", self.boiler.channels["tk"].text)
        self.assertEqual(1_700_000_000, self.boiler.channels["tk"].since)
        self.assertEqual("ON", self.boiler.channels["stoerung"].text)
        self.assertEqual(("1",), self.interpreter.words())

    def test_neither_token_nor_key_is_logged(self) -> None:
        self.log_in()
        self.session_interpreter.boiler_sent(b"$0A1B2C3D what is this\r\n")
        log = "\n".join(self.log.lines)
        self.assertNotIn("0A1B2C3D", log)
        self.assertNotIn("1300112233445566778899AABBCCDDEEFF", log)

    def test_an_unknown_request_is_said_once(self) -> None:
        for _ in range(3):
            self.session_interpreter.gateway_sent(b"$frobnicate now\r\n")
            self.session_interpreter.boiler_sent(b"$done\r\n")
        said = [each for each in self.log.lines if "frobnicate" in each]
        self.assertEqual(1, len(said))

    def test_what_is_refused_again_and_again_is_said_once(self) -> None:
        """A boiler that does not know the gateway's list of changes is asked for it for years."""
        for second in range(60):
            self.session_interpreter.gateway_sent(
                f'$par get changed "2026-01-01 00:00:{second:02}"\r\n$erract\r\n'.encode()
            )
            self.session_interpreter.boiler_sent(b"$Unknown Command\r\n$permission denied\r\n")
        said = [each for each in self.log.lines if "refused" in each]
        self.assertEqual(2, len(said), said)
        self.assertIn('$par get changed "2026-01-01 00:00:00": $Unknown Command', said[0])
        self.assertIn("$erract: $permission denied", said[1])

    def test_a_client_that_sends_garbage_is_said_in_one_line(self) -> None:
        """Whatever garbage it is, and of whatever it is full."""
        chance = random.Random(3)
        for garbage in (
            b"\0" * 65_536 + b"\r\n",
            b"\xff" * 65_536 + b"\r\n",
            b"\xff" * 300_000,
            b"\r\n" * 1000,
            bytes(range(256)) * 100 + b"\r\n",
            b"".join(chance.randbytes(40) + b"\r\n" for _ in range(1000)),
            b"\x1b[2J\r\n" * 1000,
        ):
            self.setUp()
            for place in range(0, len(garbage), 1456):
                self.session_interpreter.gateway_sent(garbage[place : place + 1456])
            said = self.log.lines
            self.assertLessEqual(len(said), 1, said)
            self.assertTrue("".join(said).isprintable() or not said, said)

    def test_what_the_boiler_says_cannot_steer_the_terminal(self) -> None:
        self.session_interpreter.gateway_sent(b'$par set "PR001;6;1\x1b[2J"\r\n')
        self.session_interpreter.boiler_sent(b"$err \x07\r\n?? \x1b[2J\nwhat\r\n")
        self.assertEqual(2, len(self.log.lines))
        for each in self.log.lines:
            self.assertIn("\N{REPLACEMENT CHARACTER}", each)
            self.assertTrue(each.isprintable())

    def test_what_cannot_be_read_is_counted_and_its_cause_said_once(self) -> None:
        self.log_in()
        before = len(self.log.events)
        for _ in range(5):
            self.session_interpreter.boiler_sent(b"?? what\r\n")
        self.assertEqual(5, self.interpreter.unreadable)
        self.assertEqual(1, len(self.log.events) - before)


class BridgeTests(InterpreterCase):
    """Requests of the bridge's own, among the gateway's."""

    def test_the_answer_to_the_bridge_reaches_the_model(self) -> None:
        self.session_interpreter.bridge_sent(b"$par get PR001\r\n")
        self.session_interpreter.bridge_received(b"$PR001;6;1;1;0;0;0;0;Mode;Non;Oui;0;\r\n")
        self.assertEqual("Oui", self.boiler.settings["PR001"].text)

    def test_a_refusal_is_for_the_bridge_to_say(self) -> None:
        before = len(self.log.events)
        self.session_interpreter.bridge_sent(b"$par get PR001\r\n")
        self.session_interpreter.bridge_received(b"$err parameter\r\n")
        self.assertEqual(len(self.log.events), before)

    def test_an_answer_that_does_not_come_does_not_mix_up_the_gateways(self) -> None:
        self.session_interpreter.bridge_sent(b'$par set "4;3;20"\r\n')
        self.session_interpreter.gateway_sent(b"$info\r\n")
        self.session_interpreter.boiler_sent(b"$KT: 'Nano.2(.3) 15'\r\n")
        self.assertEqual("Nano.2(.3) 15", self.boiler.identity.model)
        self.assertEqual(("$info",), self.session_interpreter.dialogue.open_requests)

    def test_listeners_hear_events_when_the_model_has_them(self) -> None:
        heard: list[object] = []
        self.session_interpreter.listen(lambda _: heard.append(self.boiler.settings["4"].text))
        self.session_interpreter.boiler_sent(b"zPa N: 4 = 20.0\r\n")
        self.assertEqual(["20.0"], heard)

    def test_a_failure_is_noted(self) -> None:
        self.session_interpreter.listen(lambda _event: 1 / 0)
        self.session_interpreter.boiler_sent(b"pm 1 \r\n")
        self.assertFalse(self.session_interpreter.failed)
        self.assertRaises(
            ZeroDivisionError, self.session_interpreter.boiler_sent, b"zPuffer Aus\r\n"
        )
        self.assertTrue(self.session_interpreter.failed)


class DeviceTests(InterpreterCase):
    """What discovery tells the model."""

    def test_the_gateways_announcement(self) -> None:
        found = FoundGateway("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.interpreter.gateway_announced(found)
        identity = self.boiler.identity
        self.assertEqual(
            ("192.0.2.7", "6.4.1", "0012345"),
            (identity.gateway_address, identity.gateway_software, identity.gateway_serial),
        )

    def test_the_boilers_service_list(self) -> None:
        services = ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")
        self.interpreter.boiler_answered(FoundBoiler("198.51.100.2", services))
        identity = self.boiler.identity
        self.assertEqual(
            ("198.51.100.2", "HSV/CL 9-60KW", "V14.0n3", "0BADCAFE"),
            (identity.boiler_address, identity.model, identity.firmware, identity.system_code),
        )

    def test_the_model_that_the_boiler_told_in_a_session_is_kept(self) -> None:
        self.session_interpreter.gateway_sent(b"$info\r\n")
        self.session_interpreter.boiler_sent(b"$KT: 'Nano.2(.3) 15'\r\n")
        services = ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")
        self.interpreter.boiler_answered(FoundBoiler("198.51.100.2", services))
        self.assertEqual("Nano.2(.3) 15", self.boiler.identity.model)
