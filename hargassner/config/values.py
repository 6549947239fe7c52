"""The sections of the configuration, their keys and their defaults."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from hargassner.config import checks

T = TypeVar("T")


def _setting(default: T, check: Callable[[Any], T], *, secret: bool = False) -> T:
    return field(default=default, repr=not secret, metadata={"check": check})


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """``[gateway]``: the network where the Internet gateway (IGW) is."""

    enabled: bool = _setting(True, checks.flag)
    interface: str = _setting("", checks.interface)
    address: str = _setting("", checks.own_address)
    telnet_port: int = _setting(23, checks.port)
    allow: tuple[str, ...] = _setting(("igw",), checks.allow)
    broadcast: str = _setting("255.255.255.255", checks.address)
    forward: tuple[int, ...] = _setting((), checks.ports)
    forward_allow: tuple[str, ...] = _setting((), checks.forward_allow)


@dataclass(frozen=True, slots=True)
class BoilerConfig:
    """``[boiler]``: the boiler's own network."""

    interface: str = _setting("", checks.interface)
    address: str = _setting("", checks.own_address)
    host: str = _setting("", checks.host)
    telnet_port: int = _setting(23, checks.port)
    broadcast: str = _setting("255.255.255.255", checks.address)
    direct_telemetry: bool = _setting(True, checks.flag)
    descriptor: str = _setting("", checks.text)


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    """``[discovery]``: the UDP ports, the same on both sides."""

    boiler_port: int = _setting(35601, checks.port)
    gateway_port: int = _setting(50000, checks.port)
    boiler_diagnostics_port: int = _setting(50001, checks.port)
    gateway_diagnostics_port: int = _setting(50002, checks.port)


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """``[mqtt]``: the broker, and the names of this boiler there."""

    url: str = _setting("", checks.broker)
    username: str = _setting("", checks.text)
    password: str = _setting("", checks.text, secret=True)
    password_file: str = _setting("", checks.text)
    ca_file: str = _setting("", checks.text)
    client_certificate: str = _setting("", checks.text)
    client_key: str = _setting("", checks.text)
    topic_prefix: str = _setting("hargassner", checks.topic)
    node: str = _setting("boiler", checks.identifier)


@dataclass(frozen=True, slots=True)
class HomeAssistantConfig:
    """``[homeassistant]``: how entities are announced and named."""

    discovery: str = _setting("device", checks.one_of("device", "entity", "off"))
    prefix: str = _setting("homeassistant", checks.topic)
    language: str = _setting("en", checks.one_of("en", "de", "fr"))
    entities: str = _setting("standard", checks.one_of("standard", "all"))


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """``[telemetry]``: how often values are published (seconds), and what the descriptor hides."""

    interval: float = _setting(10.0, checks.number(0, 86_400, " seconds"))
    hidden: Literal["auto"] | tuple[int, ...] = _setting("auto", checks.hidden)


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """``[control]``: the parameters that can be set, whether they can be while somebody operates
    the boiler's display, and how long (seconds) an answer may take.
    """

    parameters: tuple[str, ...] = _setting(("auto",), checks.parameters)
    while_display_in_use: str = _setting("allow", checks.one_of("allow", "refuse"))
    timeout: float = _setting(5.0, checks.number(0.1, 60, " seconds"))


@dataclass(frozen=True, slots=True)
class EnergyConfig:
    """``[energy]``: whether energy is counted, what a kilogram of pellets is worth (kWh), and the
    boiler's efficiency.
    """

    enabled: bool = _setting(True, checks.flag)
    pellet_kwh_per_kg: float = _setting(4.8, checks.number(0.1, 20))
    efficiency: float = _setting(0.9, checks.number(0.01, 1.2))


@dataclass(frozen=True, slots=True)
class WebConfig:
    """``[web]``: where the status page listens, and further names by which it is asked for."""

    listen: str = _setting("tcp:8080:interface=127.0.0.1", checks.endpoint)
    hosts: tuple[str, ...] = _setting((), checks.hosts)


@dataclass(frozen=True, slots=True)
class ManholeConfig:
    """``[manhole]``: the console of the running program."""

    listen: str = _setting("", checks.local_endpoint)
    username: str = _setting("admin", checks.name)
    password: str = _setting("", checks.text, secret=True)


@dataclass(frozen=True, slots=True)
class StateConfig:
    """``[state]``: where what must survive a restart is kept."""

    directory: str = _setting("", checks.text)


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """``[recording]``: where dialogues are recorded."""

    directory: str = _setting("", checks.text)


@dataclass(frozen=True, slots=True)
class HistoryConfig:
    """``[history]``: whether the main values are kept for years, in the state directory."""

    enabled: bool = _setting(True, checks.flag)


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
    history: HistoryConfig = HistoryConfig()
