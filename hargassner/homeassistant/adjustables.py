"""What of a boiler can be set: one of several options, and a temperature within limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from hargassner.boiler.model import Boiler, Setting
from hargassner.control.values import nearest_step, plain
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.states import UNKNOWN

_NONE_CHOSEN = -1
_LONGEST_SHOWN = 40
_ENDLESS = Decimal("Infinity")


class NoSuchCommandError(ValueError):
    """That cannot be done; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter with several options, no two alike; none where that is not known of it.

    ``chosen`` is the index of the option to which it is set, -1 for none that it should have.
    """

    id: str
    options: Sequence[str] = ()
    chosen: int = _NONE_CHOSEN

    def named(self, indexes: Mapping[str, int]) -> dict[str, str]:
        """The options that it has of these, by the names that others know them by.

        Args:
            indexes: the options' indexes by those names.
        """
        has = range(len(self.options))
        return {name: self.options[index] for name, index in indexes.items() if index in has}

    def command(self, indexes: Mapping[str, int], payload: str) -> tuple[str, str]:
        """The id of the parameter, and the option that has this name.

        Raises:
            NoSuchCommandError: none has.
        """
        options = self.named(indexes)
        if payload.casefold() not in options:
            can_be = ", ".join(options)
            raise NoSuchCommandError(f"{payload[:_LONGEST_SHOWN]!r} is none of {can_be}")
        return self.id, options[payload.casefold()]


@dataclass(frozen=True, slots=True)
class Setpoint:
    """A temperature that can be set, in °C.

    ``shown`` is what it is set to, without zeros at its end. Where the limits are not known, or
    there is nothing between them, none lies within.
    """

    id: str
    shown: str = UNKNOWN
    lowest: Decimal = _ENDLESS
    highest: Decimal = -_ENDLESS
    step: Decimal = Decimal(0)

    @property
    def is_known(self) -> bool:
        """Whether anything lies within its limits."""
        return self.lowest < self.highest

    def command(self, payload: str) -> tuple[str, str]:
        """The id of the parameter, and the nearest number that the boiler takes.

        What is no number, or beyond the limits, is for the boiler's control to refuse.
        """
        number = _number(payload)
        if abs(number) > self.highest:
            return self.id, payload
        return self.id, plain(nearest_step(number, self.lowest, self.step))


def choice(boiler: Boiler, id_: str) -> Choice:
    """The parameter with this id as a choice."""
    match boiler.settings.get(id_):
        case Setting(parameter=ChoiceParameter(options=options), text=text) if _all_differ(options):
            return Choice(id_, options, options.index(text) if text in options else _NONE_CHOSEN)
    return Choice(id_)


def setpoint(boiler: Boiler, id_: str) -> Setpoint:
    """The parameter with this id as a temperature."""
    match boiler.settings.get(id_):
        case Setting(parameter=NumberParameter() as number, text=text) if (
            number.minimum < number.maximum
        ):
            shown = plain(number.value) if number.text == text else UNKNOWN
            return Setpoint(id_, shown, number.minimum, number.maximum, number.step)
    return Setpoint(id_)


def limits_of(*setpoints: Setpoint) -> Json:
    """What Home Assistant is told of temperatures of which one is set at a time."""
    return {
        "temperature_unit": "C",
        "min_temp": float(min(each.lowest for each in setpoints)),
        "max_temp": float(max(each.highest for each in setpoints)),
        "precision": 0.1,
    }


def _all_differ(options: Sequence[str]) -> bool:
    return len(set(options)) == len(options)


def _number(payload: str) -> Decimal:
    """A number as it was sent; an endless one for what is none."""
    try:
        number = Decimal(payload)
    except InvalidOperation:
        return _ENDLESS
    return number if number.is_finite() else _ENDLESS
