"""The link to the broker: made again for ever, whatever becomes of the broker.

It publishes one topic of its own, ``P/status``; what else is published and subscribed to is the
business of the views, which know the link as an ``IBroker``.
"""

from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.config import MqttConfig
from hargassner.mqtt.connection import Connection, IConnectionOwner
from hargassner.mqtt.endpoint import BrokerEndpoint, IBrokerReactor
from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.files import password
from hargassner.mqtt.interfaces import IBroker, LinkState, LinkStatus
from hargassner.mqtt.link_states import Greeting, LinkCounters, Offline, Outgoing
from hargassner.mqtt.messages import Identity, Message
from hargassner.mqtt.problems import connection_problem
from hargassner.mqtt.retries import Retries
from hargassner.mqtt.subscriptions import Handlers, Subscriptions
from hargassner.network.reconnecting import Reconnecting
from hargassner.observers import Listeners, Once
from hargassner.services import Service

log = Logger()


def client_id(base: str) -> str:
    """The name by which brokers know the bridge that publishes under a topic.

    Two clients of the same name would push each other out of the broker for ever.  Wildcards and
    slashes are left out since brokers with access lists refuse them in a name.
    """
    return quote(base, safe="").replace("%2F", ":")


@implementer(IBroker, IConnectionOwner)
class BrokerLink(Service):
    """Publishes to the broker that the configuration names, and receives from it.

    Args:
        config: the broker, and the names of this boiler there.
        reactor: everything runs on it.
        endpoint: connects to the broker; the configuration's where none is given.
    """

    name = "MQTT"

    def __init__(
        self,
        config: MqttConfig,
        reactor: IBrokerReactor,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        self.base = f"{config.topic_prefix}/{config.node}"
        self.status = LinkStatus(LinkState.STOPPED, reactor.seconds(), config.url)
        self._config = config
        self._clock = reactor
        self._outgoing = Outgoing(reactor)
        self._state = Offline(self._outgoing)
        self._subscriptions = Subscriptions()
        self._listeners: Listeners[LinkStatus] = Listeners("the broker's status")
        self._retries = Retries()
        self._logged = Once()
        self._endpoint = endpoint or BrokerEndpoint(config, reactor)
        self._password = ""
        connections: Factory[Connection] = Factory.forProtocol(self._build)
        connections.noisy = False
        self._client = Reconnecting(
            self._connect,
            cast("IProtocolFactory", connections),
            # The broker refuses connections that the client takes for a success.
            lambda _failures: self._retries.delay(),
            reactor,
        )

    @property
    def counters(self) -> LinkCounters:
        """What the link did since it started."""
        return self._outgoing.counters

    @property
    def waiting(self) -> int:
        """How many messages wait until the broker takes them: newest states, and events."""
        return len(self._outgoing.outbox)

    @property
    def status_topic(self) -> str:
        """The topic with whether the bridge is there."""
        return f"{self.base}/status"

    def startService(self) -> None:
        """Connect, and stay connected from now on."""
        if not self.running:
            super().startService()
            self._become(LinkState.CONNECTING)
            self._client.startService()

    def stopService(self) -> "Deferred[None]":
        """Publish ``offline``, say goodbye and close; it takes a few seconds at most."""
        if self.running:
            super().stopService()
            self._state.send_all()
            left, self._state = self._state, Offline(self._outgoing)
            self._become(LinkState.STOPPED)
            left.leave(self._status("offline"))
        return self._client.stopService()

    def publish(self, topic: str, payload: str, retain: bool = True) -> None:
        """Have ``payload`` published; never raises and never waits (see ``IBroker``)."""
        try:
            message = Message(topic, payload.encode(), retain)
        except ValueError:
            log.error("{topic!r} cannot be published: MQTT does not allow it", topic=topic[:80])
            return
        if retain:
            self._outgoing.outbox.keep(message)
        self._state.publish(message)

    def clear(self, topic: str) -> None:
        """Have the broker forget what it retains of a topic."""
        self.publish(topic, "")

    def subscribe(
        self,
        topic_filter: str,
        received: Callable[[str, str], None],
        unreadable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Have ``received`` called with each message that matches (see ``IBroker``)."""
        if self._subscriptions.add(topic_filter, Handlers(received, unreadable)):
            self._state.subscribe(topic_filter)

    def on_status(self, listener: Callable[[LinkStatus], None]) -> None:
        """Have ``listener`` called with each new status (see ``IBroker``)."""
        self._listeners.add(listener)

    # What a connection calls its owner with.

    def admitted(self) -> None:
        """The broker has accepted us: everything is published again."""
        if not isinstance(self._state, Greeting):
            return
        log.info("connected to the MQTT broker {url}", url=self._config.url)
        self._logged = Once()
        self._outgoing.outbox.publish_again()
        self._state = self._state.accepted()
        self._become(LinkState.ONLINE)
        # Last, so that nobody takes what the broker retained from before for current.
        self._state.introduce(self._subscriptions, self._status("online"))

    def received(self, topic: str, payload: str) -> None:
        """Hand a message to those who subscribed to it."""
        self.counters.received += 1
        self._subscriptions.received(topic, payload)

    def unreadable(self, topic: str, why: str) -> None:
        """Hand on to those who subscribed why a message cannot be read."""
        self._subscriptions.unreadable(topic, why)

    def is_ready(self) -> bool:
        """Whether what comes of further messages finds room among what waits to be sent."""
        return self._outgoing.has_room

    def dropped(self, count: int) -> None:
        """Count what cannot be read."""
        self.counters.dropped += count

    def not_subscribed(self, topic_filter: str) -> None:
        """The broker's access list is against us; log it once."""
        why = f"the broker does not let us subscribe to {topic_filter}"
        if self._logged.first(why):
            log.warn("{url}: {why}", url=self._config.url, why=why)

    def answered(self) -> None:
        """The broker has taken the first of the large payloads that were sent."""
        self._outgoing.limit.answered()

    def writable(self) -> None:
        """The connection takes more."""
        self._state.send_some()

    def lost(self, why: ConnectionProblem) -> None:
        """The connection is gone; another is made."""
        outgoing = self._outgoing
        self._state.close()
        self._state = Offline(outgoing)
        outgoing.counters.dropped += outgoing.outbox.interrupted()
        if self.status.state is LinkState.ONLINE:
            self._retries.was_online(self._clock.seconds() - self.status.since)
        if outgoing.limit.connection_lost(hung_up=why.hung_up):
            log.warn(
                "{url} closes the connection when it is sent {size} bytes at once; as much is not "
                "sent any more (mosquitto: max_packet_size)",
                url=self._config.url,
                size=outgoing.limit.bytes,
            )
        self._failed(why)

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        """Make one attempt, with the password as its file has it now."""
        try:
            self._password = password(self._config)
            return await self._endpoint.connect(factory)
        except Exception:
            self._failed(connection_problem(Failure()))
            raise

    def _build(self) -> Connection:
        identity = Identity(
            client_id(self.base),
            self._status("offline"),
            self._config.username,
            self._password,
        )
        connection = Connection(Engine(identity), self._clock, self)
        self._state = Greeting(self._outgoing, connection)
        return connection

    def _status(self, payload: str) -> Message:
        return Message(self.status_topic, payload.encode(), retain=True)

    def _failed(self, problem: ConnectionProblem) -> None:
        """No connection came about, or one was lost."""
        if not self.running:
            return
        self._retries.failed(problem)
        self.counters.refusals += problem.lasting
        if self._logged.first(problem.why):
            log.warn("no link to {url}: {why}", url=self._config.url, why=problem.why)
        self._become(LinkState.REFUSED if problem.lasting else LinkState.WAITING, problem.why)

    def _become(self, state: LinkState, problem: str = "") -> None:
        before = self.status
        status = LinkStatus(
            state,
            before.since if state is before.state else self._clock.seconds(),
            before.url,
            problem,
            before.connections + (state is LinkState.ONLINE),
            self._outgoing.limit.bytes,
        )
        if status != before:
            self.status = status
            self._listeners.tell(status)
