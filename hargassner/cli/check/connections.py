"""The steps that connect: to the boiler, to the broker, and over it to Home Assistant."""

from typing import cast

from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol

from hargassner.cli.check.broker import Stage, Visit
from hargassner.cli.check.context import Context
from hargassner.cli.check.machine import boiler_leases
from hargassner.cli.check.meaning import Lines, meaning_of
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.rights import broker_finding, discovery_finding
from hargassner.dialogue.lines import LineSplitter
from hargassner.discovery import Devices, address_of
from hargassner.proxy.endpoint import BoilerLine

TELEMETRY_TIMEOUT = 10.0
"""Seconds that the first telemetry line may take; one comes every second."""
BROKER_TIMEOUT = 20.0
"""Seconds that the broker may take, from the connection to the echo."""
HOME_TIMEOUT = 2.0
"""Seconds that Home Assistant is waited for after everything else."""

_GOODBYE = 2.0
_TELNET = "telnet to the boiler"
_BROKER = "the broker"
_HOME = "Home Assistant"


class _Telemetry(Protocol):
    """Reads telemetry lines."""

    def __init__(self) -> None:
        self.lines = Lines()
        self._splitter = LineSplitter()

    def dataReceived(self, data: bytes) -> None:
        for line in self._splitter.feed(data):
            if isinstance(line, bytes) and line.startswith(b"pm "):
                self.lines.take(line)


class _TelemetryFactory(Factory[_Telemetry]):
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> _Telemetry:
        return _Telemetry()


async def read_telemetry(context: Context) -> None:
    """Connect to the boiler as the bridge would, and wait for a line."""
    host = boiler_host(context)
    if not host:
        context.found(_TELNET, Outcome.SKIPPED, "its address is not known")
        return
    line = BoilerLine(
        context.reactor,
        Devices(context.reactor, host),
        context.boiler.interface,
        context.config.boiler.telnet_port,
    )
    try:
        connected = await line.connect(cast("IProtocolFactory", _TelemetryFactory()))
    except Exception as wrong:
        context.reporter.found(_not_connected(host, wrong))
    else:
        await _read_a_line(context, host, cast("_Telemetry", connected))


def boiler_host(context: Context) -> str:
    """Where the boiler is, as far as that is known by now; empty where it is not."""
    known = (
        context.config.boiler.host,
        address_of(context.devices.boiler),
        address_of(context.running.get("boiler")),
        *(lease.address for lease in boiler_leases()),
    )
    return next(filter(None, known), "")


def _not_connected(host: str, wrong: Exception) -> Finding:
    why = str(wrong) or type(wrong).__name__
    advice = "Is the boiler switched on? Has it another address than it had? boiler.host fixes one."
    return Finding(_TELNET, Outcome.FAILED, f"{host} cannot be reached: {why}", advice)


async def _read_a_line(context: Context, host: str, telemetry: _Telemetry) -> None:
    lines = telemetry.lines
    flows = await context.until(lambda: lines.values > 0, TELEMETRY_TIMEOUT, "telemetry")
    if flows:
        meaning = await meaning_of(context, lines)
        what = f"telemetry flows from {host}, {lines.values} values a line"
        said = ", ".join(filter(None, (what, meaning.what)))
        context.found(_TELNET, meaning.outcome, said, meaning.advice)
    if telemetry.transport is not None:
        telemetry.transport.loseConnection()
    if not flows:
        what = f"connected, but no telemetry came within {TELEMETRY_TIMEOUT:g} s"
        advice = "Is this the boiler? Switch its panel off and on."
        context.found(_TELNET, Outcome.FAILED, what, advice)


async def look_at_broker(context: Context, visit: Visit | None) -> None:
    """Wait until the broker has shown what it lets the bridge do.

    Args:
        context: the check.
        visit: the visit to the broker that has begun, None where none is configured.
    """
    if visit is None:
        context.found(_BROKER, Outcome.SKIPPED, "none is configured (mqtt.url)")
        return
    await context.until(lambda: visit.is_known or visit.over, BROKER_TIMEOUT, "the broker")
    config = context.config
    context.reporter.found(broker_finding(visit, config.mqtt.url, config.homeassistant))


async def look_for_home(context: Context, visit: Visit | None) -> None:
    """Wait for Home Assistant, whether it starts during the check."""
    home = context.config.homeassistant
    if home.discovery == "off":
        context.found(_HOME, Outcome.SKIPPED, "homeassistant.discovery is off")
    elif visit is None or visit.stage is not Stage.ADMITTED:
        context.found(_HOME, Outcome.SKIPPED, "it is reached over the broker")
    elif (problem := discovery_finding(visit, home)) is not None:
        context.reporter.found(problem)
    else:
        await _wait_for_home(context, visit)


async def _wait_for_home(context: Context, visit: Visit) -> None:
    if await context.until(lambda: visit.home_started, HOME_TIMEOUT, "Home Assistant"):
        context.found(_HOME, Outcome.OK, f"it said online on {visit.home_topic}")
        return
    what = f"nothing on {visit.home_topic}: it speaks there only when it starts"
    advice = (
        "If no device appears there, add the MQTT integration with the same broker; to "
        "see it here, restart Home Assistant during the check."
    )
    context.found(_HOME, Outcome.SKIPPED, what, advice)


async def leave_broker(context: Context, visit: Visit | None) -> None:
    """End the visit to the broker, if it admitted us."""
    if visit is not None and visit.was_admitted:
        visit.end()
        await context.until(lambda: visit.over, _GOODBYE, "the broker's goodbye")
