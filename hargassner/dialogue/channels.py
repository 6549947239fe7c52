"""The channels of the boiler's telemetry, and what they show, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """One measured value.

    ``place`` counts the values after ``pm`` from 0. ``unit`` is as the boiler writes it, empty
    where there is none. ``decimals`` is the number of decimal places that the boiler promises, or
    None where it promises nothing.
    """

    object: str
    name: str
    place: int
    unit: str
    decimals: int | None


@dataclass(frozen=True, slots=True)
class DigitalChannel:
    """One bit of a digital word; words count from 0, bit 0 is the lowest."""

    object: str
    name: str
    word: int
    bit: int

    @property
    def unit(self) -> str:
        """Empty: a bit has none."""
        return ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What each value of a telemetry line means, for one boiler.

    A line has ``analog_values`` values and then ``words`` digital words. Either number can be
    higher than the number of places described: ids have gaps, and a value without a description
    is sent all the same. ``truncated`` says that there were more than channels than are read,
    and that these are the first.
    """

    analog: tuple[AnalogChannel, ...]
    digital: tuple[DigitalChannel, ...]
    analog_values: int
    words: int
    truncated: bool = False

    @property
    def values(self) -> int:
        """How many tokens a telemetry line has after ``pm``."""
        return self.analog_values + self.words


@dataclass(frozen=True, slots=True)
class Reading:
    """What one channel shows.

    ``text`` is the boiler's own text, so its precision is kept; for a digital channel it is ``ON``
    or ``OFF``. ``value`` is None where the token is no number (or no hexadecimal word); ``text``
    is then the token as sent, the beginning of it if it is long, or empty where it isn't known
    which token is meant.
    """

    channel: AnalogChannel | DigitalChannel
    text: str
    value: float | int | bool | None


@dataclass(frozen=True, slots=True)
class LengthMismatch:
    """A line has ``got`` values, the descriptor and the hidden places make ``expected``."""

    expected: int
    got: int
