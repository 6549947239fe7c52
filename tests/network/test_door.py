"""A port for people that is tried again."""

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail, inlineCallbacks, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from zope.interface import implementer

from hargassner.network.door import TRY_EVERY, Door
from tests.cases import ClockCase, DescriptorCase


@implementer(IListeningPort)
class FakePort:
    """A port that knows whether it was given back."""

    def __init__(self) -> None:
        self.closed = False

    def startListening(self) -> None:
        """It listens from the start."""

    def getHost(self) -> None:
        """It is nowhere."""

    def stopListening(self) -> "Deferred[None]":
        self.closed = True
        return succeed(None)


@implementer(IStreamServerEndpoint)
class ScriptedEndpoint:
    """Answers with what the test prepared, one thing an attempt."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def listen(self, protocolFactory: Any) -> "Deferred[Any]":
        answer = self.answers.pop(0)
        if isinstance(answer, Deferred):
            return answer
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)


class DoorTests(ClockCase):
    """When it opens and closes."""

    def door(self, *answers: object) -> Door:
        self.endpoint = ScriptedEndpoint(*answers)
        door = Door(self.clock, "the page", self.endpoint, Factory.forProtocol(Protocol))
        door.startService()
        return door

    def test_it_opens_without_a_word_and_gives_the_port_back(self) -> None:
        port = FakePort()
        door = self.door(port)
        self.assertIs(door.port, port)
        self.successResultOf(door.stopService())
        self.assertTrue(port.closed)
        self.assertIsNone(door.port)
        self.assertEqual(self.log.lines, [])

    def test_a_failure_is_said_once_and_tried_again(self) -> None:
        door = self.door(OSError("no"), OSError("no"), OSError("not now"), FakePort())
        for _ in range(3):
            self.clock.advance(TRY_EVERY)
        self.assertEqual(
            self.log.lines,
            ["the page waits: no", "the page waits: not now", "the page is open"],
        )
        self.successResultOf(door.stopService())

    def test_stopped_while_it_waits_it_does_not_try_again(self) -> None:
        door = self.door(OSError("no"), FakePort())
        self.successResultOf(door.stopService())
        self.clock.advance(10 * TRY_EVERY)
        self.assertEqual(len(self.endpoint.answers), 1)

    def test_stopped_while_it_opens_it_gives_up(self) -> None:
        cancelled = []
        door = self.door(Deferred(cancelled.append))
        self.successResultOf(door.stopService())
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(self.log.lines, [])
        self.flushLoggedErrors(CancelledError)


class RealDoorTests(DescriptorCase):
    """On real ports."""

    @inlineCallbacks
    def test_whoever_holds_the_port_is_named(self) -> Any:
        clock = Clock()
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            door = Door(
                clock,
                "the page",
                serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1"),
                Factory.forProtocol(Protocol),
            )
            door.startService()
            [line] = self.log.lines
            self.assertIn(f"the page waits: TCP port {port} on 127.0.0.1 is in use by ", line)
            self.assertIn("(process ", line)
        clock.advance(TRY_EVERY)
        self.assertIsNotNone(door.port)
        yield door.stopService()
