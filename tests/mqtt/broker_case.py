"""Real brokers, and links and other clients on them."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from hargassner.config import MqttConfig
from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.link import BrokerLink
from tests.cases import DescriptorCase
from tests.mqtt.brokers import HOST, Broker, Onlooker

STATUS = "hargassner/boiler/status"
POLL = 0.02


@inlineCallbacks
def until(condition: Any) -> Any:
    """Wait until a condition holds; the test's time-out ends it where it never does."""
    while not condition():
        yield deferLater(reactor, POLL)


class BrokerCase(DescriptorCase):
    """A broker and a link to it."""

    timeout = 120
    make_broker: type[Broker]

    @inlineCallbacks
    def setUp(self) -> Any:
        # From its first listening port on, the reactor keeps a descriptor in reserve.
        yield reactor.listenTCP(0, Factory(), interface=HOST).stopListening()
        yield super().setUp()
        self.folder = Path(mkdtemp(prefix="hargassner-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def broker(self, **options: Any) -> Broker:
        """A broker that runs."""
        broker = self.make_broker(self.folder, **options)
        self.addCleanup(broker.kill)
        broker.start()
        return broker

    def link(self, url: str, **options: Any) -> BrokerLink:
        """A link that runs."""
        link = BrokerLink(MqttConfig(url=url, **options), reactor)
        link.startService()
        self.addCleanup(self.stop, link)
        return link

    def stop(self, link: BrokerLink) -> Deferred[None] | None:
        return link.stopService() if link.running else None

    @inlineCallbacks
    def online(self, url: str, **options: Any) -> Any:
        """A link that is online."""
        link = self.link(url, **options)
        yield until(lambda: link.status.state is LinkState.ONLINE)
        return link

    @inlineCallbacks
    def onlooker(self, broker: Broker) -> Any:
        """Another client."""
        endpoint = HostnameEndpoint(reactor, HOST, broker.port)
        onlooker = yield endpoint.connect(Factory.forProtocol(Onlooker))
        self.addCleanup(self.gone, onlooker)
        return onlooker

    def gone(self, onlooker: Onlooker) -> Deferred[None]:
        onlooker.transport.abortConnection()
        return deferLater(reactor, 0, lambda: None)
