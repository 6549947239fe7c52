"""A visit to the broker: admitted, echoed, and gone again without a trace."""

import secrets
from dataclasses import replace
from enum import Enum, auto
from typing import cast

from paho.mqtt.enums import MQTTProtocolVersion
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.cli.check.inquiry import Inquiry
from hargassner.config import HomeAssistantConfig, MqttConfig
from hargassner.mqtt.connection import Connection, IConnectionOwner
from hargassner.mqtt.endpoint import BrokerEndpoint, IBrokerReactor
from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.files import password
from hargassner.mqtt.link import client_id
from hargassner.mqtt.messages import Identity, Message
from hargassner.mqtt.problems import connection_problem
from hargassner.network.connecting import SingleFactory


class Stage(Enum):
    """How far a visit is."""

    CONNECTING = auto()
    ADMITTED = auto()
    FAILED = auto()
    """The broker was not reached, or did not admit us."""
    LEFT = auto()
    """The broker had admitted us, and the connection is gone."""


_ENDS = {Stage.CONNECTING: Stage.FAILED, Stage.ADMITTED: Stage.LEFT}


@implementer(IConnectionOwner)
class Visit:
    """Two connections to the broker under names of their own, beside that of a running bridge.

    On one of them the bridge's own MQTT 3.1.1 is spoken. It publishes a word that nobody retains to
    each of ``probes`` and subscribes to them: what comes back shows that the broker lets the bridge
    publish. Meanwhile it waits for Home Assistant to start. What does not come back may only be
    unreadable to us, so on the other one the broker is asked (``Inquiry``), if it speaks MQTT 5.

    Args:
        mqtt: the broker, and the names of this boiler there.
        home: where the boiler is announced to Home Assistant, and where that says that it is there.
        reactor: connects.
    """

    def __init__(
        self, mqtt: MqttConfig, home: HomeAssistantConfig, reactor: IBrokerReactor
    ) -> None:
        base = f"{mqtt.topic_prefix}/{mqtt.node}"
        self.topic = f"{base}/check"
        self.command_topics = (f"{base}/+/set", f"{base}/+/+/set")
        self.home_topic = f"{home.prefix}/status"
        # Home Assistant looks only at what ends in "config".
        self.discovery_topic = f"{home.prefix}/device/hargassner_{mqtt.node}/check"
        self.probes = [self.topic]
        if home.discovery != "off":
            self.probes.append(self.discovery_topic)
        self.stage = Stage.CONNECTING
        self.refused_filters: set[str] = set()
        """What the broker does not let us subscribe to."""
        self.home_started = False
        self.problem = ""
        """What keeps us from the broker, empty where nothing does."""
        self._config = mqtt
        self._reactor = reactor
        self._name = f"{client_id(base)}:check"
        self._word = secrets.token_hex(8)
        self._echoed: set[str] = set()
        self._connection: Connection  # It is there when the visit has begun.
        self._inquiry = Inquiry(self._words())

    @property
    def over(self) -> bool:
        """Whether the connection is gone, or could not be made."""
        return self.stage in (Stage.FAILED, Stage.LEFT)

    @property
    def was_admitted(self) -> bool:
        """Whether the broker has admitted us, however it went on."""
        return self.stage in (Stage.ADMITTED, Stage.LEFT)

    @property
    def is_known(self) -> bool:
        """Whether it is known of each topic whether we may publish there, or cannot be known."""
        if all(self.refusal(each) is not None for each in self.probes):
            return True
        return self._inquiry.over and self.refused_filters.issuperset(self.probes)

    @property
    def largest(self) -> int:
        """Bytes of a packet that the broker takes at most; 0 where it tells no limit."""
        return self._inquiry.largest

    def refusal(self, topic: str) -> str | None:
        """Why we may not publish to a topic; empty where we may, None where nobody can tell."""
        return "" if topic in self._echoed else self._inquiry.reasons.get(topic)

    async def begin(self) -> None:
        """Connect; what comes of it shows in the attributes."""
        endpoint = BrokerEndpoint(self._config, self._reactor)
        try:
            identity = Identity(
                self._name, self._message(""), self._config.username, password(self._config)
            )
            self._connection = Connection(Engine(identity), self._reactor, self)
            await endpoint.connect(cast("IProtocolFactory", SingleFactory(self._connection)))
        except Exception:
            self._end(connection_problem(Failure()).why)
        if not self.over:
            five = replace(identity, client_id=f"{self._name}:5")
            await self._inquiry.make(endpoint, Engine(five, MQTTProtocolVersion.MQTTv5))

    def end(self) -> None:
        """Disconnect, if the broker admitted us; ``over`` tells when that is done."""
        if self.stage is Stage.ADMITTED:
            self._connection.leave(self._message(""))
        self._inquiry.end()

    def admitted(self) -> None:
        """The broker admitted us: publish the word."""
        self.stage = Stage.ADMITTED
        for each in (*self.probes, *self.command_topics, self.home_topic):
            self._connection.subscribe(each)
        for word in self._words():
            self._connection.publish(word)

    def _words(self) -> list[Message]:
        """The word for each topic that we try to publish."""
        return [Message(each, self._word.encode(), retain=False) for each in self.probes]

    def received(self, topic: str, payload: str) -> None:
        """A message came."""
        if payload == self._word:
            self._echoed.add(topic)
        elif (topic, payload) == (self.home_topic, "online"):
            self.home_started = True

    def not_subscribed(self, topic_filter: str) -> None:
        """The broker does not let us subscribe."""
        self.refused_filters.add(topic_filter)

    def writable(self) -> None:
        """The little that there is to publish has been published."""

    def lost(self, why: ConnectionProblem) -> None:
        """The connection is gone."""
        self._end(why.why)

    def dropped(self, count: int) -> None:
        """Messages were left out; none that this visit waits for."""

    def unreadable(self, topic: str, why: str) -> None:
        """None that this visit waits for."""

    def answered(self) -> None:
        """It was not asked to."""

    def is_ready(self) -> bool:
        """There is always room for the little that comes."""
        return True

    def _end(self, problem: str) -> None:
        self.problem = problem
        self.stage = _ENDS.get(self.stage, self.stage)

    def _message(self, text: str) -> Message:
        return Message(self.topic, text.encode(), retain=False)
