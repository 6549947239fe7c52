"""A boiler in a home, without a network: the model, a broker in memory, and the view between."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from hargassner.boiler.model import Boiler
from hargassner.config import Config, config_from
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import (
    Described,
    Event,
    Identified,
    LoggedIn,
    ModelEvent,
    ParameterSeen,
    SessionOpened,
    SessionOver,
    TelemetryLine,
)
from hargassner.dialogue.parameters import parse_parameter
from hargassner.homeassistant.announcements import REREAD
from hargassner.homeassistant.announcer import SETTLE
from hargassner.homeassistant.migration import MIGRATION_PAUSE
from hargassner.homeassistant.topics import Topics
from hargassner.homeassistant.view import HomeView
from hargassner.mqtt.testing import AskedControl, MemoryBroker
from hargassner.simulator.boiler.layout import standard_layout
from hargassner.simulator.boiler.parameters import standard_parameters
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SAVE_AFTER
from tests.cases import ClockCase
from tests.doubles.documents import document
from tests.doubles.hass_running import RunningHome
from tests.telling import tell

BASE = "hargassner/boiler"
NOW = 1_700_000_000

CHANNELS = (
    ("ZK", "", "0"),
    ("TK", "°C", "65.90"),
    ("TPo", "°C", "140"),
    ("TRA_1", "°C", "20.5"),
    ("Störungs Nr", "", "0"),
    ("Verbrauchszähler", "kg", "100"),
    ("Lagerstand", "kg", "2000"),
    ("Wünschelrute", "", "7"),
    ("TPu", "°C", "45.0"),
    ("TB1", "°C", "48.0"),
)
"""A small boiler's analog channels, with what they show at first."""

BITS = ("Störung", "STB", "HKP1")
"""Its digital channels, in the order of their bits."""

PARAMETERS = (
    "PR001;6;3;4;1;0;0;0;Mode;Manu;Arr;Ballon;Auto;Arr combustion",
    "PR011;6;1;5;1;0;0;0;Zone 1 Mode;Arr;Auto;Réduire;Confort;1x Confort;Refroid.",
    "PR040;6;0;1;0;0;0;0;Tampon charge;Non;Oui",
    "4;3;20.000;14.000;26.000;0.500;°C;20.000;0;0;0;Zone 1 Temp. ambiante jour",
    "A6d;3;0.000;-6.000;6.000;0.500;°C;0.000;0;0;0;Zone 1 correction",
    "D17;6;0;1;0;0;0;0;Carte SD;Arr;Marche",
    "21;6;0;1;0;0;0;0;Télémaintenance;Non;Oui",
    "B2;3;8.000;5.000;30.000;1.000;°C;10.000;0;0;0;Différence",
)
"""Parameters as a French panel tells them; D17 and B2 are not among those that may be set."""

SETTABLE = {"control": {"parameters": ["auto", "A6d", "21"]}}
"""What may be set: what is safe, and two more."""

HOME = config_from({"web": {"listen": ""}, **SETTABLE})
"""The configuration of a bridge without a page."""


def described(
    channels: tuple[tuple[str, str, str], ...] = CHANNELS, bits: tuple[str, ...] = BITS
) -> Described:
    """The event of a descriptor."""
    analog = ((name, unit) for name, unit, _ in channels)
    return Described(parse_descriptor(document(analog, bits)))


def standard_boiler(boiler: Boiler) -> None:
    """Tell a model everything of the simulated boiler, which has most of what there is."""
    boiler.apply(Described(parse_descriptor(standard_layout().document())), NOW)
    tell(boiler, TelemetryLine(standard_layout().line({}, {}).rstrip(b"\r\n")), NOW)
    for parameter in standard_parameters():
        boiler.apply(ParameterSeen(parse_parameter(parameter.record())), NOW)


def at_once(work: Any, *arguments: Any) -> Deferred[Any]:
    """Do what would block in a thread at once."""
    return maybeDeferred(work, *arguments)


def with_options(config: Config, **options: Any) -> Config:
    """The configuration with other keys in [homeassistant]."""
    return replace(config, homeassistant=replace(config.homeassistant, **options))


class HomeCase(ClockCase):
    """Lives of a bridge with one broker and one state directory."""

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(NOW)
        self.directory = Path(self.mktemp())
        self.home_assistant = RunningHome(self.clock.seconds)
        self.broker = MemoryBroker(self.clock.seconds, self.home_assistant.received)
        self.config = HOME
        self.restarted = 0
        self.values: dict[str, str] = {}
        self.on: set[str] = set()
        self.live()
        self.addCleanup(self._end)

    def _end(self) -> None:
        """Stop; Home Assistant must have had nothing to complain of."""
        if self.view.running:
            self.view.stopService()
        self.assertEqual([], self.home_assistant.complaints)

    def live(self) -> None:
        """Begin a life of the bridge."""
        self.boiler = Boiler()
        self.control = AskedControl()
        self.view = HomeView(
            self.boiler,
            self.config,
            self.broker,
            self.control if self.config.gateway.enabled else None,
            self.clock,
            StateDirectory(self.directory),
            at_once,
            "192.0.2.80",
            self.restarts,
        )
        self.view.startService()
        self._status("online")

    def restarts(self) -> None:
        """The bridge was asked to start anew."""
        self.restarted += 1

    def _status(self, payload: str) -> None:
        """Whether the bridge is there, which the link to the broker says."""
        self.home_assistant.received(Topics.of(self.config.mqtt).status, payload, True)

    def live_again(self) -> None:
        """End this life and begin the next; the broker keeps what is retained."""
        self.view.stopService()
        kept = self.broker.retained
        self.broker = MemoryBroker(self.clock.seconds, self.home_assistant.received)
        self.broker.retained.update(kept)
        self.live()

    def apply(self, event: Event | ModelEvent, session: int | None = None) -> None:
        """Let something happen."""
        tell(self.boiler, event, self.clock.seconds(), session)

    def line(self, **values: str) -> None:
        """Let a telemetry line arrive, with these values other than before.

        Args:
            values: by the channel's object.
        """
        self.values |= values
        tokens = [self.values.get(_plain(name), first) for name, _, first in CHANNELS]
        word = sum(1 << bit for bit, name in enumerate(BITS) if name in self.on)
        self.apply(TelemetryLine(f"pm {' '.join(tokens)} {word:X} ".encode("latin-1")))

    def log_in(self) -> None:
        """Let a gateway log in."""
        self.apply(SessionOpened(1, "192.0.2.7"))
        self.apply(LoggedIn(), 1)
        self.identify()

    def identify(self) -> None:
        """Let it be known what boiler it is."""
        self.apply(Identified("model", "Nano.2(.3) 15"))
        self.apply(Identified("firmware", "V14.0n3"))

    def log_out(self) -> None:
        """Let the session end."""
        self.apply(SessionOver(1, "closed"))

    def tell_parameters(self, *lines: str) -> None:
        """Let the boiler tell parameters, these or its own ones."""
        for line in lines or PARAMETERS:
            self.apply(ParameterSeen(parse_parameter(line)))

    def settle(self) -> None:
        """Wait until everything is announced and remembered."""
        self.clock.pump([SETTLE, MIGRATION_PAUSE, REREAD, REREAD, SAVE_AFTER])

    def everything(self) -> None:
        """A session, a descriptor, telemetry and parameters."""
        self.log_in()
        self.apply(described())
        self.line()
        self.tell_parameters()
        self.settle()

    def announced(self) -> dict[str, str]:
        """The discovery messages that the broker retains."""
        return {
            topic: payload
            for topic, payload in self.broker.retained.items()
            if topic.startswith("homeassistant/")
        }

    def states(self) -> dict[str, str]:
        """The states that the broker retains, by the topic's last level, and the link's own."""
        below = f"{BASE}/"
        states = {
            topic.removeprefix(below): payload
            for topic, payload in self.broker.retained.items()
            if topic.startswith(below)
        }
        return {"status": "online", **states}


def _plain(name: str) -> str:
    return {"Störungs Nr": "stoerungs_nr", "Verbrauchszähler": "verbrauchszaehler"}.get(
        name, name.lower()
    )
