"""The boiler's parameters, and how they are set now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from hargassner.catalogue import NOWHERE, Catalogue, ParameterEntry, Place
from hargassner.dialogue.events import ParameterChanged
from hargassner.dialogue.identifiers import parameter_object
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter, Parameter


@dataclass(slots=True, eq=False)
class Setting:
    """One of the boiler's parameters, and how it is set now.

    ``text`` is the boiler's own text of the value and ``since`` the time of its last change.
    ``parameter`` is how the boiler last described it in full, with limits or options, and agrees
    with ``text``; it is None when only a notice has named the parameter yet. Should a notice name
    a value that the parameter cannot have, ``text`` has that, and ``parameter`` the one before.
    ``entry`` is what the catalogue knows of it.
    """

    id: str
    object: str
    name: str
    text: str
    since: float
    parameter: Parameter | None
    entry: ParameterEntry | None

    @property
    def place(self) -> Place:
        """Where the parameter belongs; nowhere if it is not known."""
        return self.entry.place if self.entry is not None else NOWHERE


class Settings:
    """Every parameter that was seen, by its id.

    Args:
        catalogue: what is known of parameters.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._by_id: dict[str, Setting] = {}

    @property
    def by_id(self) -> Mapping[str, Setting]:
        """Every setting by its parameter's id, not to be changed."""
        return MappingProxyType(self._by_id)

    def see(self, parameter: Parameter, now: float) -> Setting | None:
        """A reply described a parameter in full; the setting, or None if that changed nothing."""
        setting = self._by_id.get(parameter.id)
        if setting is None:
            return self._add(parameter.id, parameter.name, parameter.text, now, parameter)
        if (setting.parameter, setting.text) == (parameter, parameter.text):
            return None
        if _value(setting.text) != _value(parameter.text):
            setting.since = now
        setting.name = parameter.name or setting.name
        setting.text = parameter.text
        setting.parameter = parameter
        return setting

    def change(self, event: ParameterChanged, now: float) -> Setting | None:
        """A notice named another value; the setting, or None if that changed nothing."""
        setting = self._by_id.get(event.id)
        if setting is None:
            return self._add(event.id, event.name, event.new, now, None)
        if _value(setting.text) == _value(event.new):
            return None
        setting.text = event.new
        setting.since = now
        setting.parameter = _with_text(setting.parameter, event.new)
        return setting

    def _add(
        self, number: str, name: str, text: str, now: float, parameter: Parameter | None
    ) -> Setting:
        setting = self._by_id[number] = Setting(
            id=number,
            object=parameter_object(number),
            name=name,
            text=text,
            since=now,
            parameter=parameter,
            entry=self._catalogue.parameter(number),
        )
        return setting


def _value(text: str) -> Decimal | str:
    """What a text says, a number or not: replies say ``20.000`` where notices say ``20.0``."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _with_text(parameter: Parameter | None, text: str) -> Parameter | None:
    """A parameter set to what a notice calls ``text``, or left alone if it has no such value."""
    match parameter, _value(text):
        case NumberParameter(), Decimal() as number:
            return replace(parameter, value=number, text=text)
        case ChoiceParameter(), _ if text in parameter.options:
            return replace(parameter, index=parameter.options.index(text))
    return parameter
