"""The checks of single values: each takes what TOML gave, and returns it typed or refuses it.

Every check raises ``NotAllowedError`` for a value that cannot be; its message says what is allowed.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

T = TypeVar("T")


class NotAllowedError(ValueError):
    """A value is not allowed; the message says what is."""


def _require(condition: object, allowed: str) -> None:
    if not condition:
        raise NotAllowedError(allowed)


def _string(value: object, allowed: str) -> str:
    if not isinstance(value, str):
        raise NotAllowedError(allowed)
    return value


def _each(value: object, check: Callable[[Any], T], allowed: str) -> list[T]:
    """The elements of a list, each checked; ``allowed`` is said of the list as a whole."""
    if not isinstance(value, list):
        raise NotAllowedError(allowed)
    try:
        return list(map(check, value))
    except ValueError:
        raise NotAllowedError(allowed) from None


def _is_number(value: object, *kinds: type) -> bool:
    # To Python, true and false are integers.
    return isinstance(value, kinds) and not isinstance(value, bool)


# Texts, numbers, flags.


def matching(pattern: str, allowed: str) -> Callable[[Any], str]:
    """A check for a text that matches a pattern from its first to its last character."""
    compiled = re.compile(pattern, re.DOTALL)

    def check(value: Any) -> str:
        text = _string(value, allowed)
        _require(compiled.fullmatch(text), allowed)
        return text

    return check


text = matching(r"[^\0]*", "must be a text in quotes")
name = matching(r".*\S.*", "must be a text in quotes, not empty")
interface = matching(
    r"[^\s/\0]{0,15}", 'must be the name of a network interface, such as "eth0", or ""'
)
topic = matching(
    r"(?!/)[^+#\0\s]+(?<!/)", "must be an MQTT topic without wildcards, blanks and outer slashes"
)
identifier = matching(r"[a-zA-Z0-9_-]+", "must be letters, digits, _ and - only")


def flag(value: Any) -> bool:
    """True or false."""
    _require(isinstance(value, bool), "must be true or false")
    return bool(value)


def port(value: Any) -> int:
    """A TCP or UDP port."""
    sound = _is_number(value, int) and 1 <= value <= 65535
    _require(sound, "must be a port number from 1 to 65535")
    return int(value)


def number(low: float, high: float, unit: str = "") -> Callable[[Any], float]:
    """A check for a number from ``low`` to ``high``, both included."""

    def check(value: Any) -> float:
        sound = _is_number(value, int, float) and low <= value <= high
        _require(sound, f"must be a number from {low:g} to {high:g}{unit}")
        return float(value)

    return check


def one_of(*options: str) -> Callable[[Any], str]:
    """A check for one of a few texts."""
    quoted = ", ".join(f'"{each}"' for each in options)
    allowed = f"must be one of {quoted}"

    def check(value: Any) -> str:
        choice = _string(value, allowed)
        _require(choice in options, allowed)
        return choice

    return check


# Lists.


def _place(value: Any) -> int:
    _require(_is_number(value, int) and 0 <= value < 10_000, "")
    return int(value)


def hidden(value: Any) -> Literal["auto"] | tuple[int, ...]:
    """Places in a telemetry line, counted from 0, in their order, or that they are to be found."""
    allowed = 'must be "auto", or a list of different places, counted from 0, such as [57, 92]'
    if value == "auto":
        return "auto"
    found = _each(value, _place, allowed)
    _require(len(set(found)) == len(found), allowed)
    return tuple(sorted(found))


def ports(value: Any) -> tuple[int, ...]:
    """TCP ports, each once."""
    allowed = "must be a list of different port numbers from 1 to 65535, such as [80, 502]"
    found = _each(value, port, allowed)
    _require(len(set(found)) == len(found), allowed)
    return tuple(found)


def parameters(value: Any) -> tuple[str, ...]:
    """Ids of the boiler's parameters, each once, and ``auto`` for those that are safe to set."""
    allowed = 'must be a list of "auto" and the boiler\'s parameter ids, such as ["auto", "A6d"]'
    return tuple(dict.fromkeys(_each(value, matching(r"[A-Za-z0-9]{1,16}", ""), allowed)))


# Addresses and hosts.


def _is_host_address(text: str) -> bool:
    """Whether one host can have this IPv4 address."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)


def own_address(value: Any) -> str:
    """An IPv4 address of this machine; empty for any."""
    allowed = 'must be an IPv4 address of this machine, such as "192.168.1.2", or ""'
    address = _string(value, allowed)
    if address in ("", "0.0.0.0"):  # noqa: S104 - that is how many write "any".
        return ""
    _require(_is_host_address(address), allowed)
    return address


def address(value: Any) -> str:
    """An IPv4 address, which may be one of broadcasts."""
    allowed = 'must be an IPv4 address, such as "255.255.255.255"'
    try:
        found = ipaddress.IPv4Address(_string(value, allowed))
    except ValueError:
        raise NotAllowedError(allowed) from None
    _require(not found.is_unspecified, allowed)
    return str(found)


_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def _is_host_name(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    return len(text) <= 253 and all(map(_LABEL.fullmatch, labels))


def _is_host(text: str) -> bool:
    looks_like_address = re.fullmatch(r"[0-9.]+", text)
    return _is_host_address(text) if looks_like_address else _is_host_name(text)


def host(value: Any) -> str:
    """A host's IPv4 address or name; empty for none."""
    allowed = 'must be an IPv4 address or a host name, or ""'
    found = _string(value, allowed)
    _require(found == "" or _is_host(found), allowed)
    return found


def _host_of_page(value: Any) -> str:
    found = _string(value, "")
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        _require(_is_host(found), "")
        return found.lower().removesuffix(".")


def hosts(value: Any) -> tuple[str, ...]:
    """Host names and addresses, each once, as they are compared."""
    allowed = 'must be a list of host names and addresses, without ports, such as ["pi.fritz.box"]'
    return tuple(dict.fromkeys(_each(value, _host_of_page, allowed)))


def _network_or(*words: str) -> Callable[[Any], str]:
    """A check for an IPv4 address, a network, or one of some words."""

    def check(value: Any) -> str:
        given = _string(value, "")
        if given not in words:
            ipaddress.IPv4Network(given)
        return given

    return check


def allow(value: Any) -> tuple[str, ...]:
    """Who may connect to the telnet port."""
    allowed = 'must be a list of "igw", "any", IPv4 addresses and networks such as "192.168.1.0/24"'
    return tuple(_each(value, _network_or("igw", "any"), allowed))


def forward_allow(value: Any) -> tuple[str, ...]:
    """Who may use the forwarded ports."""
    allowed = 'must be a list of "any", IPv4 addresses and networks such as "192.168.1.0/24"'
    return tuple(_each(value, _network_or("any"), allowed))


# URLs and endpoints.


def _is_broker_url(url: str) -> bool:
    try:
        return not re.search(r"\s", url) and _names_broker(urlsplit(url))
    except ValueError:
        return False  # No port has such a number, or a bracket is missing.


def _names_broker(parts: SplitResult) -> bool:
    """Whether these are parts of a broker's URL.

    Raises:
        ValueError: the port is none.
    """
    host = parts.hostname or ""
    return all(
        (
            parts.scheme in ("mqtt", "mqtts"),
            _is_host(host) or ":" in host,
            parts.port != 0,
            parts.path in ("", "/"),
            not parts.query,
            not parts.fragment,
        )
    )


def broker(value: Any) -> str:
    """A broker's URL; empty for no MQTT."""
    allowed = 'must be mqtt://HOST:PORT or mqtts://HOST:PORT, or "" for no MQTT'
    url = _string(value, allowed)
    if url:
        _require(_is_broker_url(url), allowed)
        parts = urlsplit(url)
        anonymous = parts.username is None and parts.password is None
        _require(anonymous, f"{allowed}; the user and the password have keys of their own")
    return url


_ENDPOINT = 'must be a Twisted server endpoint, such as "tcp:8080:interface=127.0.0.1", or ""'


def endpoint(value: Any) -> str:
    """A description of a Twisted server endpoint; empty for none."""
    description = _string(value, _ENDPOINT)
    if description:
        from twisted.internet.endpoints import serverFromString

        try:
            # Only parsed here: without a reactor it listens nowhere.
            serverFromString(cast(Any, None), description)
        except Exception:
            raise NotAllowedError(_ENDPOINT) from None
        number = re.match(r"(?:tcp6?|ssl):(?:port=)?(\d+)", description)
        exists = number is None or int(number[1]) <= 65535
        _require(exists, f"{_ENDPOINT}; there are 65535 ports")
    return description


_LOOPBACK = {"tcp": "127.0.0.1", "ssl": "127.0.0.1", "tcp6": r"\:\:1"}


def local_endpoint(value: Any) -> str:
    """An endpoint that is on the loopback interface unless it names another."""
    description = endpoint(value)
    kind = description.partition(":")[0]
    _require(
        kind in ("", "unix", "systemd", *_LOOPBACK),
        "must be a server endpoint of one of the kinds tcp, tcp6, ssl, unix, systemd",
    )
    if kind not in _LOOPBACK or re.search(r"(?<!\\):interface=[^:]", description):
        return description
    return endpoint(f"{description}:interface={_LOOPBACK[kind]}")


def is_on_loopback(endpoint: str) -> bool:
    """Whether only this machine can connect to a server endpoint, as far as its text tells."""
    kind = endpoint.partition(":")[0]
    if kind not in _LOOPBACK:
        return True  # It is a UNIX socket, or one that systemd opens.
    named = re.search(r"(?<!\\):interface=((?:\\.|[^:\\])*)", endpoint)
    try:
        return named is not None and ipaddress.ip_address(named[1].replace("\\:", ":")).is_loopback
    except ValueError:
        return False
