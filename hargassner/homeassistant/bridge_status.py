"""How the bridge itself is: its version, what it understands, and what went wrong last."""

from typing import cast

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher

from hargassner import __version__
from hargassner.boiler.model import Boiler
from hargassner.clock import IClock
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.info import iso
from hargassner.homeassistant.states import LONGEST_STATE, States
from hargassner.homeassistant.topics import Topics

_SERIOUS = frozenset({LogLevel.warn, LogLevel.error, LogLevel.critical})
_OWN = "hargassner."
_OF_BOILER = "hargassner.boiler."
"""Its log tells what the boiler complains of, which is no error of the bridge."""


class BridgeStatus:
    """Publishes how the bridge is.

    Args:
        topics: where.
        states: publishes states.
        clock: time.
        boiler: what is understood of it is part of how the bridge is.
    """

    def __init__(self, topics: Topics, states: States, clock: IClock, boiler: Boiler) -> None:
        self._boiler = boiler
        self._topics = topics
        self._states = states
        self._clock = clock
        self._since = clock.seconds()
        self._observer = cast("ILogObserver", self._note_error)
        self._error: Json = {"last_error": None, "last_error_at": None}

    def start(self) -> None:
        """Keep errors from now on, and publish."""
        globalLogPublisher.addObserver(self._observer)
        self.show()

    def stop(self) -> None:
        """Keep none any more."""
        globalLogPublisher.removeObserver(self._observer)

    def show(self) -> None:
        """Publish how the bridge is now, if it is otherwise than before."""
        status = {
            "version": __version__,
            "since": iso(self._clock.date(self._since)),
            **self._boiler.understanding.facts,
            **self._error,
        }
        self._states.show(self._topics.bridge, compact(status))

    def _note_error(self, event: LogEvent) -> None:
        """An event was logged; in any thread, so that an error is only kept, for the next look."""
        namespace = cast("str", event.get("log_namespace", ""))
        is_own = namespace.startswith(_OWN) and not namespace.startswith(_OF_BOILER)
        if is_own and event.get("log_level") in _SERIOUS:
            text, at = formatEvent(event)[:LONGEST_STATE], cast("float", event["log_time"])
            self._error = {"last_error": text, "last_error_at": iso(at)}
