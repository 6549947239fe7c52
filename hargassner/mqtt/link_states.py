"""What the link to the broker does with a message, in each of its states.

========= ============================== ===================== ================================
state     its data                       a message             leaving
========= ============================== ===================== ================================
offline                                  dropped, or kept for  nothing to do
                                         the next connection
greeting  the connection                 as offline            the connection is abandoned
online    the connection, the next turn  sent, or waits        what waits is sent, then goodbye
========= ============================== ===================== ================================
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted.internet.interfaces import IReactorTime

from hargassner.delayed import Delayed
from hargassner.mqtt.connection import Connection
from hargassner.mqtt.limit import Limit
from hargassner.mqtt.messages import Message
from hargassner.mqtt.outbox import MOST_EVENTS, Outbox

SLICE = 20
"""Messages that are sent in one turn of the reactor; it has a gateway's session to serve, too."""
ENOUGH = MOST_EVENTS // 4
"""Events and results that wait, from which on nothing more is read from the broker.

What was read already, and the commands that wait for the boiler, have results that find room.
"""


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


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What outlives connections: the messages, what the broker takes of them, and counters."""

    clock: IReactorTime
    outbox: Outbox = field(default_factory=Outbox)
    limit: Limit = field(default_factory=Limit)
    counters: LinkCounters = field(default_factory=LinkCounters)

    @property
    def has_room(self) -> bool:
        """Whether what comes of further messages of the broker's finds room."""
        return self.outbox.events < ENOUGH


class Offline:
    """There is no connection; or the end of one is all that is awaited."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    def publish(self, message: Message) -> None:
        """Send a message, or let it wait."""
        self._outgoing.counters.dropped += not message.retain

    def subscribe(self, topic_filter: str) -> None:
        """Ask the broker for the messages that match."""

    def introduce(self, topic_filters: Iterable[str], last: Message) -> None:
        """Subscribe, and send everything that waits, and one message after it."""

    def send_some(self) -> None:
        """Begin a new turn, and send what waits."""

    def send_all(self) -> None:
        """Send what waits in this turn, as far as the broker takes it."""

    def leave(self, last: Message) -> None:
        """Send one more message, and close."""

    def close(self) -> None:
        """The connection is gone."""


class Greeting(Offline):
    """The broker has not accepted us yet."""

    def __init__(self, outgoing: Outgoing, connection: Connection) -> None:
        super().__init__(outgoing)
        self._connection = connection

    def leave(self, last: Message) -> None:
        """Close."""
        self._connection.leave(last)

    def accepted(self) -> "Online":
        """The state that follows."""
        return Online(self._outgoing, self._connection)


class Online(Offline):
    """The broker takes messages, so many in a turn of the reactor."""

    def __init__(self, outgoing: Outgoing, connection: Connection) -> None:
        super().__init__(outgoing)
        self._connection = connection
        self._budget = SLICE
        self._turn = Delayed(outgoing.clock, 0, self.send_some)

    def publish(self, message: Message) -> None:
        """Send a message if nothing else waits; otherwise it waits in its turn."""
        outgoing = self._outgoing
        if outgoing.outbox or not self._may_send:
            outgoing.counters.dropped += outgoing.outbox.wait(message)
        else:
            self._send(message)

    def subscribe(self, topic_filter: str) -> None:
        """Ask the broker for the messages that match."""
        self._connection.subscribe(topic_filter)

    def introduce(self, topic_filters: Iterable[str], last: Message) -> None:
        """Subscribe, and send everything that waits, and one message after it."""
        for topic_filter in topic_filters:
            self.subscribe(topic_filter)
        self._outgoing.outbox.wait(last)
        self.send_some()

    def send_some(self) -> None:
        """Begin a new turn, and send what waits."""
        self._turn.cancel()
        self._budget = SLICE
        self._send_waiting()
        if self._outgoing.has_room:
            self._connection.go_on()

    def send_all(self) -> None:
        """Send what waits in this turn, as far as the broker takes it."""
        self._budget = len(self._outgoing.outbox)
        self._send_waiting()

    def leave(self, last: Message) -> None:
        """Send one more message, say goodbye and close."""
        self.close()
        self._connection.leave(last)

    def close(self) -> None:
        """Begin no further turn."""
        self._turn.cancel()

    @property
    def _may_send(self) -> bool:
        return not self._connection.paused and self._budget > 0

    def _send_waiting(self) -> None:
        while self._may_send:
            message = self._outgoing.outbox.next()
            if message is None:
                return
            self._send(message)

    def _send(self, message: Message) -> None:
        size = len(message.payload)
        outgoing = self._outgoing
        if outgoing.limit.forbids(size):
            outgoing.counters.dropped += 1
            return
        self._connection.publish(message)
        if outgoing.limit.sent(size):
            self._connection.ask()
        outgoing.counters.published += 1
        self._budget -= 1
        self._turn.start()
