"""Descriptors as a boiler sends them, and a small one that many tests share."""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape


def _channel(**attributes: object) -> str:
    quoted = (f"{name}='{escape(str(each), _QUOTE)}'" for name, each in attributes.items())
    return f"<CHANNEL {' '.join(quoted)}/>"


_QUOTE = {"'": "&apos;"}


def document(
    analog: Iterable[tuple[str, str]],
    digital: Iterable[str] | Mapping[int, str] = (),
    decimals: Mapping[str, int] | None = None,
) -> bytes:
    """A descriptor, in latin-1 as on the wire (section 7).

    Args:
        analog: names and units, in the order of the values; a channel without a unit has "".
        digital: names in the order of their bits, or by their bits, all in the first word.
        decimals: how many an analog channel's values have, by its name, where it is said.
    """
    places = decimals or {}
    values = (
        _channel(
            id=place,
            name=name,
            **({"unit": unit} if unit else {}),
            **({"dop": places[name]} if name in places else {}),
        )
        for place, (name, unit) in enumerate(analog)
    )
    by_bit = digital if isinstance(digital, Mapping) else dict(enumerate(digital))
    bits = (_channel(id=0, bit=bit, name=name) for bit, name in by_bit.items())
    text = f"<DAQPRJ><ANALOG>{''.join(values)}</ANALOG><DIGITAL>{''.join(bits)}</DIGITAL></DAQPRJ>"
    return text.encode("latin-1")


SMALL = document([("ZK", ""), ("TK", "°C")], ["Störung"], {"ZK": 0}) + b"\r\n"
"""Two values and the fault bit: ``pm 7 65.9 1``."""
