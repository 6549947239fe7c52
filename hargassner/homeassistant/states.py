"""What is retained at the broker: published when it changes, and each topic only so often."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from hargassner.mqtt.interfaces import IBroker

LONGEST_STATE = 255
"""Characters; Home Assistant takes no longer states."""

UNKNOWN = "None"
"""The state of something whose value is not known; Home Assistant shows it as unknown."""


class States:
    """The retained states.

    Args:
        broker: takes them.
        clock: time.
        new_topic: called with each topic that was not published before.
    """

    def __init__(
        self,
        broker: IBroker,
        clock: IReactorTime,
        new_topic: Callable[[str], object],
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._new_topic = new_topic
        self._published: dict[str, str] = {}
        self._published_at: dict[str, float] = {}
        self._waiting: dict[str, tuple[Callable[[], str], IDelayedCall]] = {}

    def show(self, topic: str, payload: str, interval: float = 0.0) -> None:
        """Have a state published, if it is another one than before.

        Args:
            topic: where.
            payload: the state.
            interval: seconds that pass at least between two states of the topic. A state that comes
                earlier waits until they are over; only the newest waits.
        """
        _, timer = self._waiting.pop(topic, (None, None))
        if payload == self._published.get(topic):
            _cancel(timer)
            return
        wait = self._wait(topic, interval)
        if wait <= 0:
            _cancel(timer)
            self._publish(topic, payload)
        else:
            timer = timer or self._clock.callLater(wait, self._waited, topic)
            self._waiting[topic] = lambda: payload, timer

    def show_in_turn(self, topic: str, read: Callable[[], str], interval: float) -> None:
        """Have a state published that may be another one now, as ``show`` does.

        It is read when it is its turn: what changes every second costs next to nothing until then.

        Args:
            topic: where.
            read: gives the state; to be the same object each time.
            interval: as of ``show``.
        """
        waiting = self._waiting.get(topic)
        if waiting is None:
            self._begin_to_wait(topic, read, interval)
        elif waiting[0] is not read:
            self._waiting[topic] = read, waiting[1]

    def _begin_to_wait(self, topic: str, read: Callable[[], str], interval: float) -> None:
        payload = read()
        if payload == self._published.get(topic):
            return
        wait = self._wait(topic, interval)
        if wait <= 0:
            self._publish(topic, payload)
        else:
            self._waiting[topic] = read, self._clock.callLater(wait, self._waited, topic)

    def _wait(self, topic: str, interval: float) -> float:
        """Seconds until the next state of a topic may be published."""
        if not interval:
            return 0.0
        now = self._clock.seconds()
        return self._published_at.get(topic, now - interval) + interval - now

    def repeat(self, topic: str) -> None:
        """Publish a state again."""
        if topic in self._published:
            self._broker.publish(topic, self._published[topic])

    def repeat_all(self) -> None:
        """Publish every state again."""
        for topic, payload in self._published.items():
            self._broker.publish(topic, payload)

    def forget(self, topic: str) -> None:
        """Have nothing retained under a topic any more."""
        _, timer = self._waiting.pop(topic, (None, None))
        _cancel(timer)
        self._published.pop(topic, None)
        self._published_at.pop(topic, None)
        self._broker.clear(topic)

    def stop(self) -> None:
        """Let nothing wait any more: what waits is published now."""
        for topic, (_, timer) in tuple(self._waiting.items()):
            timer.cancel()
            self._waited(topic)

    def _waited(self, topic: str) -> None:
        read, _ = self._waiting.pop(topic)
        payload = read()
        if payload != self._published.get(topic):
            self._publish(topic, payload)

    def _publish(self, topic: str, payload: str) -> None:
        if topic not in self._published:
            self._new_topic(topic)
        self._published[topic] = payload
        self._published_at[topic] = self._clock.seconds()
        self._broker.publish(topic, payload)


def _cancel(timer: IDelayedCall | None) -> None:
    if timer is not None:
        timer.cancel()
