"""What happens on a connection to a broker, as values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Admitted:
    """The broker has accepted us.

    ``largest`` is how many bytes of a packet it takes at most, 0 where it names no limit, as none
    does in MQTT 3.1.1.
    """

    largest: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """A message came that the broker had not retained from before."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The like came, and nobody can be given its payload; ``why`` says what that is."""

    topic: str
    why: str


@dataclass(frozen=True, slots=True)
class NotSubscribed:
    """The broker does not let us subscribe to a filter."""

    topic_filter: str


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """What keeps us from the broker, in a sentence for the owner.

    ``lasting`` means that trying again soon would come to the same, ``hung_up`` that the other side
    closed the connection, or something in between did.
    """

    why: str
    lasting: bool = False
    hung_up: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The broker has answered a message; ``reason`` says why it did not take it, if it did not."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The broker has taken everything that was sent before ``Engine.ask``."""


Event = Admitted | Received | Unreadable | NotSubscribed | Delivered | Answered | ConnectionProblem
