"""What became of the last command, for whoever gave it without waiting for the answer."""

from hargassner.clock import IClock
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.info import iso
from hargassner.homeassistant.states import LONGEST_STATE, States
from hargassner.homeassistant.topics import Topics

_LONGEST_SHOWN = 40


def show_last_command(
    topics: Topics, states: States, clock: IClock, object_: str, requested: str, result: Json
) -> None:
    """Publish that a command was answered.

    Args:
        topics: where.
        states: publishes states.
        clock: time.
        object_: the identifier of what was to be set.
        requested: what was asked of it.
        result: the answer.
    """
    what, wanted = object_[:_LONGEST_SHOWN], requested[:_LONGEST_SHOWN]
    outcome = "ok" if result["ok"] else f"refused: {result['error']}"
    details = {"object": what, "requested": wanted, "at": iso(clock.wall()), **result}
    text = f"{what} = {wanted}: {outcome}"[:LONGEST_STATE]
    states.show(topics.last_command, compact({"text": text, **details}))
