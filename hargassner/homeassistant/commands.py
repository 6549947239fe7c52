"""Commands over MQTT: each is handed on, and answered exactly once."""

from collections.abc import Callable, Iterable

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.control.queue import CommandError, IControl
from hargassner.dialogue.identifiers import parameter_object
from hargassner.homeassistant.entities import compact
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
        parameters: the ids of those that may be changed.
        refused: called with the state topic of a parameter that stays as it was.
    """

    def __init__(
        self,
        topics: Topics,
        broker: IBroker,
        control: IControl,
        parameters: Iterable[str],
        refused: Callable[[str], object],
    ) -> None:
        self._topics = topics
        self._broker = broker
        self._control = control
        self._ids = {parameter_object(each): each for each in parameters}
        self._refused = refused
        self._open: list[str] = []
        self._stopped = False

    def listen(self) -> None:
        """Take commands from now on."""
        self._broker.subscribe(self._topics.commands, self._received, self._unreadable)

    def stop(self) -> None:
        """Take none any more, and answer those whose outcome will come too late."""
        for object_ in self._open:
            self._answer(object_, {"ok": False, "error": _STOPPED})
        self._open.clear()
        self._stopped = True

    def _received(self, topic: str, payload: str) -> None:
        if self._stopped:
            return
        object_ = self._topics.object_of(topic)
        id_ = self._ids.get(object_)
        if id_ is None:
            self._answer(
                object_,
                {
                    "ok": False,
                    "error": f"{object_[:40]} cannot be set: it is not among control.parameters",
                },
            )
            self._refused(self._topics.state(object_))
            return
        self._open.append(object_)
        setting = maybeDeferred(self._control.set_parameter, id_, payload.strip())
        setting.addCallbacks(self._done, self._failed, (object_,), {}, (object_,), {})
        setting.addErrback(lambda why: log.failure("answering a command failed", why))

    def _unreadable(self, topic: str, why: str) -> None:
        object_ = self._topics.object_of(topic)
        self._answer(object_, {"ok": False, "error": f"what is wanted is {why}"})
        self._refused(self._topics.state(object_))

    def _done(self, value: str, object_: str) -> None:
        self._close(object_, {"ok": True, "value": value})

    def _failed(self, why: Failure, object_: str) -> None:
        if why.check(CommandError) is None:
            log.failure("the command for {object} failed", why, object=object_)
            error = "the bridge failed; its log says more"
        else:
            error = why.getErrorMessage()
        self._close(object_, {"ok": False, "error": error})
        self._refused(self._topics.state(object_))

    def _close(self, object_: str, result: dict[str, object]) -> None:
        if not self._stopped:
            self._open.remove(object_)
            self._answer(object_, result)

    def _answer(self, object_: str, result: dict[str, object]) -> None:
        self._broker.publish(self._topics.result(object_), compact(result), retain=False)
