"""Notices to systemd: ready, alive, stopping (the protocol of sd_notify(3))."""

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hargassner.boiler.model import Boiler
from hargassner.network.system import system_reason
from hargassner.observers import Once
from hargassner.services import Service

log = Logger()

LONGEST_PERIOD = 10.0
"""Seconds between two notices at most."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the supervisor asks for in the environment.

    ``address`` is where notices go. ``watchdog`` is how many seconds without one the supervisor
    waits before it restarts this process; None if it does not watch.
    """

    address: str
    watchdog: float | None


def supervision(environ: Mapping[str, str], process: int) -> Supervision | None:
    """What the supervisor asks of the process with this number, or None if there is none."""
    address = environ.get("NOTIFY_SOCKET", "")
    # Other kinds of addresses are for virtual machines.
    if not address.startswith(("/", "@")):
        return None
    # The "@" stands for the zero byte that begins an abstract address.
    return Supervision(re.sub("^@", "\0", address), _watchdog(environ, process))


def _watchdog(environ: Mapping[str, str], process: int) -> float | None:
    if environ.get("WATCHDOG_PID", str(process)) != str(process):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 or None if microseconds.isdecimal() else None


class Notices(Service):
    """Notifies the supervisor that the bridge is ready, from then on that it lives, and its end.

    That it lives is said from the reactor's loop, so that the notices end when that is stuck.

    Args:
        requested: what the supervisor asks for.
        clock: time.
        when_running: calls a function as soon as the reactor runs.
        status: how the bridge is, in a line.
    """

    name = "notices"

    def __init__(
        self,
        requested: Supervision,
        clock: IReactorTime,
        when_running: Callable[[Callable[[], None]], object],
        status: Callable[[], str],
    ) -> None:
        self._requested = requested
        self._when_running = when_running
        self._status = status
        self._last_status = ""
        self._once = Once(1)
        self._socket: socket.socket | None = None
        self._beat = LoopingCall(self._live)
        self._beat.clock = clock

    def startService(self) -> None:
        """Say that the bridge is ready as soon as the reactor runs."""
        super().startService()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._when_running(self._begin)

    def stopService(self) -> None:
        """Say that the bridge stops."""
        super().stopService()
        if self._beat.running:
            self._beat.stop()
        self._say("STOPPING=1")
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    def _begin(self) -> None:
        if self.running:
            self._say("READY=1")
            watchdog = self._requested.watchdog
            period = LONGEST_PERIOD if watchdog is None else min(watchdog / 2, LONGEST_PERIOD)
            self._beat.start(period)

    def _live(self) -> None:
        lines = [] if self._requested.watchdog is None else ["WATCHDOG=1"]
        with log.failuresHandled("finding out how the bridge is"):
            status = self._status()
            if status != self._last_status:
                self._last_status = status
                lines.append(f"STATUS={status}")
        if lines:
            self._say(*lines)

    def _say(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(), self._requested.address)
        except OSError as wrong:
            if self._once.first("refused"):
                log.warn("the supervisor does not take notices: {why}", why=system_reason(wrong))


def status_line(boiler: Boiler, *, with_gateway: bool = True) -> str:
    """How the bridge is, in a line for ``systemctl status``."""
    availability = boiler.availability
    session = availability.session
    telemetry = "telemetry flows" if availability.telemetry else "no telemetry"
    if not with_gateway:
        return telemetry
    shown = f"session {session.number} of the gateway" if session else "no session of the gateway"
    return f"{shown}, {telemetry}"
