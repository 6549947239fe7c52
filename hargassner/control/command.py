"""One command, from its first turn to its end.

It takes up to three requests, and the gateway goes on between them: ``$par get`` where the
parameter is not known yet, ``$par set``, and ``$par get`` again where the boiler acknowledged
without a notice of the new value. What the boiler confirmed is what the model has; nothing is
believed before.
"""

from enum import StrEnum
from typing import Protocol

from hargassner.boiler.model import Boiler, Setting
from hargassner.control.pacing import Pacing
from hargassner.control.values import (
    InvalidValueError,
    get_request,
    has_value,
    requested_value,
    set_request,
    text_of,
)
from hargassner.dialogue.grammar import refuses
from hargassner.dialogue.parameters import Parameter
from hargassner.proxy.exchange import NoReplyError, SessionOverError
from hargassner.terminal import printable

_LONGEST_REPLY = 120


class Outcome(StrEnum):
    """How a command ended."""

    OK = "ok"
    INVALID = "invalid"
    """The parameter must not be set, or not to that."""
    NO_SESSION = "no_session"
    SUPERSEDED = "superseded"
    """A newer command for the same parameter came while it waited."""
    TOO_MANY = "too_many"
    """Too many others wait, or were sent within the last minute."""
    REFUSED = "refused"
    """The boiler refused it."""
    DISPLAY_IN_USE = "display_in_use"
    """Somebody operates the boiler's display, and commands are refused meanwhile."""
    TIMED_OUT = "timed_out"
    SESSION_ENDED = "session_ended"


class CommandError(Exception):
    """A command came to nothing; the message says why, in one sentence for the owner."""

    def __init__(self, why: str, outcome: Outcome = Outcome.REFUSED) -> None:
        super().__init__(why)
        self.outcome = outcome


class Requests(Protocol):
    """How a command reaches the boiler: with one request for each turn that it takes."""

    pacing: Pacing
    timeout: float
    """Seconds for the boiler's reply to a request."""

    async def first_turn(self, id_: str) -> None:
        """Wait until the command for this id may send its first request.

        Errors: ``CommandError``.
        """

    async def next_turn(self) -> None:
        """Wait until the command that has begun may send its next request.

        Errors: ``CommandError``.
        """

    async def ask(self, request: bytes, text: str = "") -> bytes:
        """Send a request, at once when the command has its turn, and wait for the reply.

        Args:
            request: a whole line.
            text: how the boiler names the value that it sets, empty where that is not known.

        Errors: ``NoReplyError``, ``SessionOverError``.
        """

    def noticed(self, id_: str) -> bool:
        """Whether a notice named this parameter's value since the last request was sent."""


class Command:
    """Sets one parameter: reads it where it is unknown, sets it, and has the value confirmed.

    Args:
        id_: the parameter's id, as control.parameters has it.
        requested: the value, as it was given.
        boiler: the model; it knows the parameter's limits or options and current value.
        requests: how the boiler is reached.
    """

    def __init__(self, id_: str, requested: str, boiler: Boiler, requests: Requests) -> None:
        self.id = id_
        self.was_sent = False
        """Whether the request that sets the parameter was sent."""
        self._requested = requested
        self._boiler = boiler
        self._requests = requests

    async def run(self) -> str:
        """Carry it out; the result is the boiler's own text of the value that it confirmed.

        Errors: ``CommandError``.
        """
        # What is known to be impossible need not wait.
        self._check()
        await self._requests.first_turn(self.id)
        try:
            parameter, value = await self._known()
            setting = await self._set(parameter, value)
        except NoReplyError:
            why = f"the boiler did not answer within {self._requests.timeout:g} seconds"
            raise CommandError(why, Outcome.TIMED_OUT) from None
        except SessionOverError:
            why = "the session ended before the boiler answered"
            raise CommandError(why, Outcome.SESSION_ENDED) from None
        return setting.text

    async def _known(self) -> tuple[Parameter, str]:
        """The parameter, which is read if need be, and the value to send."""
        known = self._check()
        self._requests.pacing.begins(self.id)
        while known is None:
            await self._read()
            await self._requests.next_turn()
            known = self._check()
        return known

    async def _set(self, parameter: Parameter, value: str) -> Setting:
        self._requests.pacing.sets(self.id)
        self.was_sent = True
        try:
            text = text_of(parameter, value)
            reply = await self._requests.ask(set_request(parameter, value), text)
            if reply != b"$ack":
                raise CommandError(f"the boiler refused it: {shown(reply)}")
            setting = self._noticed(value)
            if setting is None:
                # It had that value already, as a rule; or the gateway has switched notices off, or
                # somebody has set it to another value at the panel.
                await self._requests.next_turn()
                setting = await self._confirm(value)
        except NoReplyError:
            # The notice of the new value may have come, if nothing else.
            setting = self._noticed(value)
            if setting is None:
                raise
        return setting

    async def _confirm(self, value: str) -> Setting:
        setting = await self._read()
        if not has_value(setting.parameter, value):
            raise CommandError(f"the boiler acknowledged it, and has {setting.text} all the same")
        return setting

    async def _read(self) -> Setting:
        reply = await self._requests.ask(get_request(self.id))
        if refuses(reply.removeprefix(b"$")):
            why = f"the boiler does not tell what parameter {self.id} is: {shown(reply)}"
            raise CommandError(why)
        setting = self._setting()
        if setting is None or setting.parameter is None:
            raise CommandError(f"what the boiler tells of parameter {self.id} cannot be read")
        return setting

    def _check(self) -> tuple[Parameter, str] | None:
        """The parameter and the value to send; None where the parameter is not known yet."""
        setting = self._setting()
        if setting is None or setting.parameter is None:
            return None
        try:
            return setting.parameter, requested_value(setting.parameter, self._requested)
        except InvalidValueError as error:
            raise CommandError(str(error), Outcome.INVALID) from None

    def _noticed(self, value: str) -> Setting | None:
        """What is known of the parameter, if a notice since the last request gave it this value."""
        setting = self._setting()
        is_noticed = setting and has_value(setting.parameter, value)
        return setting if is_noticed and self._requests.noticed(self.id) else None

    def _setting(self) -> Setting | None:
        """What is known of the parameter; the boiler may spell its id in another case."""
        folded = {id_.casefold(): each for id_, each in self._boiler.settings.items()}
        return folded.get(self.id.casefold())


def shown(reply: bytes) -> str:
    """A reply of the boiler's in the words of an error or of the log."""
    return printable(reply.decode("latin-1").removeprefix("$")[:_LONGEST_REPLY])
