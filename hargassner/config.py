"""The configuration: one TOML file, read into values or refused in one line.

Every key is optional.  Whatever is in the file is checked before anything
starts, the sections of views that are switched off included, so that a mistake
shows on the day it is made.
"""

import ipaddress
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from twisted.internet.endpoints import serverFromString
from twisted.python.usage import UsageError

T = TypeVar("T")


class ConfigError(UsageError):
    """The configuration cannot be used; the message is the line that the user reads."""


class NotAllowedError(ValueError):
    """A value is not allowed; the message says what is."""


def _refuse(allowed: str) -> NotAllowedError:
    return NotAllowedError(allowed)


# Checks: each takes what TOML gave and returns it typed, or says what is allowed.


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise _refuse("must be a text in quotes")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refuse("must be a text in quotes, not empty")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse("must be true or false")
    return value


def _port(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise _refuse("must be a port number from 1 to 65535")
    return value


def _interface(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s/\0]{0,15}", value):
        raise _refuse('must be the name of a network interface, such as "eth0", or ""')
    return value


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def _is_host_address(text: str) -> bool:
    """Whether one host can have this address."""
    address = _ipv4(text)
    return address is not None and not (
        address.is_unspecified or address.is_multicast or address.is_reserved
    )


def _own_address(value: Any) -> str:
    if value in ("", "0.0.0.0"):  # noqa: S104 - that is how many write "any".
        return ""
    if not isinstance(value, str) or not _is_host_address(value):
        raise _refuse('must be an IPv4 address of this machine, such as "192.168.1.2", or ""')
    return value


def _address(value: Any) -> str:
    address = _ipv4(value) if isinstance(value, str) else None
    if address is None or address.is_unspecified:
        raise _refuse('must be an IPv4 address, such as "255.255.255.255"')
    return str(address)


_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def _is_host_name(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    return len(text) <= 253 and all(_LABEL.fullmatch(each) for each in labels)


def _is_host(text: str) -> bool:
    looks_like_address = re.fullmatch(r"[0-9.]+", text)
    return _is_host_address(text) if looks_like_address else _is_host_name(text)


def _host(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or _is_host(value)):
        raise _refuse('must be an IPv4 address or a host name, or ""')
    return value


def _hosts(value: Any) -> tuple[str, ...]:
    wanted = 'must be a list of host names and addresses, without ports, such as ["pi.fritz.box"]'
    if not isinstance(value, list):
        raise _refuse(wanted)
    hosts = []
    for each in value:
        if not isinstance(each, str):
            raise _refuse(wanted)
        try:
            hosts.append(str(ipaddress.ip_address(each)))
        except ValueError:
            if not _is_host(each):
                raise _refuse(wanted) from None
            hosts.append(each.lower().removesuffix("."))
    return tuple(dict.fromkeys(hosts))


def _allow(value: Any) -> tuple[str, ...]:
    wanted = 'must be a list of "igw", "any", IPv4 addresses and networks such as "192.168.1.0/24"'
    if not isinstance(value, list):
        raise _refuse(wanted)
    for each in value:
        if each in ("igw", "any"):
            continue
        try:
            if not isinstance(each, str):
                raise ValueError
            ipaddress.IPv4Network(each)
        except ValueError:
            raise _refuse(wanted) from None
    return tuple(value)


def _broker(value: Any) -> str:
    wanted = 'must be mqtt://HOST:PORT or mqtts://HOST:PORT, or "" for no MQTT'
    if not isinstance(value, str):
        raise _refuse(wanted)
    if value == "":
        return value
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        sound = (
            parts.scheme in ("mqtt", "mqtts")
            and (_is_host(host) or ":" in host)
            and parts.port != 0
            and not re.search(r"\s", value)
            and parts.path in ("", "/")
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        sound = False
    if not sound:
        raise _refuse(wanted)
    if parts.username is not None or parts.password is not None:
        raise _refuse(f"{wanted}; the user and the password have keys of their own")
    return value


def _topic(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not value.strip("/")
        or value != value.strip("/")
        or re.search(r"[+#\0\s]", value)
    ):
        raise _refuse("must be an MQTT topic without wildcards, blanks and outer slashes")
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z0-9_-]+", value):
        raise _refuse("must be letters, digits, _ and - only")
    return value


def _one_of(*options: str) -> Callable[[object], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            quoted = ", ".join(f'"{each}"' for each in options)
            raise _refuse(f"must be one of {quoted}")
        return value

    return check


def _number(low: float, high: float, unit: str = "") -> Callable[[object], float]:
    def check(value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise _refuse(f"must be a number from {low:g} to {high:g}{unit}")
        return float(value)

    return check


def _places(value: Any) -> tuple[int, ...]:
    sound = isinstance(value, list) and all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 10_000
        for each in value
    )
    if not sound or len(set(value)) != len(value):
        raise _refuse("must be a list of different places, counted from 0, such as [59, 94]")
    return tuple(sorted(value))


def _parameters(value: Any) -> tuple[str, ...]:
    sound = isinstance(value, list) and all(
        isinstance(each, str) and re.fullmatch(r"[A-Za-z0-9]{1,16}", each) for each in value
    )
    if not sound:
        raise _refuse('must be a list of the boiler\'s parameter ids, such as ["PR001", "4"]')
    return tuple(dict.fromkeys(value))


def _endpoint(value: Any) -> str:
    wanted = 'must be a Twisted server endpoint, such as "tcp:8080:interface=127.0.0.1", or ""'
    if not isinstance(value, str):
        raise _refuse(wanted)
    if value:
        try:
            # Only the description is wanted; it listens nowhere without a reactor.
            serverFromString(cast(Any, None), value)
        except Exception:
            raise _refuse(wanted) from None
        port = re.match(r"(?:tcp6?|ssl):(?:port=)?(\d+)", value)
        if port and int(port[1]) > 65535:
            raise _refuse(f"{wanted}; there are 65535 ports")
    return value


_LOOPBACK = {"tcp": "127.0.0.1", "ssl": "127.0.0.1", "tcp6": r"\:\:1"}


def _local_endpoint(value: Any) -> str:
    """An endpoint that is on the loopback interface unless it names another."""
    description = _endpoint(value)
    kind = description.partition(":")[0]
    if kind not in ("", "unix", "systemd", *_LOOPBACK):
        raise _refuse("must be a server endpoint of one of the kinds tcp, tcp6, ssl, unix, systemd")
    if kind not in _LOOPBACK or re.search(r"(?<!\\):interface=[^:]", description):
        return description
    return _endpoint(f"{description}:interface={_LOOPBACK[kind]}")


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


def _setting(default: T, check: Callable[[Any], T], *, secret: bool = False) -> T:
    return field(default=default, repr=not secret, metadata={"check": check})


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """``[gateway]``: the network where the Internet gateway (IGW) is."""

    interface: str = _setting("", _interface)
    address: str = _setting("", _own_address)
    telnet_port: int = _setting(23, _port)
    allow: tuple[str, ...] = _setting(("igw",), _allow)
    broadcast: str = _setting("255.255.255.255", _address)


@dataclass(frozen=True, slots=True)
class BoilerConfig:
    """``[boiler]``: the boiler's own network."""

    interface: str = _setting("", _interface)
    address: str = _setting("", _own_address)
    host: str = _setting("", _host)
    telnet_port: int = _setting(23, _port)
    broadcast: str = _setting("255.255.255.255", _address)
    direct_telemetry: bool = _setting(True, _flag)


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    """``[discovery]``: the UDP ports, the same on both sides."""

    boiler_port: int = _setting(35601, _port)
    gateway_port: int = _setting(50000, _port)
    boiler_diagnostics_port: int = _setting(50001, _port)
    gateway_diagnostics_port: int = _setting(50002, _port)


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """``[mqtt]``: the broker, and the names of this boiler there."""

    url: str = _setting("", _broker)
    username: str = _setting("", _text)
    password: str = _setting("", _text, secret=True)
    password_file: str = _setting("", _text)
    ca_file: str = _setting("", _text)
    client_certificate: str = _setting("", _text)
    client_key: str = _setting("", _text)
    topic_prefix: str = _setting("hargassner", _topic)
    node: str = _setting("boiler", _identifier)


@dataclass(frozen=True, slots=True)
class HomeAssistantConfig:
    """``[homeassistant]``: how entities are announced and named."""

    discovery: str = _setting("device", _one_of("device", "entity", "off"))
    prefix: str = _setting("homeassistant", _topic)
    language: str = _setting("en", _one_of("en", "de", "fr"))
    entities: str = _setting("standard", _one_of("standard", "all"))


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """``[telemetry]``: how often values are published (seconds), and what the descriptor hides."""

    interval: float = _setting(10.0, _number(0, 86_400, " seconds"))
    hidden: tuple[int, ...] = _setting((), _places)


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """``[control]``: the parameters that can be set, and how long (seconds) an answer may take."""

    parameters: tuple[str, ...] = _setting(
        ("PR001", "PR011", "PR012", "PR040", "4", "5", "7", "8", "A6d"), _parameters
    )
    timeout: float = _setting(5.0, _number(0.1, 60, " seconds"))


@dataclass(frozen=True, slots=True)
class EnergyConfig:
    """``[energy]``: what a kilogram of pellets is worth (kWh), and the boiler's efficiency."""

    pellet_kwh_per_kg: float = _setting(4.8, _number(0.1, 20))
    efficiency: float = _setting(0.9, _number(0.01, 1.2))


@dataclass(frozen=True, slots=True)
class WebConfig:
    """``[web]``: where the status page listens, and further names by which it is asked for."""

    listen: str = _setting("tcp:8080:interface=127.0.0.1", _endpoint)
    hosts: tuple[str, ...] = _setting((), _hosts)


@dataclass(frozen=True, slots=True)
class ManholeConfig:
    """``[manhole]``: the way in for whoever looks after the program itself."""

    listen: str = _setting("", _local_endpoint)
    username: str = _setting("admin", _name)
    password: str = _setting("", _text, secret=True)


@dataclass(frozen=True, slots=True)
class StateConfig:
    """``[state]``: where what must survive a restart is kept."""

    directory: str = _setting("", _text)


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """``[recording]``: where dialogues are recorded."""

    directory: str = _setting("", _text)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; its fields are the file's sections."""

    gateway: GatewayConfig = GatewayConfig()
    boiler: BoilerConfig = BoilerConfig()
    discovery: DiscoveryConfig = DiscoveryConfig()
    mqtt: MqttConfig = MqttConfig()
    homeassistant: HomeAssistantConfig = HomeAssistantConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    control: ControlConfig = ControlConfig()
    energy: EnergyConfig = EnergyConfig()
    web: WebConfig = WebConfig()
    manhole: ManholeConfig = ManholeConfig()
    state: StateConfig = StateConfig()
    recording: RecordingConfig = RecordingConfig()


_SECRET = re.compile("pass|secret|token|key", re.IGNORECASE)


def _line(text: str) -> str:
    """The text as one line that a terminal shows harmlessly, cut where it is very long."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _shown(value: Any) -> str:
    """A value as the user wrote it, without the secrets that may be in it."""
    match value:
        case str():
            return _line(f'"{re.sub("//.*@", "//…@", value)}"')
        case bool():
            return str(value).lower()
        case Mapping():
            return "{…}"
        case list():
            return _line(f"[{', '.join(_shown(each) for each in value[:40])}]")
        case int() if value.bit_length() > 256:
            return "(a very large number)"
    return _line(str(value))


def _section(cls: Callable[..., T], name: str, known: tuple[Field[Any], ...], given: object) -> T:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{name} = {_shown(given)}: must be a section, [{name}]")
    settings = {each.name: each for each in known}
    values = {}
    for key, value in given.items():
        setting = settings.get(key)
        if setting is None:
            # It may be a misspelt password.
            shown = "…" if _SECRET.search(key) else _shown(value)
            raise ConfigError(
                f"{name}.{_line(key)} = {shown}: unknown key; [{name}] takes {', '.join(settings)}"
            )
        try:
            values[key] = setting.metadata["check"](value)
        except NotAllowedError as wrong:
            shown = _shown(value) if setting.repr else "…"
            raise ConfigError(f"{name}.{key} = {shown}: {wrong}") from None
    return cls(**values)


def _check_sides(gateway: GatewayConfig, boiler: BoilerConfig) -> None:
    """Refuse two sides that nothing tells apart."""
    same_address = boiler.address == gateway.address
    if boiler.interface and boiler.interface == gateway.interface:
        if same_address or not (boiler.address and gateway.address):
            raise ConfigError(
                f"boiler.interface = {_shown(boiler.interface)}: must be another interface than "
                "gateway.interface, or each side needs an address of its own there "
                "(gateway.address, boiler.address)"
            )
    elif same_address and boiler.address and not (boiler.interface and gateway.interface):
        raise ConfigError(
            f"boiler.address = {_shown(boiler.address)}: must be another address than "
            "gateway.address, or each side needs an interface (gateway.interface, boiler.interface)"
        )


def _check_together(config: Config) -> None:
    """Refuse what is right key by key and impossible together."""
    _check_sides(config.gateway, config.boiler)
    for one, other in combinations(fields(DiscoveryConfig), 2):
        port = getattr(config.discovery, one.name)
        if port == getattr(config.discovery, other.name):
            given, taken = (other, one) if port == one.default else (one, other)
            raise ConfigError(
                f"discovery.{given.name} = {port}: must be another port than discovery.{taken.name}"
            )
    if config.mqtt.password and config.mqtt.password_file:
        raise ConfigError(
            f"mqtt.password_file = {_shown(config.mqtt.password_file)}: "
            "must be empty when mqtt.password is given"
        )
    if bool(config.mqtt.client_certificate) != bool(config.mqtt.client_key):
        raise ConfigError(
            f"mqtt.client_key = {_shown(config.mqtt.client_key)}: "
            "mqtt.client_certificate and mqtt.client_key must be given together"
        )
    if config.manhole.listen and not config.manhole.password:
        raise ConfigError('manhole.password = "": must not be empty when manhole.listen is given')


def config_from(document: Mapping[str, object]) -> Config:
    """The configuration that a parsed TOML document describes.

    Raises:
        ConfigError: a key is unknown, or a value of the wrong type or impossible; the message
            names the key, the value and what is allowed.
    """
    sections: dict[str, Any] = {each.name: each.type for each in fields(Config)}
    values = {}
    for name, given in document.items():
        if name not in sections:
            raise ConfigError(f"{_line(name)}: unknown section; there are {', '.join(sections)}")
        cls = sections[name]
        values[name] = _section(cls, name, fields(cls), given)
    config = Config(**values)
    _check_together(config)
    return config


def load_config(path: Path) -> Config:
    """Read and check the configuration file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or says something impossible; the
            message is one line that begins with the file's path.
    """
    try:
        # Some editors put a byte order mark before UTF-8.
        document = tomllib.loads(path.read_bytes().removeprefix(BOM_UTF8).decode())
    except OSError as wrong:
        raise ConfigError(f"{path}: cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError as wrong:
        raise ConfigError(f"{path}: is not TOML: not UTF-8 at byte {wrong.start + 1}") from None
    except (ValueError, RecursionError) as wrong:
        # Not only TOMLDecodeError: a number with too many digits is a plain ValueError.
        raise ConfigError(f"{path}: is not TOML: {_line(str(wrong))}") from None
    try:
        return config_from(document)
    except ConfigError as wrong:
        raise ConfigError(f"{path}: {wrong}") from None


def find_config(environment: Mapping[str, str], directory: Path) -> Path:
    """The file to read when none is named: ``$HARGASSNER_CONFIG``, else the nearest default.

    Raises:
        ConfigError: there is none; the message says where one was looked for.
    """
    named = environment.get("HARGASSNER_CONFIG")
    if named:
        return Path(named)
    places = (directory / "hargassner.toml", Path("/etc/hargassner/hargassner.toml"))
    for place in places:
        if _is_there(place):
            return place
    looked = " nor ".join(str(place) for place in places)
    raise ConfigError(
        f"no configuration: $HARGASSNER_CONFIG is not set, and neither {looked} exists"
    )


def _is_there(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        return True  # It is behind a directory that may not be read: reading it says so.
