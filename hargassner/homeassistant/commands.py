"""Commands over MQTT: each is handed on, and answered exactly once."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.boiler.settable import Settable
from hargassner.control.queue import CommandError, IControl
from hargassner.homeassistant.adjustables import NoSuchCommandError
from hargassner.homeassistant.compound_states import CompoundStates
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.own_entities import RESTART
from hargassner.homeassistant.topics import Topics
from hargassner.mqtt.interfaces import IBroker

log = Logger()

_STOPPED = "the bridge stops, and what becomes of this command is not known"


class Commands:
    """Takes the commands that arrive over MQTT.

    Nothing is shown as done before the boiler has confirmed it; what it confirms reaches the
    states through the model.

    Args:
        topics: where commands arrive and results go.
        broker: brings the one and takes the other.
        control: changes settings.
        settable: decides what may be changed.
        own_words: makes what the boiler takes of the owner's word for an option, by the id.
        compounds: knows which parameters the commands of thermostats and water heaters are for.
        repeat: called with the topics of what may be set to something else than was asked.
        answered: called with an identifier, what was asked, and the result.
        restart: called to start the bridge anew; None where nobody would start it.
    """

    def __init__(
        self,
        topics: Topics,
        broker: IBroker,
        control: IControl,
        settable: Settable,
        own_words: Callable[[str, str], str],
        compounds: CompoundStates,
        repeat: Callable[[str], object],
        answered: Callable[[str, str, Json], object],
        restart: Callable[[], object] | None,
    ) -> None:
        self._topics = topics
        self._broker = broker
        self._control = control
        self._settable = settable
        self._own_words = own_words
        self._compounds = compounds
        self._repeat = repeat
        self._answered = answered
        self._restart = restart
        self._open: list[_Asked] = []
        self._stopped = False

    def listen(self) -> None:
        """Take commands from now on."""
        for topics in self._topics.commands:
            self._broker.subscribe(topics, self._received, self._unreadable)

    def stop(self) -> None:
        """Take none any more, and answer those whose outcome will come too late."""
        for asked in self._open:
            self._answer(asked, {"ok": False, "error": _STOPPED})
        self._open.clear()
        self._stopped = True

    def _received(self, topic: str, payload: str) -> None:
        if self._stopped:
            return
        asked = _Asked(self._topics.commanded(topic), payload.strip())
        if asked == _Asked(RESTART, RESTART) and self._restart is not None:
            log.info("the bridge starts anew, as asked over MQTT")
            self._answer(asked, {"ok": True, "value": RESTART})
            self._restart()
        else:
            self._set(asked)

    def _set(self, asked: "_Asked") -> None:
        try:
            self._ask(*self._meant(asked), asked)
        except NoSuchCommandError as why:
            self._refuse(asked, str(why))

    def _meant(self, asked: "_Asked") -> tuple[str, str]:
        """The id of the parameter that a command is for, and what is to be set.

        Raises:
            NoSuchCommandError: it is for none that may be set.
        """
        object_, _, part = asked.object.partition("/")
        if part:
            return self._compounds.command(object_, part, asked.value)
        id_ = self._settable.of_object(asked.object)
        if not id_:
            why = "cannot be set: it is not among control.parameters"
            raise NoSuchCommandError(f"{asked.object[:40]} {why}")
        return id_, self._own_words(id_, asked.value)

    def _ask(self, id_: str, value: str, asked: "_Asked") -> None:
        self._open.append(asked)
        setting = maybeDeferred(self._control.set_parameter, id_, value)
        setting.addCallbacks(self._done, self._failed, (asked,), {}, (asked,), {})
        setting.addErrback(lambda why: log.failure("answering a command failed", why))

    def _unreadable(self, topic: str, why: str) -> None:
        self._refuse(_Asked(self._topics.commanded(topic), ""), f"what is wanted is {why}")

    def _refuse(self, asked: "_Asked", error: str) -> None:
        self._answer(asked, {"ok": False, "error": error})
        self._show_again(asked)

    def _done(self, value: str, asked: "_Asked") -> None:
        self._close(asked, {"ok": True, "value": value})
        # What was asked may have been rounded, and whoever asked may show it already.
        self._show_again(asked)

    def _failed(self, why: Failure, asked: "_Asked") -> None:
        if why.check(CommandError) is None:
            log.failure("the command for {object} failed", why, object=asked.object)
            error = "the bridge failed; its log says more"
        else:
            error = why.getErrorMessage()
        self._close(asked, {"ok": False, "error": error})
        self._show_again(asked)

    def _show_again(self, asked: "_Asked") -> None:
        for topic in (self._topics.state(asked.object), self._topics.text(asked.object)):
            self._repeat(topic)

    def _close(self, asked: "_Asked", result: Json) -> None:
        if not self._stopped:
            self._open.remove(asked)
            self._answer(asked, result)

    def _answer(self, asked: "_Asked", result: Json) -> None:
        self._broker.publish(self._topics.result(asked.object), compact(result), retain=False)
        self._answered(asked.object, asked.value, result)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command: the identifier of what it is for, with its part if it has any, and its value."""

    object: str
    value: str
