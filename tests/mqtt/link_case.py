"""The link to a broker that says what the test makes it say."""

from typing import Any

from paho.mqtt import client as paho
from twisted.internet import error
from twisted.internet.task import Clock

from hargassner.config import MqttConfig
from hargassner.mqtt.interfaces import LinkState, LinkStatus
from hargassner.mqtt.link import BrokerLink
from tests.cases import ClockCase
from tests.doubles.transports import ScriptedEndpoint, ScriptedTransport
from tests.mqtt.packets import CONNACK, Packet, packets

CONFIG = MqttConfig(url="mqtt://broker.lan")
MOST_READ = 65_536
"""Bytes that Twisted reads from a socket at once."""


class Wire(ScriptedTransport):
    """A connection to a broker that says what the test makes it say."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(closes=True)
        self.coming = b""
        """What the broker has sent and nobody has read."""
        self._clock = clock

    def says(self, data: bytes) -> None:
        """The broker sends something; as much is read at once as a reactor reads."""
        self.coming += data
        self._arrive()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.coming:
            self._clock.callLater(0, self._arrive)

    def _arrive(self) -> None:
        while self.coming and self.producerState == "producing" and not self.lost:
            data, self.coming = self.coming[:MOST_READ], self.coming[MOST_READ:]
            self.protocol.dataReceived(data)

    def heard(self) -> list[Packet]:
        """The packets that the broker received since it was asked last."""
        return packets(self.taken())

    def published(self) -> list[tuple[str, str]]:
        """Topics and payloads among them."""
        return [(each.topic, each.payload) for each in self.heard() if each.kind == "PUBLISH"]

    def fill(self) -> None:
        """The broker reads no more."""
        self.producer.pauseProducing()

    def drain(self) -> None:
        """The broker reads again."""
        self.producer.resumeProducing()


class BrokerEndpoint(ScriptedEndpoint):
    """The way to a broker that answers when the test says so."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def transport(self) -> Wire:
        return Wire(self.clock)

    def refuse(self, why: Exception | None = None) -> None:
        """Nobody listens."""
        super().refuse(why or error.ConnectionRefusedError())


class LinkCase(ClockCase):
    """A link that runs."""

    config = CONFIG

    def setUp(self) -> None:
        super().setUp()
        self.patch(paho, "time_func", self.clock.seconds)
        self.endpoint = BrokerEndpoint(self.clock)
        clock: Any = self.clock
        self.link = BrokerLink(self.config, clock, self.endpoint)
        self.statuses: list[LinkStatus] = []
        self.link.on_status(self.statuses.append)
        self.link.startService()
        # Before the clock is looked at.
        self.addCleanup(self.link.stopService)

    def online(self) -> Wire:
        """Let the next attempt succeed."""
        wire = self.endpoint.accept()
        wire.heard()
        wire.says(CONNACK)
        return wire

    def wait_for_attempt(self, seconds: int) -> int:
        """How many seconds pass until the next attempt, at most so many."""
        passed = 0
        while not self.endpoint.attempts:
            self.assertLess(passed, seconds)
            self.clock.advance(1)
            passed += 1
        return passed

    @property
    def state(self) -> LinkState:
        return self.link.status.state
