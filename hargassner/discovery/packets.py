"""What the datagrams of discovery say (docs/protocol.md, section 1)."""

import re
from dataclasses import dataclass

ANNOUNCES = b"HargaWebApp"
"""What packet 1 begins with: the gateway starts over."""
ASKS_FOR_SERVICES = b"get services"
"""What packet 4 begins with."""
GET_SERVICES = b"get services\0"
"""Packet 4 as the gateway sends it."""
ASKS_FOR_DIAGNOSTICS = b"hargassner.diagnostics.request"
"""What packet 3 begins with."""

_LIST = b"\x00\x02"
_MODEL = slice(2, 32)
_CODE = slice(308, 318)
_LONGEST_NAME = 64


class NotDiscoveryError(Exception):
    """A datagram is not of the kind that it was taken for."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The gateway's word that it starts over (docs/protocol.md, section 1, packet 1).

    ``software`` is the gateway's version, such as "6.4.1"; ``serial`` its serial number.  Both
    may be empty.
    """

    software: str
    serial: str


@dataclass(frozen=True, slots=True)
class ServiceList:
    """The boiler's answer to "get services" (docs/protocol.md, section 1, packet 5).

    ``model`` is such as "HSV/CL 9-60KW", ``firmware`` such as "V14.0n3", ``system_code`` eight
    hex digits; each may be empty.
    """

    model: str
    firmware: str
    system_code: str


def asks(data: bytes) -> bool:
    """Whether a datagram is a question that a boiler answers."""
    return data.startswith((ASKS_FOR_SERVICES, ASKS_FOR_DIAGNOSTICS))


def parse_announcement(data: bytes) -> Announcement:
    """Read a ``HargaWebApp`` broadcast.

    Raises:
        NotDiscoveryError: it is something else.
    """
    if not data.startswith(ANNOUNCES):
        raise NotDiscoveryError("not an announcement")
    text = data[:512].decode("latin-1")
    version = _first(r"\AHargaWebApp[ \t]+v?([\w.-]{1,32})", text)
    return Announcement(version, _first(r"\bSN:([\w-]{1,32})", text))


def parse_service_list(data: bytes) -> ServiceList:
    """Read a boiler's service list, shorter or longer than the captured one.

    The captured one has fields at fixed places after ``00 02``; another boiler's begins with its
    name. What can be read of it is read, the rest is empty.

    Raises:
        NotDiscoveryError: it is empty, or holds nothing that can be shown.
    """
    name, code = _name_and_code(data)
    if not name and not data.startswith(_LIST):
        raise NotDiscoveryError("not a service list")
    model, firmware = _model_and_firmware(name)
    return ServiceList(model, firmware, code)


def is_captured_list(data: bytes) -> bool:
    """Whether this has the form of the service list that was captured, asked for or not."""
    return data.startswith(_LIST) and len(data) >= len(_LIST) + 2


def _name_and_code(data: bytes) -> tuple[str, str]:
    if data.startswith(_LIST):
        return _field(data[_MODEL]), _field(data[_CODE])
    name = _field(re.split(rb"[\r\n]", data[:_LONGEST_NAME])[0])
    return name, _first(r"\A([0-9A-F]{8})\0*\Z", data[_CODE].decode("latin-1"))


def _model_and_firmware(name: str) -> tuple[str, str]:
    model, firmware, *_ = [*re.split(r" (?=[vV]\d\S*\Z)", " ".join(name.split())), ""]
    return model, firmware


def _first(pattern: str, text: str) -> str:
    """What the pattern's group matches first, "" where it matches nothing."""
    found = re.search(pattern, text)
    return found[1] if found else ""


def _field(data: bytes) -> str:
    text = data.partition(b"\0")[0].decode("latin-1")
    return "".join(filter(str.isprintable, text)).strip()
