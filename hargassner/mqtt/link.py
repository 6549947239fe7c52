"""The link to the broker: kept up for ever, whatever becomes of the broker.

It publishes one topic of its own, ``P/status``; what else is published and subscribed to is the
business of the views, which know the link as an ``IBroker``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

from paho.mqtt.client import topic_matches_sub
from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.config import MqttConfig
from hargassner.mqtt.connection import Connection, IConnectionOwner
from hargassner.mqtt.endpoint import (
    BrokerEndpoint,
    IBrokerReactor,
    UnusableFileError,
    password,
)
from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.interfaces import IBroker, LinkState, LinkStatus
from hargassner.mqtt.limit import Limit
from hargassner.mqtt.messages import Identity, Message
from hargassner.mqtt.outbox import MOST_EVENTS, Outbox
from hargassner.mqtt.problems import connection_problem
from hargassner.network.reconnecting import Reconnecting

log = Logger()

RETRY_LONGEST = 60.0
"""Seconds between two attempts at most, where the broker is only away."""
REFUSED_RETRY = 60.0
"""Seconds between two attempts at least, where trying again would come to the same."""
REFUSED_RETRY_LONGEST = 300.0
SETTLED = 10.0
"""Seconds that a connection must last for the next attempt to be a first one again."""
SLICE = 20
"""Messages that are sent in one turn of the reactor; it has a gateway's session to serve, too."""
ENOUGH = MOST_EVENTS // 4
"""Events and results that wait, from which on nothing more is read from the broker.

What was read already, and the commands that wait for the boiler, have results that find room.
"""

_backoff = backoffPolicy(initialDelay=0.5, maxDelay=RETRY_LONGEST, factor=2.0)
_slow_backoff = backoffPolicy(
    initialDelay=REFUSED_RETRY / 2, maxDelay=REFUSED_RETRY_LONGEST, factor=2.0
)


@dataclass(slots=True)
class LinkCounters:
    """What the link did since it started.

    ``dropped`` counts messages that reached nobody: ours that no broker was to retain, while it
    was away or did not read; and the broker's that were too large or no text.  ``refusals`` counts
    attempts that failed for a reason that lasts (``LinkState.REFUSED``).
    """

    published: int = 0
    received: int = 0
    dropped: int = 0
    refusals: int = 0


def client_id(base: str) -> str:
    """The name by which brokers know the bridge that publishes under a topic.

    Two clients of the same name would push each other out of the broker for ever.  Wildcards and
    slashes are left out since brokers with access lists refuse them in a name.
    """
    return quote(base, safe="").replace("%2F", ":")


@dataclass(frozen=True, slots=True)
class _Handlers:
    """Whom a subscriber has called with a message, and with what nobody can be given."""

    received: Callable[[str, str], None]
    unreadable: Callable[[str, str], None] | None


@implementer(IStreamClientEndpoint)
class _Attempts:
    """The way to the broker, attempt by attempt."""

    def __init__(self, connect: Callable[[IProtocolFactory], "Deferred[IProtocol]"]) -> None:
        self._connect = connect

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        return self._connect(protocolFactory)


class _Connections(Factory[Connection]):
    noisy = False

    def __init__(self, build: Callable[[], Connection]) -> None:
        self._build = build

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return self._build()


@implementer(IBroker, IConnectionOwner)
class BrokerLink(Service):
    """Publishes to the broker that the configuration names, and hears what it says.

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
        base = f"{config.topic_prefix}/{config.node}"
        self.status = LinkStatus(LinkState.STOPPED, reactor.seconds(), config.url)
        self.counters = LinkCounters()
        self.base = base
        self._config = config
        self._clock = reactor
        self._endpoint = endpoint or BrokerEndpoint(config, reactor)
        self._client_id = client_id(base)
        self._password = ""
        self._outbox = Outbox()
        self._subscriptions: dict[str, list[_Handlers]] = {}
        self._observers: list[Callable[[LinkStatus], None]] = []
        self._connection: Connection | None = None
        self._pumping: IDelayedCall | None = None
        self._budget = SLICE
        self._failures = 0
        self._lasting = False
        self._said: set[str] = set()
        self._limit = Limit()
        self._client = Reconnecting(
            _Attempts(self._attempt),
            cast("IProtocolFactory", _Connections(self._build)),
            self._delay,
            reactor,
        )

    @property
    def waiting(self) -> int:
        """How many messages wait until the broker takes them: newest states, and events."""
        return len(self._outbox)

    @property
    def status_topic(self) -> str:
        """The topic that tells whether the bridge is there."""
        return f"{self.base}/status"

    def startService(self) -> None:
        """Connect, and stay connected from now on."""
        if not self.running:
            super().startService()  # type: ignore[no-untyped-call]
            self._become(LinkState.CONNECTING)
            self._client.startService()

    def stopService(self) -> "Deferred[None]":
        """Publish ``offline``, say goodbye and close; it takes a few seconds at most."""
        if self.running:
            super().stopService()  # type: ignore[no-untyped-call]
            # What waits is said now or never.
            self._budget = len(self._outbox)
            self._say_what_waits()
            self._stop_pumping()
            self._become(LinkState.STOPPED)
            if self._connection is not None:
                self._connection.leave(Message(self.status_topic, b"offline", retain=True))
        return self._client.stopService()

    def publish(self, topic: str, payload: str, retain: bool = True) -> None:
        """Have ``payload`` published; never raises and never waits (see ``IBroker``)."""
        try:
            message = Message(topic, payload.encode(), retain)
        except ValueError:
            log.error("{topic!r} cannot be published: MQTT does not allow it", topic=topic[:80])
            return
        if retain:
            self._outbox.keep(message)
        if self.status.state is not LinkState.ONLINE:
            self.counters.dropped += not retain
        elif self._outbox or not self._may_send():
            self.counters.dropped += self._outbox.wait(message)
        else:
            self._send(message)

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
        handlers = self._subscriptions.setdefault(topic_filter, [])
        handlers.append(_Handlers(received, unreadable))
        if len(handlers) == 1 and self.status.state is LinkState.ONLINE:
            self._subscribe(topic_filter)

    def on_status(self, told: Callable[[LinkStatus], None]) -> None:
        """Have ``told`` called with each new status; ``ONLINE`` before anything is said again."""
        self._observers.append(told)

    # What a connection tells its owner.

    def admitted(self) -> None:
        """The broker has let us in: tell the views, and say everything again."""
        log.info("connected to the MQTT broker {url}", url=self._config.url)
        self._said.clear()
        self._outbox.say_again()
        self._become(LinkState.ONLINE)
        for topic_filter in self._subscriptions:
            self._subscribe(topic_filter)
        # Last, so that nobody takes what the broker retained from before for current.
        self._outbox.wait(Message(self.status_topic, b"online", retain=True))
        self._pump()

    def received(self, topic: str, payload: str) -> None:
        """Hand a message to those who subscribed to it."""
        self.counters.received += 1
        for each in self._handlers_of(topic):
            with log.failuresHandled("handling a message to {topic!r}", topic=topic):
                each.received(topic, payload)

    def unreadable(self, topic: str, why: str) -> None:
        """Tell those who subscribed that a message came that nobody can be given."""
        for each in self._handlers_of(topic):
            if each.unreadable is not None:
                with log.failuresHandled("handling a message to {topic!r}", topic=topic):
                    each.unreadable(topic, why)

    def is_ready(self) -> bool:
        """Whether what comes of further messages finds room among what waits to be sent."""
        return self._outbox.events < ENOUGH

    def dropped(self, count: int) -> None:
        """Count what nobody can be given."""
        self.counters.dropped += count

    def not_subscribed(self, topic_filter: str) -> None:
        """The broker's access list is against us; say it once."""
        why = f"the broker does not let us subscribe to {topic_filter}"
        if why not in self._said:
            self._said.add(why)
            log.warn("{url}: {why}", url=self._config.url, why=why)

    def answered(self) -> None:
        """The broker has taken the first of the large payloads that were sent."""
        self._limit.answered()

    def writable(self) -> None:
        """The connection takes more."""
        self._pump()

    def lost(self, why: ConnectionProblem) -> None:
        """The connection is gone; another is made."""
        self._connection = None
        self.counters.dropped += self._outbox.interrupted()
        online = self.status.state is LinkState.ONLINE
        if online and self._clock.seconds() - self.status.since >= SETTLED:
            self._failures = 0
        if self._limit.connection_lost(hung_up=why.hung_up):
            log.warn(
                "{url} closes the connection when it is sent {size} bytes at once; as much is not "
                "sent any more (mosquitto: max_packet_size)",
                url=self._config.url,
                size=self._limit.bytes,
            )
        self._note_problem(why)

    def _handlers_of(self, topic: str) -> "list[_Handlers]":
        return [
            handlers
            for topic_filter, subscribed in self._subscriptions.items()
            if topic_matches_sub(topic_filter, topic)
            for handlers in subscribed
        ]

    # The way to a connection.

    def _attempt(self, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        try:
            self._password = password(self._config)
        except UnusableFileError:
            connecting: Deferred[IProtocol] = fail(Failure())
        else:
            connecting = self._endpoint.connect(factory)
        return connecting.addErrback(self._not_connected)

    def _not_connected(self, failure: Failure) -> Failure:
        self._note_problem(connection_problem(failure))
        return failure

    def _build(self) -> Connection:
        will = Message(self.status_topic, b"offline", retain=True)
        identity = Identity(self._client_id, will, self._config.username, self._password)
        self._connection = Connection(Engine(identity), self._clock, self)
        return self._connection

    def _delay(self, _attempts: int) -> float:
        """Seconds to the next attempt; connections that the broker refuses are failures, too."""
        return (_slow_backoff if self._lasting else _backoff)(self._failures)

    def _note_problem(self, problem: ConnectionProblem) -> None:
        if not self.running:
            return
        self._failures += 1
        self._lasting = problem.lasting
        self.counters.refusals += problem.lasting
        if problem.why not in self._said:
            self._said.add(problem.why)
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
            self._limit.bytes,
        )
        if status != before:
            self.status = status
            for told in self._observers:
                with log.failuresHandled("telling that the broker is {state}", state=state.value):
                    told(status)

    # What is said.

    def _subscribe(self, topic_filter: str) -> None:
        if self._connection is not None:
            self._connection.subscribe(topic_filter)

    def _may_send(self) -> bool:
        connection = self._connection
        if connection is None or self.status.state is not LinkState.ONLINE:
            return False
        return not connection.paused and self._budget > 0

    def _send(self, message: Message) -> None:
        size = len(message.payload)
        if self._connection is not None:
            if self._limit.forbids(size):
                self.counters.dropped += 1
                return
            self._connection.publish(message)
            if self._limit.sent(size):
                self._connection.ask()
            self.counters.published += 1
            self._budget -= 1
            if self._pumping is None:
                self._pumping = self._clock.callLater(0, self._pump)

    def _pump(self) -> None:
        """Begin a new turn."""
        self._stop_pumping()
        self._budget = SLICE
        self._say_what_waits()
        if self._connection is not None and self.is_ready():
            self._connection.go_on()

    def _say_what_waits(self) -> None:
        while self._may_send():
            message = self._outbox.next()
            if message is None:
                return
            self._send(message)

    def _stop_pumping(self) -> None:
        pumping, self._pumping = self._pumping, None
        if pumping is not None and pumping.active():
            pumping.cancel()
