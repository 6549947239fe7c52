"""The parameters of the simulated boiler (docs/protocol.md, section 3, "Parameter lines")."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from hargassner.tables import rows


class RefusedError(ValueError):
    """The boiler does not take this value; the text is what it says after ``$err``."""


@dataclass(slots=True)
class Number:
    """A parameter of type 3."""

    id: str
    name: str
    value: Decimal
    minimum: Decimal
    maximum: Decimal
    step: Decimal
    unit: str
    default: Decimal
    type = "3"

    def record(self) -> str:
        """The parameter as the boiler lists it, without ``$``."""
        limits = [self.value, self.minimum, self.maximum, self.step]
        fields = [self.id, self.type, *(f"{each:.3f}" for each in limits)]
        return ";".join([*fields, self.unit, f"{self.default:.3f}", "0", "0", "0", self.name, ""])

    def text(self) -> str:
        """The value as notices name it: with as many places as its steps need, at least one."""
        exponent = self.step.as_tuple().exponent
        places = -exponent if isinstance(exponent, int) else 0
        return f"{self.value:.{max(places, 1)}f}"

    def number(self) -> float:
        """The value for computing."""
        return float(self.value)

    def set(self, value: str) -> bool:
        """Take a new value; whether it differs from the old one.

        Raises:
            RefusedError: it is no number, beyond the limits, or between two steps.
        """
        try:
            requested = Decimal(value)
            if not requested.is_finite() or not self.minimum <= requested <= self.maximum:
                raise RefusedError("limit")
            if (requested - self.minimum) % self.step:
                raise RefusedError("step")
        except InvalidOperation:
            raise RefusedError("value") from None
        changed = requested != self.value
        self.value = requested
        return changed


@dataclass(slots=True)
class Choice:
    """A parameter of type 6."""

    id: str
    name: str
    index: int
    default: int
    options: tuple[str, ...]
    type = "6"

    def record(self) -> str:
        """The parameter as the boiler lists it, without ``$``."""
        numbers = [self.index, len(self.options) - 1, self.default, 0, 0, 0]
        return ";".join([self.id, self.type, *map(str, numbers), self.name, *self.options, ""])

    def text(self) -> str:
        """The chosen option as notices name it."""
        return self.options[self.index]

    def number(self) -> float:
        """The index for computing."""
        return self.index

    def set(self, value: str) -> bool:
        """Take a new option by its index; whether it differs from the old one.

        Raises:
            RefusedError: there is no such option.
        """
        if not (value.isascii() and value.isdigit()):
            raise RefusedError("value")
        requested = int(value)
        if requested >= len(self.options):
            raise RefusedError("limit")
        changed = requested != self.index
        self.index = requested
        return changed


Parameter = Number | Choice


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter got another value; both as notices name them."""

    parameter: Parameter
    old: str
    new: str


@dataclass(slots=True)
class ParameterTable:
    """All parameters, and when each was last changed."""

    parameters: dict[str, Parameter]
    changed: dict[str, datetime] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters.values())

    def get(self, id_: str) -> Parameter:
        """The parameter with this id.

        Raises:
            RefusedError: there is none.
        """
        if id_ not in self.parameters:
            raise RefusedError("parameter")
        return self.parameters[id_]

    def number(self, id_: str) -> float:
        """A parameter's value or index, for computing; the id must be known."""
        return self.parameters[id_].number()

    def set(self, id_: str, type_: str, value: str, when: datetime) -> Change | None:
        """Change a parameter; the result is None where it had that value already.

        Raises:
            RefusedError: there is no such parameter, or it does not take the value.
        """
        parameter = self.get(id_)
        if type_ != parameter.type:
            raise RefusedError("type")
        old = parameter.text()
        if not parameter.set(value):
            return None
        self.changed[id_] = when
        return Change(parameter, old, parameter.text())

    def changed_since(self, when: datetime) -> list[Parameter]:
        """The parameters changed then or later, in the order of the table."""
        return [each for each in self if self.changed.get(each.id, datetime.min) >= when]


def standard_parameters() -> ParameterTable:
    """The parameters that the table of this package describes, with German names."""
    return ParameterTable({each.id: each for each in _read(rows(__package__, "parameters.tsv"))})


def _read(table: Iterable[dict[str, str]]) -> Iterator[Parameter]:
    for row in table:
        if row["type"] == Choice.type:
            yield Choice(
                id=row["id"],
                name=row["name"],
                index=int(row["value"]),
                default=int(row["default"]),
                options=tuple(row["options"].split("|")),
            )
        else:
            yield Number(
                id=row["id"],
                name=row["name"],
                value=Decimal(row["value"]),
                minimum=Decimal(row["minimum"]),
                maximum=Decimal(row["maximum"]),
                step=Decimal(row["step"]),
                unit=row["unit"],
                default=Decimal(row["default"]),
            )
