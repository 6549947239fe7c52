"""Composition of the page: what it sees of the bridge, and where it listens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import CollectorRegistry, ProcessCollector
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IProtocolFactory, IReactorTime

from hargassner import __version__
from hargassner.boiler.model import Availability, Boiler, BoilerObserver
from hargassner.clock import IClock, dates
from hargassner.config import Config
from hargassner.discovery import Devices, FoundGateway
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.traffic_log import Journal
from hargassner.mqtt.interfaces import LinkStatus
from hargassner.network.interface import NetworkInterface
from hargassner.network.keeper import Keeper
from hargassner.network.listening import Listener
from hargassner.proxy.session import ISessionObserver, ProxyFactory, Session
from hargassner.storage.directory import StateDirectory
from hargassner.web.charts import STEP, HistoryKeeper
from hargassner.web.connections import PageSite
from hargassner.web.dashboard import charted
from hargassner.web.document import Json, label, whole_picture
from hargassner.web.hosts import OwnHosts
from hargassner.web.metrics import BridgeCollector
from hargassner.web.site import Root
from hargassner.web.status import Facts, Status, status_of
from hargassner.web.stream import Live
from hargassner.web.texts import text
from hargassner.web.timing import Timing


@dataclass(frozen=True, slots=True)
class Parts:
    """What the page sees of the bridge.

    ``gateway_keepers`` and ``boiler_keepers`` keep open what each side needs. ``boiler_problem``
    tells why the last connection to the boiler could not be made, empty if it could.
    ``broker`` tells how the link to the broker is, None without one; ``commands`` gives a dataclass
    with a count for each outcome of a command, None where none are taken.
    """

    config: Config
    boiler: Boiler
    devices: Devices
    proxy: ProxyFactory
    direct: DirectTelemetry
    interpreter: Interpreter
    journal: Journal
    gateway_keepers: Sequence[Keeper]
    boiler_keepers: Sequence[Keeper]
    boiler_problem: Callable[[], str]
    broker: Callable[[], LinkStatus | None] = lambda: None
    commands: Callable[[], Any | None] = lambda: None


class Witness(BoilerObserver):
    """Remembers when something last happened of which only the present state is known.

    Args:
        parts: what it sees.
        clock: time.
    """

    def __init__(self, parts: Parts, clock: IReactorTime) -> None:
        self._parts = parts
        self._clock = clock
        self._started = clock.seconds()
        self._heard: float | None = None
        self._over: float | None = None
        self._logged_in = False
        parts.devices.on_gateway(self._announced)
        parts.boiler.observe(self)

    def availability_changed(self, availability: Availability) -> None:
        """A session logged in or ended."""
        if self._logged_in and availability.session is None:
            self._over = self._clock.seconds()
        self._logged_in = availability.session is not None

    def _announced(self, _gateway: FoundGateway) -> None:
        self._heard = self._clock.seconds()

    def status(self) -> Status:
        """The chain's state now."""
        parts = self._parts
        config, devices = parts.config, parts.devices
        availability = parts.boiler.availability
        gateway = devices.gateway.address if devices.gateway else ""
        boiler = devices.boiler.address if devices.boiler else ""
        session = availability.session
        opened = [each.opened for each in parts.boiler.sessions if each.client == gateway]
        return status_of(
            Facts(
                now=self._clock.seconds(),
                started=self._started,
                gateway_place=str(
                    NetworkInterface(config.gateway.interface, config.gateway.address)
                ),
                boiler_place=str(NetworkInterface(config.boiler.interface, config.boiler.address)),
                closed_to_gateway=closed(parts.gateway_keepers),
                closed_to_boiler=closed(parts.boiler_keepers),
                gateway_address=gateway,
                gateway_heard=self._heard,
                session_over=self._over,
                connected=max(opened, default=None),
                logged_in=session.logged_in if session else None,
                boiler_address=config.boiler.host or boiler,
                boiler_problem=parts.boiler_problem(),
                reads_directly=config.boiler.direct_telemetry,
                telemetry=availability.telemetry,
                telemetry_since=availability.telemetry_since,
                misfit=availability.misfit,
                broker=parts.broker(),
            )
        )


def closed(keepers: Sequence[Keeper]) -> tuple[str, ...]:
    """The names of what should be open and is not."""
    return tuple(str(each.name) for each in keepers if not each.is_open)


class WebPage(MultiService):
    """The page and its stream, the JSON, the metrics, the history behind it.

    Args:
        parts: what it sees of the bridge.
        reactor: serves it.
        clock: time.
        directory: where the history is kept.
        in_thread: runs what blocks off the reactor's thread.
    """

    name = "web"

    def __init__(
        self,
        parts: Parts,
        reactor: IReactorTime,
        clock: IClock,
        directory: StateDirectory,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._parts = parts
        self._clock = clock
        self._witness = Witness(parts, clock)
        self._keeper = HistoryKeeper(parts.boiler, directory, clock, in_thread)
        registry = CollectorRegistry()
        self._timing = Timing(reactor, registry)
        self._live = Live(
            parts.boiler,
            parts.journal,
            self._witness.status,
            lambda: self._keeper.consumed,
            clock,
        )
        ProcessCollector(registry=registry)
        registry.register(
            BridgeCollector(
                parts.proxy,
                parts.boiler,
                parts.interpreter,
                self._timing,
                self._live,
                parts.direct,
                parts.broker,
                parts.commands,
            )
        )
        hosts = OwnHosts(parts.config.web.hosts)
        root = Root(self._state, self._history, self._health, self._live, registry, hosts)
        self.site = PageSite(root, reactor, registry)
        description = parts.config.web.listen
        listener = Listener(
            reactor,
            serverFromString(reactor, description),
            description,
            cast("IProtocolFactory", self.site),
            "the web page",
        )
        parts_of_it: list[Service] = [self._keeper, self._timing, self._live, listener]
        for each in parts_of_it:
            each.setServiceParent(self)

    def stopService(self) -> "Deferred[Any]":
        """Close the port and every connection; the result comes when the history is written."""
        stopping: Deferred[Any] = super().stopService()  # type: ignore[no-untyped-call]
        self.site.drop_all()
        return stopping

    def watch(self, _session: Session) -> ISessionObserver:
        """A spectator for a session; it has to be the first one that is told."""
        return self._timing.watcher()

    def _state(self, language: str) -> Json:
        date = dates(self._clock)
        picture = whole_picture(
            self._parts.boiler, self._witness.status(), self._keeper.consumed, language, date
        )
        return {"version": __version__, "now": date(self._clock.seconds()), **picture}

    def _history(self, language: str) -> Json:
        samples = self._keeper.history.lines()
        charts = [
            {
                "chart": chart,
                "title": text(f"page.chart.{chart}", language),
                "lines": [
                    {
                        "object": channel.object,
                        "label": label(channel, language),
                        "unit": channel.unit,
                        "values": [
                            None if each is None else round(each, 2)
                            for each in samples.get(channel.object, ())
                        ],
                    }
                    for channel in channels
                ],
            }
            for chart, channels in charted(self._parts.boiler).items()
        ]
        return {"step": STEP, "newest": self._keeper.history.newest, "charts": charts}

    def _health(self) -> tuple[int, Json]:
        not_open = [*closed(self._parts.gateway_keepers), *closed(self._parts.boiler_keepers)]
        if not_open:
            return 503, {"status": "closed", "closed": not_open}
        return 200, {"status": "ok"}
