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
    """A line has ``got`` values, its descriptor describes ``expected``."""

    expected: int
    got: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the values of a line's described places stand.

    ``places`` has for each described place, in their order, the place in the line, or None where
    that is not known; ``values`` is how many analog values a line has, the hidden ones included.
    """

    places: tuple[int | None, ...]
    values: int

    @staticmethod
    def as_described(descriptor: Descriptor) -> "Placement":
        """Nothing is hidden."""
        return Placement(tuple(range(descriptor.analog_values)), descriptor.analog_values)


@dataclass(frozen=True, slots=True)
class Fit:
    """How the lines go with their descriptor, which describes ``expected`` of ``got`` values.

    ``hidden`` are the places in the line of values that no channel describes, as the lines
    themselves prove, or the owner says; ``assumed`` are those that are most probable. ``unknown``
    counts the analog channels that cannot be told. ``unused`` are places that the owner gave and
    that the lines contradict or do not need, and ``beyond`` those behind the analog values.
    ``contradicted`` names channels that show what their
    descriptor rules out.
    """

    expected: int
    got: int
    hidden: tuple[int, ...] = ()
    assumed: tuple[int, ...] = ()
    unknown: int = 0
    unused: tuple[int, ...] = ()
    beyond: tuple[int, ...] = ()
    contradicted: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say: the lines are as described."""
        return self == Fit(self.expected, self.expected)

    @property
    def mismatch(self) -> LengthMismatch | None:
        """That not every channel can be told."""
        if self.unknown or self.contradicted:
            return LengthMismatch(self.expected, self.got)
        return None
