"""What can be reached, as topics that the availability of entities depends on."""

from hargassner.boiler.model import Availability
from hargassner.homeassistant.states import States
from hargassner.homeassistant.topics import Topics

_WORDS = {True: "online", False: "offline"}


class AvailabilityTopics:
    """Whether a session and telemetry are there, unless that is to be hidden for a moment.

    While Home Assistant is told that entities are read in another way, none of them may show what
    it was before; unavailable, they show nothing.

    Args:
        topics: where.
        states: publishes states.
        with_session: whether there is a gateway, which may have one.
    """

    def __init__(self, topics: Topics, states: States, *, with_session: bool) -> None:
        self._with_session = with_session
        self._topics = topics
        self._states = states
        self._availability = Availability()
        self._is_hidden = False

    def show(self, availability: Availability) -> None:
        """Publish what can be reached now."""
        self._availability = availability
        self._publish()

    def hide(self) -> None:
        """Say that nothing can be reached."""
        self._is_hidden = True
        self._publish()

    def reveal(self) -> None:
        """Say again what can be reached."""
        self._is_hidden = False
        self._publish()

    def _publish(self) -> None:
        shown = Availability() if self._is_hidden else self._availability
        self._states.show(self._topics.telemetry, _WORDS[shown.telemetry])
        if self._with_session:
            self._states.show(self._topics.session, _WORDS[shown.session is not None])
