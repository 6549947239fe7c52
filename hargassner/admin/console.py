"""What there is in the console of the manhole: the bridge's parts, and functions that print."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from hargassner.boiler.sessions import Session
from hargassner.discovery import address_of
from hargassner.parts import GatewayParts, Parts
from hargassner.terminal import columns

_SHOWN = 30
"""Lines of dialogue and log."""


def namespace(parts: Parts) -> dict[str, object]:
    """The names in the console: the bridge, its parts, and the helpers."""
    gateway = parts.gateway
    helpers = Helpers(parts) if gateway is None else GatewayHelpers(parts, gateway)
    return {
        "bridge": parts,
        "boiler": parts.boiler,
        "journal": parts.journal,
        "broker": parts.broker,
        **helpers.parts_of_gateway,
        **{each.__name__: each for each in helpers.all},
    }


_NAMES = (
    ("bridge", "what the bridge is made of; its parts are its attributes"),
    ("boiler", "the model: boiler.channels, boiler.settings, boiler.faults ..."),
    ("journal", "the last lines: journal.dialogue, journal.lines"),
    ("broker", "the link to the broker, or None: broker.status, broker.counters"),
)
_NAMES_OF_GATEWAY = (
    ("proxy", "the telnet port: proxy.sessions, proxy.counters"),
    ("control", 'changes settings: control.set_parameter("PR001", "Auto")'),
)


class Helpers:
    """Functions that print what is known, for people; ``help`` shows their docstrings.

    Args:
        parts: what they print of.
    """

    parts_of_gateway: Mapping[str, object] = {}
    names: Sequence[tuple[str, str]] = _NAMES

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def _time(self, moment: float | None) -> str:
        """The date and the time of day of a moment, empty without one."""
        if moment is None:
            return ""
        date = self._parts.clock.date(moment)
        return datetime.fromtimestamp(date).isoformat(" ", "seconds")

    @property
    def all(self) -> tuple[Callable[..., None], ...]:
        """Every helper, in the order of ``help``."""
        return (
            self.help,
            self.status,
            self.channels,
            self.settings,
            self.faults,
            self.counters,
            self.dialogue,
            self.log,
        )

    def help(self) -> None:
        """what there is in here"""
        print(columns([*((f"{each.__name__}()", each.__doc__) for each in self.all), *self.names]))
        print("Anything else is Python. Ctrl-D leaves.")

    def status(self) -> None:
        """who is there, and whether data flow"""
        identity, availability = self._parts.boiler.identity, self._parts.boiler.availability
        rows = [
            ("gateway", self._gateway(), "not heard yet"),
            ("boiler", address_of(self._parts.devices.boiler), "not heard yet"),
            ("model", identity.model, "not known yet"),
            ("firmware", identity.firmware, "not known yet"),
            ("session", _session(availability.session), "none"),
            ("telemetry", "flows" if availability.telemetry else "does not flow", ""),
            ("since", self._time(availability.telemetry_since), ""),
            ("broker", self._link(), "none configured"),
        ]
        print(columns([(name, known or otherwise) for name, known, otherwise in rows]))

    def _gateway(self) -> str | None:
        return "none configured"

    def _link(self) -> str:
        link = self._parts.broker_status
        return f"{link.state} {link.url}" if link else ""

    def channels(self, part: str = "") -> None:
        """what the boiler measures; channels("TK"): those with TK in their name"""
        _table(
            ("channel", "name", "value", "unit", "since"),
            (
                (
                    each.object,
                    each.name,
                    "?" if each.text is None else each.text,
                    each.unit if each.connected else f"{each.unit} (nothing connected)",
                    self._time(each.since),
                )
                for each in self._parts.boiler.channels.values()
                if _has(part, each.name, each.object)
            ),
        )

    def settings(self, part: str = "") -> None:
        """how the boiler is set; settings("Zone"): those with Zone in their name"""
        _table(
            ("id", "name", "value", "since"),
            (
                (each.id, each.name, each.text, self._time(each.since))
                for each in self._parts.boiler.settings.values()
                if _has(part, each.name, each.id)
            ),
        )

    def faults(self) -> None:
        """what the boiler complains of"""
        _table(
            ("number", "fault", "since"),
            (
                ("" if each.number is None else each.number, each.text.en, self._time(each.since))
                for each in self._parts.boiler.faults
            ),
        )

    def counters(self) -> None:
        """what was counted since the start"""
        print(columns(self._counted()))

    def _counted(self) -> list[tuple[str, str, int]]:
        return [("dialogue", "unreadable", self._parts.interpreter.unreadable)]

    def dialogue(self, count: int = _SHOWN) -> None:
        """the last lines of gateway and boiler; dialogue(100): more of them"""
        lines = self._parts.journal.dialogue
        _last(
            [(self._time(each.at), each.session, each.direction, each.text) for each in lines],
            count,
        )

    def log(self, count: int = _SHOWN) -> None:
        """the last lines of the log; log(100): more of them"""
        lines = self._parts.journal.lines
        _last([(self._time(each.at), each.level, each.source, each.text) for each in lines], count)


class GatewayHelpers(Helpers):
    """The same where there is a gateway, with its sessions.

    Args:
        parts: what they print of.
        gateway: those between the gateway and the boiler.
    """

    names = (*_NAMES, *_NAMES_OF_GATEWAY)

    def __init__(self, parts: Parts, gateway: GatewayParts) -> None:
        super().__init__(parts)
        self.parts_of_gateway = {"proxy": gateway.proxy, "control": gateway.control}
        self._of_gateway = gateway

    @property
    def all(self) -> tuple[Callable[..., None], ...]:
        """Every helper, in the order of ``help``."""
        help_, status, *others = super().all
        return (help_, status, self.sessions, *others)

    def sessions(self) -> None:
        """the connections through the bridge"""
        _table(
            ("session", "client", "since", "logged in", "from gateway", "from boiler"),
            (
                (
                    each.number,
                    f"{each.address}:{each.port}",
                    self._time(each.opened),
                    "yes" if each.logged_in else "no",
                    f"{each.bytes_from_gateway} bytes",
                    f"{each.bytes_from_boiler} bytes",
                )
                for each in self._of_gateway.proxy.sessions.values()
            ),
        )

    def _gateway(self) -> str | None:
        return address_of(self._parts.devices.gateway)

    def _counted(self) -> list[tuple[str, str, int]]:
        proxy, relay = self._of_gateway.proxy.counters, self._of_gateway.relay.counters
        return [*_counts("proxy", proxy), *_counts("relay", relay), *super()._counted()]


def _session(session: Session | None) -> str:
    return f"{session.number}, logged in" if session else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    body = list(rows)
    print(columns([head, *body]) if body else "none")


def _last(rows: Sequence[Sequence[object]], count: int) -> None:
    print(columns(rows[-count:]) if count > 0 and rows else "none")


def _counts(name: str, counters: object) -> Iterable[tuple[str, str, int]]:
    for each in fields(counters):  # type: ignore[arg-type]
        yield name, each.name.replace("_", " "), getattr(counters, each.name)


def _has(part: str, *names: str) -> bool:
    return any(part.lower() in name.lower() for name in names)
