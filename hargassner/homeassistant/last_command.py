"""What became of the last command, for whoever gave it without waiting for the answer."""

from hargassner.clock import IClock
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.info import iso
from hargassner.homeassistant.states import LONGEST_STATE, States
from hargassner.homeassistant.topics import Topics

_LONGEST_SHOWN = 40


class LastCommand:
    """Publishes it.

    Args:
        topics: where.
        states: publishes states.
        clock: time.
    """

    def __init__(self, topics: Topics, states: States, clock: IClock) -> None:
        self._topic = topics.last_command
        self._states = states
        self._clock = clock

    def show(self, object_: str, requested: str, result: Json) -> None:
        """A command was answered.

        Args:
            object_: the identifier of what was to be set.
            requested: what was asked of it.
            result: the answer.
        """
        what, wanted = object_[:_LONGEST_SHOWN], requested[:_LONGEST_SHOWN]
        outcome = "ok" if result["ok"] else f"refused: {result['error']}"
        now = iso(self._clock.wall())
        details = {"object": what, "requested": wanted, "at": now, **result}
        text = f"{what} = {wanted}: {outcome}"[:LONGEST_STATE]
        self._states.show(self._topic, compact({"text": text, **details}))
