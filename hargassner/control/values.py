"""The value that is requested for a parameter, as the boiler takes it."""

import re
from decimal import Decimal

from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter, Parameter

_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?")
_INDEX = re.compile(r"[0-9]{1,4}")

_TOLERANCE = Decimal("0.0005")
"""Of a step: so far beside the grid a number may be, which a program has computed."""
_LONGEST_SHOWN = 40


class InvalidValueError(ValueError):
    """The parameter cannot be that; the text says in one sentence why."""


def requested_value(parameter: Parameter, requested: str) -> str:
    """The value to send: an option's index, or a number of as many places as its steps need.

    Args:
        parameter: what the boiler says of it.
        requested: an option, by its text (exactly so, else without regard to case) or its index;
            or a number with a decimal point.

    Raises:
        InvalidValueError: there is no such option, the number is beyond the limits or between two
            steps, or nobody knows how to set this parameter.
    """
    match parameter:
        case ChoiceParameter():
            return str(_option(parameter, requested))
        case NumberParameter():
            return _number(parameter, requested)
        case _:
            raise InvalidValueError(
                f"parameter {parameter.id} is of type {parameter.type}, which nobody knows to set"
            )


def has_value(parameter: Parameter | None, value: str) -> bool:
    """Whether the parameter is known and set to a value that ``requested_value`` gave."""
    match parameter:
        case ChoiceParameter():
            return parameter.index == int(value)
        case NumberParameter():
            return parameter.value == Decimal(value)
        case _:
            return False


def text_of(parameter: Parameter, value: str) -> str:
    """How the boiler names a value that ``requested_value`` gave; empty for a number.

    It writes numbers with other places than they are asked for with.
    """
    return parameter.options[int(value)] if isinstance(parameter, ChoiceParameter) else ""


def set_request(parameter: Parameter, value: str) -> bytes:
    """The line that sets a parameter to a value that ``requested_value`` gave."""
    type_ = "6" if isinstance(parameter, ChoiceParameter) else "3"
    return f'$par set "{parameter.id};{type_};{value}"\r\n'.encode("latin-1")


def get_request(id_: str) -> bytes:
    """The line that asks for a parameter."""
    return f"$par get {id_}\r\n".encode("latin-1")


def _option(parameter: ChoiceParameter, requested: str) -> int:
    if requested in parameter.options:
        return parameter.options.index(requested)
    folded = [each.casefold() for each in parameter.options]
    if folded.count(requested.casefold()) == 1:
        return folded.index(requested.casefold())
    if _INDEX.fullmatch(requested) and int(requested) < len(parameter.options):
        return int(requested)
    options = ", ".join(parameter.options)
    raise InvalidValueError(
        f"{_shown(requested)} is no option of parameter {parameter.id}: {options}"
    )


def _number(parameter: NumberParameter, requested: str) -> str:
    if not _NUMBER.fullmatch(requested):
        raise InvalidValueError(f"{_shown(requested)} is no number such as 20.5")
    number = Decimal(requested)
    nearest = nearest_step(number, parameter.minimum, parameter.step)
    if abs(number - nearest) <= parameter.step * _TOLERANCE:
        number = nearest
    if not parameter.minimum <= number <= parameter.maximum:
        limits = f"{plain(parameter.minimum)} to {plain(parameter.maximum)} {parameter.unit}"
        raise InvalidValueError(f"{requested} is not within {limits.rstrip()}")
    if number != nearest:
        raise InvalidValueError(
            f"{requested} is between two steps: parameter {parameter.id} goes from "
            f"{plain(parameter.minimum)} in steps of {plain(parameter.step)}"
        )
    return _with_places_of_steps(parameter, number)


def nearest_step(number: Decimal, lowest: Decimal, step: Decimal) -> Decimal:
    """The nearest number that is on the grid; any is where there are no steps."""
    return lowest + round((number - lowest) / step) * step if step > 0 else number


def _with_places_of_steps(parameter: NumberParameter, number: Decimal) -> str:
    if parameter.step <= 0:
        return plain(number)
    places = max(_places(parameter.step), _places(parameter.minimum))
    return f"{number:.{places}f}"


def _places(number: Decimal) -> int:
    """How many decimal places a number needs."""
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def plain(number: Decimal) -> str:
    """A number with no more places than it needs."""
    return f"{number:.{_places(number)}f}"


def _shown(requested: str) -> str:
    return repr(requested[:_LONGEST_SHOWN])
