"""A broker in memory and a control without a boiler, to test with."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from zope.interface import implementer

from hargassner.control.queue import IControl
from hargassner.mqtt.interfaces import IBroker, LinkState, LinkStatus
from hargassner.mqtt.messages import Message
from hargassner.mqtt.subscriptions import Handlers, Subscriptions

URL = "mqtt://broker.example:1883"


@implementer(IBroker)
class MemoryBroker:
    """A broker and the link to it in one; online from the beginning.

    It does what the interface promises, and refuses what no broker would take: topics with
    wildcards, payloads that are no text. Look at ``published``, every message that was sent, as
    (topic, payload, retain) in order, and at ``retained``, what the broker has of each topic.

    Args:
        seconds: the moment now.
        watch: is called with topic, payload and retain of each message that is sent.
    """

    def __init__(
        self,
        seconds: Callable[[], float] = lambda: 0.0,
        watch: Callable[[str, str, bool], object] = lambda _topic, _payload, _retain: None,
    ) -> None:
        self._seconds = seconds
        self._watch = watch
        self.status = LinkStatus(LinkState.ONLINE, seconds(), URL, connections=1)
        self.published: list[tuple[str, str, bool]] = []
        self.retained: dict[str, str] = {}
        self._newest: dict[str, Message] = {}
        self._limit = 0
        self._subscriptions = Subscriptions()
        self._listeners: list[Callable[[LinkStatus], None]] = []

    def publish(self, topic: str, payload: str, retain: bool = True) -> None:
        """Take a message; while offline, only the newest retained one of a topic."""
        if retain and not payload:
            raise ValueError(f"no payload for {topic}")
        self._take(Message(topic, payload.encode(), retain))

    def clear(self, topic: str) -> None:
        """Forget what is retained of a topic; while offline, as soon as there is a broker."""
        self._take(Message(topic, b"", retain=True))

    def subscribe(
        self,
        topic_filter: str,
        received: Callable[[str, str], None],
        unreadable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Hand messages that match to ``received``."""
        self._subscriptions.add(topic_filter, Handlers(received, unreadable))

    def on_status(self, listener: Callable[[LinkStatus], None]) -> None:
        """Call a listener with each new status."""
        self._listeners.append(listener)

    # What tests do with it.

    def deliver(self, topic: str, payload: str) -> None:
        """Somebody else publishes a message."""
        self._subscriptions.received(topic, payload)

    def deliver_unreadable(self, topic: str, why: str) -> None:
        """Somebody else publishes what nobody can be given."""
        self._subscriptions.unreadable(topic, why)

    def go_offline(self) -> None:
        """Lose the broker."""
        self._become(LinkState.WAITING)

    def go_online(self) -> None:
        """Reach the broker again: what is retained is said again."""
        self._become(LinkState.ONLINE)
        for message in self._newest.values():
            self._send(message)

    def find_too_large(self, size: int) -> None:
        """Turn out not to take payloads of so many bytes, having closed the connection for one."""
        self._limit = size
        for topic, payload in tuple(self.retained.items()):
            if len(payload.encode()) >= size:
                del self.retained[topic]
        self.go_offline()
        self.go_online()

    def take(self) -> list[tuple[str, str]]:
        """Topics and payloads of what was published since this was asked last."""
        taken = [(topic, payload) for topic, payload, _ in self.published]
        self.published.clear()
        return taken

    def _become(self, state: LinkState) -> None:
        more = state is LinkState.ONLINE
        connections = self.status.connections + more
        self.status = LinkStatus(
            state, self._seconds(), URL, connections=connections, limit=self._limit
        )
        for listener in self._listeners:
            listener(self.status)

    def _take(self, message: Message) -> None:
        if message.retain:
            self._newest[message.topic] = message
        if self.status.state is LinkState.ONLINE:
            self._send(message)

    def _send(self, message: Message) -> None:
        if 0 < self._limit <= len(message.payload):
            return
        topic, payload, retain = message.topic, message.payload.decode(), message.retain
        self.published.append((topic, payload, retain))
        self._watch(topic, payload, retain)
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)


@implementer(IControl)
class AskedControl:
    """Writes down what it is asked for; the test says what comes of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: list[Deferred[str]] = []

    def set_parameter(self, id: str, requested: str) -> "Deferred[str]":  # noqa: A002
        """Promise an answer."""
        self.asked.append((id, requested))
        answer: Deferred[str] = Deferred()
        self.answers.append(answer)
        return answer
