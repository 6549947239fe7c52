"""Reading the file: its sections into values, and what does not go together."""

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from twisted.python.usage import UsageError

from hargassner.config.checks import NotAllowedError
from hargassner.config.values import (
    BoilerConfig,
    Config,
    DiscoveryConfig,
    GatewayConfig,
    ManholeConfig,
    MqttConfig,
)
from hargassner.config.wording import explained

T = TypeVar("T")


class ConfigError(UsageError):
    """The configuration cannot be used; the message is the line that the user reads."""


_SECRET = re.compile("pass|secret|token|key", re.IGNORECASE)


def _line(text: str, longest: int = 80) -> str:
    """The text as one printable line, cut where it is longer than so many characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


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
            return _line(f"[{', '.join(map(_shown, value[:40]))}]")
        case int() if value.bit_length() > 256:
            return "(a very large number)"
    return _line(str(value))


def _section(name: str, given: object, sections: Mapping[str, Any]) -> Any:
    """A section with its values, each checked and typed."""
    if name not in sections:
        raise ConfigError(f"{_line(name)}: {_misplaced(name, given, sections)}")
    if not isinstance(given, Mapping):
        raise ConfigError(f"{name} = {_shown(given)}: must be a section, [{name}]")
    settings = {each.name: each for each in fields(sections[name])}
    values = {key: _checked(name, key, value, settings) for key, value in given.items()}
    return sections[name](**values)


def _unknown_key(section: str, key: str, value: object, known: Iterable[str]) -> ConfigError:
    # It may be a misspelt password.
    shown = "…" if _SECRET.search(key) else _shown(value)
    return ConfigError(
        f"{section}.{_line(key)} = {shown}: unknown key; [{section}] takes {', '.join(known)}"
    )


def _checked(section: str, key: str, value: object, settings: Mapping[str, Field[Any]]) -> Any:
    """The value of a key, typed."""
    setting = settings.get(key)
    if setting is None:
        raise _unknown_key(section, key, value, settings)
    try:
        return setting.metadata["check"](value)
    except NotAllowedError as wrong:
        shown = _shown(value) if setting.repr else "…"
        raise ConfigError(f"{section}.{key} = {shown}: {wrong}") from None


# What is right key by key and impossible together.


def _refuse(wrong: object, message: str) -> None:
    if wrong:
        raise ConfigError(message)


def _check_sides(gateway: GatewayConfig, boiler: BoilerConfig) -> None:
    """Refuse two sides that nothing tells apart."""
    same_address = boiler.address == gateway.address
    two_addresses = all((boiler.address, gateway.address, not same_address))
    two_interfaces = all((boiler.interface, gateway.interface))
    same_interface = two_interfaces and boiler.interface == gateway.interface
    _refuse(
        same_interface and not two_addresses,
        f"boiler.interface = {_shown(boiler.interface)}: must be another interface than "
        "gateway.interface, or each side needs an address of its own there "
        "(gateway.address, boiler.address)",
    )
    _refuse(
        all((same_address, boiler.address, not two_interfaces)),
        f"boiler.address = {_shown(boiler.address)}: must be another address than "
        "gateway.address, or each side needs an interface (gateway.interface, boiler.interface)",
    )


def _check_telemetry_only(boiler: BoilerConfig) -> None:
    """Refuse a bridge that would read nothing."""
    _refuse(
        not boiler.direct_telemetry,
        "boiler.direct_telemetry = false: must be true when gateway.enabled is false, or "
        "nothing is read",
    )


def _check_forward(gateway: GatewayConfig) -> None:
    """Refuse to forward the telnet port, which the gateway's dialogue needs."""
    _refuse(
        gateway.telnet_port in gateway.forward,
        f"gateway.forward = {list(gateway.forward)}: must not have "
        f"gateway.telnet_port ({gateway.telnet_port}), which passes already",
    )


def _check_ports(discovery: DiscoveryConfig) -> None:
    """Refuse two discovery ports that are one; the key that was changed is to be corrected."""
    for one, other in combinations(fields(DiscoveryConfig), 2):
        port = getattr(discovery, one.name)
        given, taken = (other, one) if port == one.default else (one, other)
        _refuse(
            port == getattr(discovery, other.name),
            f"discovery.{given.name} = {port}: must be another port than discovery.{taken.name}",
        )


def _check_mqtt(mqtt: MqttConfig) -> None:
    """Refuse two passwords, and half a client certificate."""
    _refuse(
        mqtt.password and mqtt.password_file,
        f"mqtt.password_file = {_shown(mqtt.password_file)}: "
        "must be empty when mqtt.password is given",
    )
    _refuse(
        bool(mqtt.client_certificate) != bool(mqtt.client_key),
        f"mqtt.client_key = {_shown(mqtt.client_key)}: "
        "mqtt.client_certificate and mqtt.client_key must be given together",
    )


def _check_manhole(manhole: ManholeConfig) -> None:
    """Refuse a manhole that is open to everybody."""
    _refuse(
        manhole.listen and not manhole.password,
        'manhole.password = "": must not be empty when manhole.listen is given',
    )


# The whole.


def _misplaced(name: str, given: object, sections: Mapping[str, Any]) -> str:
    """What is wrong with a name at the top of the file that is no section's."""
    if isinstance(given, Mapping):
        return f"unknown section; there are {', '.join(sections)}"
    owners = [f"[{each}]" for each, cls in sections.items() if name in _keys(cls)]
    return f"must stand below a [section]: {' or '.join(owners) or ', '.join(sections)}"


def _keys(cls: Any) -> set[str]:
    return {each.name for each in fields(cls)}


def config_from(document: Mapping[str, object]) -> Config:
    """The configuration that a parsed TOML document describes.

    Raises:
        ConfigError: a key is unknown, or a value of the wrong type or impossible; the message
            names the key, the value and what is allowed.
    """
    sections: dict[str, Any] = {each.name: each.type for each in fields(Config)}
    config = Config(**{name: _section(name, given, sections) for name, given in document.items()})
    if config.gateway.enabled:
        _check_sides(config.gateway, config.boiler)
    else:
        _check_telemetry_only(config.boiler)
    _check_forward(config.gateway)
    _check_ports(config.discovery)
    _check_mqtt(config.mqtt)
    _check_manhole(config.manhole)
    return config


def load_config(path: Path) -> Config:
    """Read and check the configuration file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or says something impossible; the
            message is one line that begins with the file's path.
    """
    text = ""
    try:
        # Some editors put a byte order mark before UTF-8.
        text = path.read_bytes().removeprefix(BOM_UTF8).decode()
        document = tomllib.loads(text)
    except OSError as wrong:
        raise ConfigError(f"{path}: cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError as wrong:
        raise ConfigError(f"{path}: is not TOML: not UTF-8 at byte {wrong.start + 1}") from None
    except (ValueError, RecursionError) as wrong:
        # Not only TOMLDecodeError: a number with too many digits is a plain ValueError.
        raise ConfigError(f"{path}: {_line(explained(str(wrong), text), 160)}") from None
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
    for place in filter(_is_there, places):
        return place
    looked = " nor ".join(map(str, places))
    raise ConfigError(
        f"no configuration: $HARGASSNER_CONFIG is not set, and neither {looked} exists"
    )


def _is_there(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        return True  # It is behind a directory that may not be read: reading it says so.
