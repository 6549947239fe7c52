"""MQTT without I/O: paho-mqtt as a protocol engine between two byte streams.

Paho wants a socket, and gets two bytearrays. Bytes from the broker are fed in and events come
out; what it wants sent is taken. Its callbacks only append events, which are read after paho
has returned: it holds locks while it calls back, and acting there would block the reactor for ever.
"""

from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from hargassner.mqtt.events import (
    Admitted,
    Answered,
    ConnectionProblem,
    Delivered,
    Event,
    NotSubscribed,
    Received,
    Unreadable,
)
from hargassner.mqtt.messages import Identity, Message
from hargassner.mqtt.packet_filter import LARGEST, PacketFilter, TooLarge
from hargassner.mqtt.paho_client import MemorySocket, PahoClient
from hargassner.mqtt.publish_packet import publish_packet

KEEPALIVE = 30
"""Seconds; a broker that froze is noticed after twice that at most."""

_NO_SUBSCRIPTION = "hargassner/nothing"
_NO_BROKER = "what answers there does not speak MQTT 3.1.1"
# What paho makes of the return codes of a CONNACK in MQTT 3.1.1.
_REFUSALS = {
    133: "it does not accept the client id",
    134: "user name or password is wrong",
    135: "this user is not authorized",
}


class Engine:
    """One connection's MQTT, from CONNECT to DISCONNECT; a new connection takes a new engine.

    Args:
        identity: who connects.
        version: what is spoken.
    """

    def __init__(
        self, identity: Identity, version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311
    ) -> None:
        self._memory = MemorySocket()
        self._filter = PacketFilter()
        self._events: list[Event] = []
        self._filters: dict[int, str] = {}
        self._unanswered: dict[int, str] = {}
        self._unreadable = 0
        self._admitted = False
        self._over = False
        self._paho = paho = PahoClient(identity.client_id, self._memory, version)
        if identity.username or identity.password:
            paho.username_pw_set(identity.username, identity.password or None)
        will = identity.will
        paho.will_set(will.topic, will.payload, retain=will.retain)
        paho.on_connect = self._on_connack
        paho.on_message = self._on_message
        paho.on_publish = self._on_puback
        paho.on_subscribe = self._on_suback
        paho.on_unsubscribe = lambda *_: self._events.append(Answered())
        # Its presence alone keeps paho from writing in the middle of publish().
        paho.on_socket_register_write = lambda *_: None

    @property
    def dropped(self) -> int:
        """How many messages of the broker's were too large, or no text."""
        return self._filter.dropped + self._unreadable

    @property
    def pending(self) -> int:
        """How many bytes wait to be taken."""
        return len(self._memory.outgoing)

    def begin(self) -> None:
        """Ask the broker to accept us."""
        self._paho.connect_async("broker", keepalive=KEEPALIVE)
        self._paho.reconnect()
        self._write()

    def feed(self, data: bytes) -> list[Event]:
        """Parse what the broker sent; nothing follows ``ConnectionProblem``."""
        if self._over:
            return self._take_events()
        for each in self._filter.feed(data):
            if self._over:
                break
            if isinstance(each, TooLarge):
                topic = each.topic.decode(errors="replace")
                self._events.append(Unreadable(topic, f"longer than {LARGEST // 1024} kB"))
            else:
                self._memory.incoming += each
                self._read()
        self._write()
        return self._take_events()

    def tick(self) -> list[Event]:
        """Keep the connection alive, once a second from ``Admitted`` on."""
        if not self._over:
            self._paho.loop_misc()
            self._write()
            if self._paho.socket() is None:
                self._end("the broker does not answer any more")
        return self._take_events()

    def publish(self, message: Message) -> None:
        """Publish at most once (QoS 0), in MQTT 3.1.1 and once ``Admitted``."""
        if not self._over:
            self._memory.outgoing += publish_packet(message)

    def publish_answered(self, message: Message) -> None:
        """Publish and have it answered (QoS 1): ``Delivered``."""
        published = self._paho.publish(message.topic, message.payload, 1, message.retain)
        self._unanswered[published.mid] = message.topic
        self._write()

    def subscribe(self, topic_filter: str) -> None:
        """Ask for the messages that match.

        Raises:
            ValueError: it is no topic filter.
        """
        _, number = self._paho.subscribe(topic_filter)
        if number is not None:
            self._filters[number] = topic_filter
        self._write()

    def ask(self) -> None:
        """Have the broker answer, when it has taken what was sent before: ``Answered``.

        It is asked to end a subscription that there is not, since MQTT has it answer that, and
        answer in order; and paho calls back for such an answer, as it does not for a ping's.
        """
        self._paho.unsubscribe(_NO_SUBSCRIPTION)
        self._write()

    def leave(self) -> None:
        """Say goodbye; the broker forgets our last will."""
        self._over = True
        self._paho.disconnect()
        self._write()

    def take(self) -> bytes:
        """What is to be sent to the broker now."""
        taken = bytes(self._memory.outgoing)
        self._memory.outgoing.clear()
        return taken

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _write(self) -> None:
        while self._paho.want_write() and self._paho.socket() is not None:
            self._paho.loop_write()

    def _read(self) -> None:
        while self._memory.incoming and not self._over:
            try:
                code = self._paho.loop_read()
            except Exception:
                # Before 2.2 paho raises whatever it comes across in a packet that it cannot read.
                code = MQTTErrorCode.MQTT_ERR_PROTOCOL
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._end(_NO_BROKER, lasting=True)

    def _end(self, why: str, lasting: bool = False) -> None:
        if not self._over:
            self._over = True
            self._events.append(ConnectionProblem(why, lasting))

    def _on_connack(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if self._admitted:
            self._end(_NO_BROKER, lasting=True)
        elif not reason.is_failure:
            self._admitted = True
            self._events.append(Admitted(getattr(properties, "MaximumPacketSize", 0)))
        else:
            known = _REFUSALS.get(reason.value)
            self._end(f"the broker refuses us: {known or reason}", lasting=known is not None)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.retain:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._unreadable += 1
            return
        try:
            self._events.append(Received(topic, message.payload.decode()))
        except UnicodeDecodeError:
            self._unreadable += 1
            self._events.append(Unreadable(topic, "no text in UTF-8"))

    def _on_puback(
        self, _client: Client, _data: Any, number: int, reason: ReasonCode, _properties: Any
    ) -> None:
        topic = self._unanswered.pop(number, None)
        if topic is not None:
            self._events.append(Delivered(topic, str(reason) if reason.is_failure else ""))

    def _on_suback(
        self,
        _client: Client,
        _data: Any,
        number: int,
        reasons: list[ReasonCode],
        _properties: Any,
    ) -> None:
        topic_filter = self._filters.pop(number, None)
        if topic_filter is not None and any(each.is_failure for each in reasons):
            self._events.append(NotSubscribed(topic_filter))
