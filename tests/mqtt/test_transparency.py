"""The gateway's session while the broker is in trouble: every byte passes."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.protocol import Factory, Protocol

from hargassner.config import MqttConfig
from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.link import BrokerLink
from hargassner.proxy.session import Session
from tests.cases import until
from tests.mqtt.brokers import HOST, Mosquitto
from tests.proxy.socket_case import Passing, SocketCase


class _Publishing:
    """Has whatever passes published: more than any view ever would."""

    def __init__(self, link: BrokerLink) -> None:
        self._link = link

    def gateway_sent(self, data: bytes) -> None:
        self._link.publish("hargassner/boiler/gateway", data.hex())

    def boiler_sent(self, data: bytes) -> None:
        self._link.publish("hargassner/boiler/boiler", data.hex())

    def over(self, reason: str) -> None:
        self._link.publish("hargassner/boiler/over", reason)


class _Published:
    """Has all that passes published."""

    url = ""

    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        self.link = BrokerLink(MqttConfig(url=self.url), reactor)
        self.link.startService()
        self.addCleanup(self.link.stopService)

    def observers_of(self, session: Session) -> list[Any]:
        return [_Publishing(self.link)]


class FrozenBrokerTests(_Published, Passing, SocketCase):
    """The broker is stopped in the midst of whatever it does."""

    @inlineCallbacks
    def setUp(self) -> Any:
        folder = Path(mkdtemp(prefix="hargassner-test-"))
        self.addCleanup(shutil.rmtree, folder)
        broker = Mosquitto(folder)
        self.addCleanup(broker.kill)
        broker.start()
        self.url = broker.url
        yield super().setUp()
        yield until(lambda: self.link.status.state is LinkState.ONLINE)
        broker.freeze()


class BlackHoleTests(_Published, Passing, SocketCase):
    """The broker's port accepts connections, and nobody reads or answers."""

    @inlineCallbacks
    def setUp(self) -> Any:
        connections: list[Protocol] = []

        class BlackHole(Protocol):
            def connectionMade(self) -> None:
                connections.append(self)
                self.transport.pauseProducing()

        factory = Factory.forProtocol(BlackHole)
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface=HOST)
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: [each.transport.abortConnection() for each in connections])
        self.url = f"mqtt://{HOST}:{port.getHost().port}"
        yield super().setUp()
        yield until(lambda: connections)
