"""What the views over MQTT need of a broker."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from zope.interface import Attribute, Interface


class LinkState(StrEnum):
    """How the link to the broker is."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"
    """The last attempt failed; the next one comes."""
    REFUSED = "refused"
    """The broker refused us, we refuse its certificate, or a file that the configuration names
    cannot be used: retried slowly."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the link to the broker is now.

    ``since`` is a moment of the clock. ``problem`` is one sentence for the owner on what
    keeps the link from being online, empty where nothing does. ``connections`` counts how often
    it came online. ``limit`` is a number of bytes for a payload that the broker has shown not to
    take, 0 where it has not: it closed the connection for one.
    """

    state: LinkState
    since: float
    url: str
    problem: str = ""
    connections: int = 0
    limit: int = 0


class IBroker(Interface):
    """A broker, as those see it who publish and subscribe through it."""

    status: LinkStatus = Attribute("How the link is now: a LinkStatus.")

    def publish(topic: str, payload: str, retain: bool = True) -> None:
        """Have ``payload`` published; never raises and never waits.

        While it cannot be sent, since the broker does not read or since much is to be said at
        once, the newest retained payload of a topic waits, and some hundred others, each in its
        turn; while many of these wait, nothing more is read from the broker. A payload as long as
        ``status.limit`` is not sent. Retained ones are
        stored, and published again after each reconnect; others are dropped while offline.
        """

    def clear(topic: str) -> None:
        """Have the broker forget what it retains of a topic, and forget it here, too."""

    def subscribe(
        topic_filter: str,
        received: Callable[[str, str], None],
        unreadable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Have ``received`` called with topic and payload of each message that matches.

        A payload that is too large, or no UTF-8, is dropped, and ``unreadable`` called with the
        topic and what is the matter ("longer than 64 kB"). It may be called before the link is
        online; the subscription is renewed after each reconnect. Of messages that the broker had
        retained, neither is called: what was published before is no command. A message that
        matches several filters may come several times: let them not overlap.
        """

    def on_status(listener: Callable[[LinkStatus], None]) -> None:
        """Have ``listener`` called with each new status.

        With ``ONLINE`` it is called before anything is published again.
        """
