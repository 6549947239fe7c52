"""The boiler's parameters as its replies describe them (docs/protocol.md, section 3)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_INDEX = re.compile(r"[0-9]{1,4}")

_NUMBER_FIELDS = 12
_CHOICE_FIELDS = 9


class ParameterError(ValueError):
    """The line describes no parameter; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class NumberParameter:
    """A setting that is a number.

    ``text`` is the value as the boiler writes it, with its own precision. ``default`` is what the
    maker set; ``unit`` can be empty.
    """

    id: str
    name: str
    value: Decimal
    text: str
    minimum: Decimal
    maximum: Decimal
    step: Decimal
    unit: str
    default: Decimal


@dataclass(frozen=True, slots=True)
class ChoiceParameter:
    """A setting that is one of several options, named in the language of the boiler's panel.

    ``index`` is always that of an option. ``default`` is what the maker set, as the boiler says
    it: nothing promises that there is such an option.
    """

    id: str
    name: str
    index: int
    options: tuple[str, ...]
    default: int

    @property
    def text(self) -> str:
        """The option that is set."""
        return self.options[self.index]


@dataclass(frozen=True, slots=True)
class OtherParameter:
    """A setting of a type that is not known: what follows id and type, as it came."""

    id: str
    type: str
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """Empty: where the name stands is not known."""
        return ""

    @property
    def text(self) -> str:
        """The first field, which has the value in both of the types that are known."""
        return next(iter(self.fields), "")


Parameter = NumberParameter | ChoiceParameter | OtherParameter


def parse_parameter(line: bytes | str) -> Parameter:
    """Read one parameter line, given without the leading ``$`` and the line end.

    The field that some replies have after the last known one is passed over.

    Raises:
        ParameterError: fields are missing, or something else stands where a number has to.
    """
    text = line.decode("latin-1") if isinstance(line, bytes) else line
    fields = text.removesuffix(";").split(";")
    if len(fields) < 2 or not fields[0]:
        raise ParameterError("a parameter line begins with an id and a type")
    return _TYPES.get(fields[1], _other_parameter)(fields)


def type_is_known(line: bytes) -> bool:
    """Whether it is known of a line, if it is a parameter's, how it has to end."""
    fields = line.split(b";", 4)
    return len(fields) > 2 and fields[1] in (b"3", b"6")


def tells_one(line: bytes) -> bool:
    """Whether a parameter line, given as to ``parse_parameter``, ends as one that was asked for.

    It has a field more then than in the list of those that have changed.
    """
    fields = line.removesuffix(b";").split(b";")
    match fields:
        case [_, b"3", *_]:
            return len(fields) > _NUMBER_FIELDS
        case [_, b"6", _, highest, *_] if _INDEX.fullmatch(highest.decode("latin-1")):
            return len(fields) > _CHOICE_FIELDS + int(highest) + 1
    return False


def _number_parameter(fields: list[str]) -> NumberParameter:
    if len(fields) < _NUMBER_FIELDS:
        raise ParameterError(
            f"a number parameter has {_NUMBER_FIELDS} fields or more, this one {len(fields)}"
        )
    return NumberParameter(
        id=fields[0],
        name=fields[11],
        value=_decimal(fields[2], "value"),
        text=fields[2],
        minimum=_decimal(fields[3], "minimum"),
        maximum=_decimal(fields[4], "maximum"),
        step=_decimal(fields[5], "step"),
        unit=fields[6],
        default=_decimal(fields[7], "default"),
    )


def _choice_parameter(fields: list[str]) -> ChoiceParameter:
    if len(fields) < _CHOICE_FIELDS:
        raise ParameterError(
            f"a choice parameter has {_CHOICE_FIELDS} fields and its options,"
            f" this one {len(fields)} fields"
        )
    index = _index(fields[2], "index")
    count = _index(fields[3], "highest index") + 1
    options = tuple(fields[_CHOICE_FIELDS : _CHOICE_FIELDS + count])
    if len(options) < count:
        raise ParameterError(f"{count} options are promised and {len(options)} given")
    if index >= count:
        raise ParameterError(f"option {index} is set, and the last one is {count - 1}")
    return ChoiceParameter(
        id=fields[0],
        name=fields[8],
        index=index,
        options=options,
        default=_index(fields[4], "default index"),
    )


def _other_parameter(fields: list[str]) -> OtherParameter:
    id_, type_, *rest = fields
    return OtherParameter(id=id_, type=type_, fields=tuple(rest))


_TYPES: Mapping[str, Callable[[list[str]], Parameter]] = {
    "3": _number_parameter,
    "6": _choice_parameter,
}
"""What reads the fields of a parameter, by its type."""


def _decimal(text: str, what: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ParameterError(f"the {what} is no number")
    return Decimal(text)


def _index(text: str, what: str) -> int:
    if not _INDEX.fullmatch(text):
        raise ParameterError(f"the {what} is no number from 0 to 9999")
    return int(text)
