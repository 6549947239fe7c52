"""The bridge as a service: its parts, started together and stopped in the other order.

What the wire needs comes first. The views, which are half of the program, are imported when the
telnet port is open, each only where it is configured.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.application.internet import TimerService
from twisted.application.service import IService

from hargassner.admin.services import admin_services
from hargassner.admin.signals import CleanExit
from hargassner.admin.systemd import supervision
from hargassner.boiler.model import Boiler
from hargassner.config import Config
from hargassner.later import Later
from hargassner.monitor.traffic_log import JournalKeeping
from hargassner.network.accepting import DescriptorWatch
from hargassner.network.own_address import own_address
from hargassner.network.resolver import Names
from hargassner.parts import GatewayParts, Parts, build
from hargassner.proxy.forwarding import Forwards
from hargassner.proxy.sessions import Sessions
from hargassner.reactor import IBridgeReactor
from hargassner.services import MultiService
from hargassner.storage.claim import StateClaim
from hargassner.storage.energy import EnergySnapshot

if TYPE_CHECKING:
    from hargassner.recording.writer import RecordingWriter

RESTART_DELAY = 1.0
"""Seconds from the command to restart to the stop, so that its answer gets out."""

TICK = 5.0
"""Seconds between two looks of the model at the time."""


class Bridge(MultiService):
    """The whole service; ``parts`` is what it is made of.

    Args:
        config: what the owner configured.
        reactor: everything runs on it.
    """

    name = "hargassner"

    def __init__(self, config: Config, reactor: IBridgeReactor) -> None:
        self.parts = parts = build(config, reactor)
        super().__init__(
            [
                CleanExit(reactor),
                JournalKeeping(parts.journal, reactor),
                Names(reactor),
                DescriptorWatch(reactor),
                StateClaim(parts.state.path),
                parts.snapshots,
                *_energy(parts),
                *(parts.gateway.openings if parts.gateway else ()),
                *parts.openings,
                _ticking(parts.boiler, reactor),
                *_gateway(parts),
                *([parts.finder] if parts.finder else []),
                *([parts.direct] if config.boiler.direct_telemetry else []),
                Later(
                    reactor,
                    [
                        lambda: _history(parts),
                        lambda: _home(parts, reactor),
                        lambda: _page(parts, reactor),
                        lambda: admin_services(parts, reactor),
                    ],
                ),
            ]
        )


def _energy(parts: Parts) -> list[IService]:
    """What keeps the energy that is counted, if it is."""
    if not parts.config.energy.enabled:
        return []
    return [EnergySnapshot(parts.state, parts.boiler, parts.clock, parts.in_thread)]


def _gateway(parts: Parts) -> list[IService]:
    """What ends sessions and forwarded connections, where there is a gateway."""
    if parts.gateway is None:
        return []
    return [_sessions(parts.gateway, parts.recordings), Forwards(parts.gateway.forwards)]


def _sessions(gateway: GatewayParts, recordings: "RecordingWriter | None") -> Sessions:
    """What ends the sessions, and waits until their recordings are written."""
    if recordings is None:
        return Sessions(gateway.proxy)
    return Sessions(gateway.proxy, recordings.written)


def _history(parts: Parts) -> list[IService]:
    """What keeps the history, if one is kept."""
    return [parts.history] if parts.history else []


def _home(parts: Parts, reactor: IBridgeReactor) -> list[IService]:
    """The link to the broker, last to stop, and what is said over it, if there is one."""
    if parts.broker is None:
        return []
    from hargassner.homeassistant.view import HomeView

    view = HomeView(
        parts.boiler,
        parts.config,
        parts.broker,
        parts.gateway.control if parts.gateway else None,
        parts.clock,
        parts.state,
        parts.in_thread,
        own_address(),
        _restart(reactor),
    )
    return [parts.broker, view]


def _restart(reactor: IBridgeReactor) -> Callable[[], object] | None:
    """Stops the bridge where a supervisor starts it again; None where there is none."""
    if supervision(os.environ, os.getpid()) is None:
        return None
    return lambda: reactor.callLater(RESTART_DELAY, reactor.stop)


def _page(parts: Parts, reactor: IBridgeReactor) -> list[IService]:
    """The web page, if one is configured."""
    if not parts.config.web.listen:
        return []
    from hargassner.web.service import WebPage

    return [WebPage(parts, reactor)]


def _ticking(boiler: Boiler, reactor: IBridgeReactor) -> TimerService:
    """Has the model look at the time."""
    ticking = TimerService(TICK, lambda: boiler.tick(reactor.seconds()))
    ticking.clock = reactor
    return ticking
