"""What there is in the console of the manhole: the bridge's parts, and functions that print."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime

from hargassner.discovery import address_of
from hargassner.parts import GatewayParts, Parts
from hargassner.terminal import columns

_SHOWN = 30
"""Lines of dialogue and log."""


def namespace(parts: Parts) -> dict[str, object]:
    """The names in the console: the bridge, its parts, and the helpers."""
    helpers = Helpers(parts)
    return {
        "bridge": parts,
        "boiler": parts.boiler,
        "journal": parts.journal,
        "broker": parts.broker,
        **_of_gateway(parts.gateway),
        **{each.__name__: each for each in helpers.all},
    }


def _of_gateway(gateway: GatewayParts | None) -> dict[str, object]:
    return {} if gateway is None else {"proxy": gateway.proxy, "control": gateway.control}


class Helpers:
    """Functions that print what is known, for people; ``help`` shows their docstrings.

    Args:
        parts: what they print of.
    """

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
            *([self.sessions] if self._parts.gateway else []),
            self.channels,
            self.settings,
            self.faults,
            self.counters,
            self.dialogue,
            self.log,
        )

    def help(self) -> None:
        """what there is in here"""
        rows = [(f"{each.__name__}()", each.__doc__) for each in self.all]
        rows += [
            ("bridge", "what the bridge is made of; its parts are its attributes"),
            ("boiler", "the model: boiler.channels, boiler.settings, boiler.faults ..."),
            ("journal", "the last lines: journal.dialogue, journal.lines"),
            ("broker", "the link to the broker, or None: broker.status, broker.counters"),
        ]
        if self._parts.gateway is not None:
            rows += [
                ("proxy", "the telnet port: proxy.sessions, proxy.counters"),
                ("control", 'changes settings: control.set_parameter("PR001", "Auto")'),
            ]
        print(columns(rows))
        print("Anything else is Python. Ctrl-D leaves.")

    def status(self) -> None:
        """who is there, and whether data flow"""
        boiler = self._parts.boiler
        devices = self._parts.devices
        availability = boiler.availability
        session = availability.session
        broker = self._parts.broker
        link = "none configured" if broker is None else f"{broker.status.state} {broker.status.url}"
        heard = address_of(devices.gateway) or "not heard yet"
        print(
            columns(
                [
                    ("gateway", heard if self._parts.gateway else "none configured"),
                    ("boiler", address_of(devices.boiler) or "not heard yet"),
                    ("model", boiler.identity.model or "not known yet"),
                    ("firmware", boiler.identity.firmware or "not known yet"),
                    ("session", f"{session.number}, logged in" if session else "none"),
                    ("telemetry", "flows" if availability.telemetry else "does not flow"),
                    ("since", self._time(availability.telemetry_since)),
                    ("broker", link),
                ]
            )
        )

    def sessions(self) -> None:
        """the connections through the bridge"""
        gateway = self._parts.gateway
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
                for each in (gateway.proxy.sessions.values() if gateway else ())
            ),
        )

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
        gateway = self._parts.gateway
        rows: list[tuple[str, str, int]] = []
        if gateway is not None:
            rows += _counted("proxy", gateway.proxy.counters)
            rows += _counted("relay", gateway.relay.counters)
        rows.append(("dialogue", "unreadable", self._parts.interpreter.unreadable))
        print(columns(rows))

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


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    body = list(rows)
    print(columns([head, *body]) if body else "none")


def _last(rows: Sequence[Sequence[object]], count: int) -> None:
    print(columns(rows[-count:]) if count > 0 and rows else "none")


def _counted(name: str, counters: object) -> Iterator[tuple[str, str, int]]:
    for each in fields(counters):  # type: ignore[arg-type]
        yield name, each.name.replace("_", " "), getattr(counters, each.name)


def _has(part: str, *names: str) -> bool:
    return any(part.lower() in name.lower() for name in names)
