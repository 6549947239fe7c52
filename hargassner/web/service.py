"""Composition of the page: what it sees of the bridge, and where it listens."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.web.http import OK, SERVICE_UNAVAILABLE

from hargassner import __version__
from hargassner.boiler.model import Availability, BoilerObserver
from hargassner.clock import dates
from hargassner.discovery import address_of
from hargassner.network.interface import NetworkInterface
from hargassner.network.reopening import EndpointOpening
from hargassner.parts import Parts
from hargassner.services import MultiService
from hargassner.web.asked import Asked
from hargassner.web.connections import PageSite
from hargassner.web.consumption import consumption
from hargassner.web.document import Date, Json, channel_picture, picture, setting_picture
from hargassner.web.history import HistoryResource
from hargassner.web.history_labels import Labels, labels_of
from hargassner.web.hosts import OwnHosts
from hargassner.web.pellets import PelletsNow
from hargassner.web.reports import REPORT, closed, report, to_gateway
from hargassner.web.requests import Answer
from hargassner.web.site import Root, data, events, requested_language
from hargassner.web.status import Facts, Status, status_of
from hargassner.web.stream import Live


class ChainObserver(BoilerObserver):
    """Observes the chain, and keeps when something last happened of which only the state is known.

    Args:
        parts: what it sees.
        clock: time.
    """

    def __init__(self, parts: Parts, clock: IReactorTime) -> None:
        self._parts = parts
        self._clock = clock
        self.started = clock.seconds()
        self._over: float | None = None
        self._logged_in = parts.boiler.availability.session is not None
        parts.boiler.observe(self)

    def availability_changed(self, availability: Availability) -> None:
        """A session logged in or ended."""
        if self._logged_in and availability.session is None:
            self._over = self._clock.seconds()
        self._logged_in = availability.session is not None

    def status(self) -> Status:
        """The chain's state now."""
        parts = self._parts
        config, devices = parts.config, parts.devices
        availability = parts.boiler.availability
        gateway = address_of(devices.gateway) or ""
        boiler = address_of(devices.boiler) or ""
        session = availability.session
        return status_of(
            Facts(
                now=self._clock.seconds(),
                started=self.started,
                gateway_interface=str(
                    NetworkInterface(config.gateway.interface, config.gateway.address)
                ),
                boiler_interface=str(
                    NetworkInterface(config.boiler.interface, config.boiler.address)
                ),
                with_gateway=config.gateway.enabled,
                closed_to_gateway=closed(to_gateway(parts)),
                closed_to_boiler=closed(parts.openings),
                gateway_address=gateway,
                gateway_heard=devices.gateway_heard,
                session_over=self._over,
                connected=self._connected_since(gateway),
                logged_in=session.logged_in if session else None,
                boiler_address=config.boiler.host or boiler,
                boiler_problem=parts.boiler_line.problem,
                reads_directly=config.boiler.direct_telemetry,
                telemetry=availability.telemetry,
                telemetry_since=availability.telemetry_since,
                length_mismatch=availability.mismatch,
                understanding=parts.boiler.understanding,
                broker=parts.broker_status,
            )
        )

    def _connected_since(self, gateway: str) -> float | None:
        """When the newest open session of the gateway began, None without one."""
        opened = [each.opened for each in self._parts.boiler.sessions if each.client == gateway]
        return max(opened, default=None)


class WebPage(MultiService):
    """The page and its stream, the JSON, the metrics.

    Args:
        parts: what it sees of the bridge.
        reactor: serves it.
    """

    name = "web"

    def __init__(self, parts: Parts, reactor: IReactorTime) -> None:
        super().__init__()
        clock = parts.clock
        self._parts = parts
        self._clock = clock
        self._chain = ChainObserver(parts, clock)
        self._pellets = PelletsNow(parts)
        self._live = Live(parts, self._picture)
        hosts = OwnHosts(parts.config.web.hosts)
        root = Root(self._api(), self._health, lambda: self._figures(), hosts)
        self.site = PageSite(root.answer, reactor)
        description = parts.config.web.listen
        self._listener = EndpointOpening(
            reactor,
            serverFromString(reactor, description),
            description,
            cast("IProtocolFactory", self.site),
            "the web page",
        )
        self.add([parts.timing, self._pellets, self._live, self._listener])

    @property
    def is_open(self) -> bool:
        """Whether the page can be opened now."""
        return self._listener.is_open

    def _api(self) -> dict[bytes, Answer]:
        """What answers below ``/api``."""
        parts, clock = self._parts, self._clock
        history = HistoryResource(parts.history, self._labels, requested_language, clock)
        burnt = Asked(partial(consumption, parts.history, clock), b"application/json")
        read = partial(report, parts, self._chain.started, self._state)
        diagnostics = Asked(read, b"text/plain; charset=utf-8", REPORT)
        return {
            b"state": partial(data, lambda language: (OK, self._state(language))),
            b"events": partial(events, self._live),
            b"history": history.answer,
            b"consumption": burnt.answer,
            b"diagnostics": diagnostics.answer,
        }

    @cached_property
    def _figures(self) -> Callable[[], bytes]:
        """What tells the figures for Prometheus; its library is loaded where one asks."""
        from hargassner.web.metrics import BridgeCollector, exposition

        return exposition(BridgeCollector(self._parts, self._live, self.site.refusals))

    def stopService(self) -> "Deferred[Any]":
        """Close the port and every connection; the result comes when all are."""
        stopping: Deferred[Any] = super().stopService()
        self.site.drop_all()
        return stopping

    def _picture(self, language: str, date: Date) -> dict[str, Json]:
        status, words = self._chain.status(), self._parts.interpreter.words()
        return picture(self._parts.boiler, status, self._pellets.now(), words, language, date)

    def _state(self, language: str) -> dict[str, Json]:
        """Everything, as ``/api/state`` and the diagnostics give it."""
        boiler, date = self._parts.boiler, dates(self._clock)
        return {
            "version": __version__,
            "now": date(self._clock.seconds()),
            **self._picture(language, date),
            "channels": {
                key: channel_picture(boiler, channel, language, date)
                for key, channel in boiler.channels.items()
            },
            "settings": {
                key: setting_picture(setting, language, date)
                for key, setting in boiler.settings.items()
            },
        }

    def _labels(self, language: str) -> Labels:
        energy = self._parts.config.energy
        kwh_per_kg = energy.pellet_kwh_per_kg * energy.efficiency
        return labels_of(self._parts.boiler, kwh_per_kg, language)

    def _health(self, _language: str) -> tuple[int, Json]:
        parts = self._parts
        not_open = closed((*to_gateway(parts), *parts.openings))
        if not_open:
            return SERVICE_UNAVAILABLE, {"status": "closed", "closed": not_open}
        return OK, {"status": "ok"}
