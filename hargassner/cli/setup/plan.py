"""Which files and commands it takes, given what was seen and what was answered."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hargassner.cli.setup import files
from hargassner.cli.setup.machine import DNSMASQ, Networking, Seen
from hargassner.cli.setup.steps import RunCommand, Step, WriteFile

FOLDER = Path("/etc/hargassner")
GROUP = "hargassner"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the owner wants.

    Attributes:
        with_gateway: whether the maker's gateway is to stand behind the bridge.
        gateway_interface: the port towards the home's network; with a gateway only.
        boiler_interface: the port towards the boiler; "" where its address is known or any will do.
        boiler_host: the boiler's address; "" = found.
        fixed_address: whether the boiler's port gets an address of the boiler's network.
        dhcp: whether this machine gives the boiler its address.
        network: the boiler's network, where one of both is so.
        mqtt_url: the broker; "" for none.
        mqtt_username: the user there.
        mqtt_password: the password there.
        language: of names.
        page: the page's endpoint.
        instance: the name of one of several bridges; "" for the only one.
        start: whether the service is started.
    """

    with_gateway: bool = True
    gateway_interface: str = ""
    boiler_interface: str = ""
    boiler_host: str = ""
    fixed_address: bool = False
    dhcp: bool = False
    network: str = files.BOILER_NETWORK
    mqtt_url: str = ""
    mqtt_username: str = ""
    mqtt_password: str = ""
    language: str = "en"
    page: str = ""
    instance: str = ""
    start: bool = True

    @property
    def config_path(self) -> Path:
        """The configuration file of this bridge."""
        return FOLDER / f"{self.instance or 'hargassner'}.toml"

    @property
    def password_path(self) -> Path:
        """The file with the password of the broker."""
        suffix = f"-{self.instance}" if self.instance else ""
        return FOLDER / f"mqtt-password{suffix}"

    @property
    def unit(self) -> str:
        """The service of this bridge."""
        name = f"hargassner-bridge@{self.instance}" if self.instance else "hargassner-bridge"
        return f"{name}.service"


def plan(answers: Answers, seen: Seen) -> list[Step]:
    """The steps, in their order."""
    again = RunCommand(("systemctl", "try-restart", answers.unit), "if it runs, start it anew")
    then = (again,) if seen.has_service else ()
    group = GROUP if seen.has_user else ""
    return [
        *_boiler_network(answers, seen),
        *_password(answers, group, then),
        WriteFile(answers.config_path, configuration(answers), 0o644, group, then=then),
        *_start(answers, seen),
    ]


def _start(answers: Answers, seen: Seen) -> Iterator[Step]:
    if answers.start and seen.has_service:
        words = ("systemctl", "enable", "--now", answers.unit)
        yield RunCommand(words, "start it, now and with the machine")


def _boiler_network(answers: Answers, seen: Seen) -> Iterator[Step]:
    """The network between this machine and the boiler, which is there only with a gateway."""
    if answers.fixed_address:
        yield from _address(answers, seen)
    if answers.dhcp:
        yield from _dhcp(answers, seen)


def _password(answers: Answers, group: str, then: tuple[RunCommand, ...]) -> Iterator[Step]:
    """The file with the broker's password, if there is one."""
    if answers.mqtt_password:
        content = f"{answers.mqtt_password}\n"
        mode = 0o640 if group else 0o600
        yield WriteFile(answers.password_path, content, mode, group, secret=True, then=then)


def configuration(answers: Answers) -> str:
    """The bridge's configuration."""
    return files.configuration(_sections(answers))


def _sections(answers: Answers) -> Mapping[str, Mapping[str, object]]:
    return {
        "gateway": _gateway(answers),
        "boiler": {
            "interface": answers.boiler_interface,
            "host": answers.boiler_host,
        },
        "mqtt": {
            "url": answers.mqtt_url,
            "username": answers.mqtt_username,
            "password_file": str(answers.password_path) if answers.mqtt_password else "",
            "node": _identifier(answers.instance),
        },
        "homeassistant": {"language": answers.language if answers.language != "en" else ""},
        "web": {"listen": answers.page},
    }


def _gateway(answers: Answers) -> Mapping[str, object]:
    return {"interface": answers.gateway_interface} if answers.with_gateway else {"enabled": False}


def _identifier(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)


class _FixedAddress(NamedTuple):
    """The file that gives an interface an address, and what makes that take effect."""

    path: Path
    content: Callable[[str, str], str]
    mode: int
    commands: tuple[str, ...]


_ADDRESSES = {
    Networking.NETWORK_MANAGER: _FixedAddress(
        Path("/etc/NetworkManager/system-connections/hargassner-boiler.nmconnection"),
        files.network_manager,
        0o600,
        ("nmcli connection reload", "nmcli connection up hargassner-boiler"),
    ),
    Networking.NETWORKD: _FixedAddress(
        Path("/etc/systemd/network/20-hargassner-boiler.network"),
        files.networkd,
        0o644,
        ("networkctl reload",),
    ),
    Networking.IFUPDOWN: _FixedAddress(
        Path("/etc/network/interfaces.d/hargassner-boiler"),
        files.ifupdown,
        0o644,
        ("ifup {interface}",),
    ),
}


def _address(answers: Answers, seen: Seen) -> list[Step]:
    """A fixed address for the boiler's port."""
    if seen.networking not in _ADDRESSES:
        return []
    path, content, mode, commands = _ADDRESSES[seen.networking]
    interface = answers.boiler_interface
    why = f"give {interface} its address"
    then = tuple(
        RunCommand(tuple(each.format(interface=interface).split()), why) for each in commands
    )
    return [WriteFile(path, content(interface, answers.network), mode, then=then)]


def _dhcp(answers: Answers, seen: Seen) -> list[Step]:
    """An address for the boiler."""
    content = files.dnsmasq(answers.boiler_interface, answers.network)
    restart = RunCommand(("systemctl", "restart", "dnsmasq"), "have dnsmasq give addresses")
    if seen.has_dnsmasq:
        return [WriteFile(DNSMASQ, content, then=(restart,))]
    # With the file there before it, it does nothing else from its first moment.
    words = ("apt-get", "install", "--yes", "--no-install-recommends", "dnsmasq")
    install = RunCommand(words, "install what gives the boiler its address")
    return [WriteFile(DNSMASQ, content), install]
