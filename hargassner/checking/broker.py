"""A visit to the broker: let in, heard, and gone again without a trace."""

import secrets
from typing import cast

from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.config import HomeAssistantConfig, MqttConfig
from hargassner.mqtt.connection import Connection, IConnectionOwner
from hargassner.mqtt.engine import Engine, Identity, Message, Setback
from hargassner.mqtt.link import client_id
from hargassner.mqtt.way import IBrokerReactor, UnusableFileError, Way, password, setback_of


@implementer(IConnectionOwner)
class Visit:
    """One connection to the broker under a name of its own, beside that of a running bridge.

    It publishes a word that nobody retains and subscribes to it: what comes back shows that the
    broker lets the bridge publish. Meanwhile it hears whether Home Assistant starts.

    Args:
        mqtt: the broker, and the names of this boiler there.
        home: where Home Assistant says that it is there.
        reactor: connects.
    """

    def __init__(
        self, mqtt: MqttConfig, home: HomeAssistantConfig, reactor: IBrokerReactor
    ) -> None:
        base = f"{mqtt.topic_prefix}/{mqtt.node}"
        self.topic = f"{base}/check"
        self.home_topic = f"{home.prefix}/status"
        self.let_in = False
        self.came_back = False
        self.deaf = False
        """Whether the broker refused the subscription."""
        self.home_started = False
        self.problem = ""
        """What keeps us from the broker, empty where nothing does."""
        self.over = False
        self._config = mqtt
        self._reactor = reactor
        self._name = f"{client_id(base)}:check"
        self._word = secrets.token_hex(8)
        self._connection: Connection | None = None

    async def begin(self) -> None:
        """Connect; what comes of it shows in the attributes."""
        try:
            secret = password(self._config)
            farewell = self._message("")
            identity = Identity(self._name, farewell, self._config.username, secret)
            self._connection = Connection(Engine(identity), self._reactor, self)
            factory = cast("IProtocolFactory", _Once(self._connection))
            await Way(self._config, self._reactor).connect(factory)
        except UnusableFileError as wrong:
            self.problem = str(wrong)
        except Exception:
            self.problem = setback_of(Failure()).why
        self.over = self.over or bool(self.problem)

    def end(self) -> None:
        """Say goodbye, if the broker let us in; ``over`` tells when that is done."""
        if self._connection is not None and self.let_in and not self.over:
            self._connection.leave(self._message(""))

    def admitted(self) -> None:
        """The broker let us in: say the word."""
        self.let_in = True
        if self._connection is not None:
            self._connection.subscribe(self.topic)
            self._connection.subscribe(self.home_topic)
            self._connection.publish(self._message(self._word))

    def received(self, topic: str, payload: str) -> None:
        """A message came."""
        if topic == self.topic and payload == self._word:
            self.came_back = True
        elif topic == self.home_topic and payload == "online":
            self.home_started = True

    def not_subscribed(self, topic_filter: str) -> None:
        """The broker does not let us listen."""
        if topic_filter == self.topic:
            self.deaf = True

    def writable(self) -> None:
        """The little that there is to say has been said."""

    def lost(self, why: Setback) -> None:
        """The connection is gone."""
        self.over = True
        self.problem = why.why

    def dropped(self, count: int) -> None:
        """Messages were left out; none that this visit waits for."""

    def unreadable(self, topic: str, why: str) -> None:
        """None that this visit waits for."""

    def answered(self) -> None:
        """It was not asked to."""

    def is_ready(self) -> bool:
        """There is always room for the little that comes."""
        return True

    def _message(self, text: str) -> Message:
        return Message(self.topic, text.encode(), retain=False)


class _Once(Factory[Connection]):
    noisy = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return self._connection
