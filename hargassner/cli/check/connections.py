"""The steps that connect: to the boiler, to the broker, and over it to Home Assistant."""

from typing import TypeGuard

from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol

from hargassner.cli.check.broker import Stage, Visit
from hargassner.cli.check.context import Context
from hargassner.cli.check.machine import boiler_leases
from hargassner.cli.check.meaning import Lines, meaning_of
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.rights import broker_finding, discovery_finding
from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.discovery import address_of

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

    transport: ITransport

    def __init__(self) -> None:
        self.lines = Lines()
        self._splitter = LineSplitter()

    def dataReceived(self, data: bytes) -> None:
        for line in filter(_is_telemetry, self._splitter.feed(data)):
            self.lines.take(line)


def _is_telemetry(line: bytes | TooLong) -> TypeGuard[bytes]:
    return isinstance(line, bytes) and line.startswith(b"pm ")


async def read_telemetry(context: Context) -> None:
    """Connect to the boiler as the bridge would, and wait for a line."""
    host = boiler_host(context)
    if not host:
        context.found(_TELNET, Outcome.SKIPPED, "its address is not known")
        return
    telemetry = _Telemetry()
    try:
        await context.connect_to_boiler(host, context.config.boiler.telnet_port, telemetry)
    except Exception as wrong:
        context.reporter.found(_not_connected(host, wrong))
    else:
        context.reporter.found(await _read_a_line(context, host, telemetry.lines))
        telemetry.transport.loseConnection()


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


async def _read_a_line(context: Context, host: str, lines: Lines) -> Finding:
    if not await context.until(lambda: lines.values > 0, TELEMETRY_TIMEOUT, "telemetry"):
        what = f"connected, but no telemetry came within {TELEMETRY_TIMEOUT:g} s"
        advice = "Is this the boiler? Switch its panel off and on."
        return Finding(_TELNET, Outcome.FAILED, what, advice)
    meaning = await meaning_of(context, lines)
    what = f"telemetry flows from {host}, {lines.values} values a line"
    said = ", ".join(filter(None, (what, meaning.what)))
    return Finding(_TELNET, meaning.outcome, said, meaning.advice)


def report_no_broker(context: Context) -> None:
    """Report that there is no broker to look at."""
    context.found(_BROKER, Outcome.SKIPPED, "none is configured (mqtt.url)")
    context.found(_HOME, Outcome.SKIPPED, _not_looked_for(context, admitted=False))


async def look_at_broker(context: Context, visit: Visit) -> None:
    """Wait until the broker has shown what it lets the bridge do, and for Home Assistant.

    Args:
        context: the check.
        visit: the visit to the broker that has begun; it is over then.
    """
    await context.until(lambda: visit.is_known or visit.over, BROKER_TIMEOUT, "the broker")
    config = context.config
    context.reporter.found(broker_finding(visit, config.mqtt.url, config.homeassistant))
    context.reporter.found(await _look_for_home(context, visit))
    if visit.was_admitted:
        visit.end()
        await context.until(lambda: visit.over, _GOODBYE, "the broker's goodbye")


def _not_looked_for(context: Context, *, admitted: bool) -> str:
    """Why Home Assistant cannot be looked for; empty where it can."""
    if context.config.homeassistant.discovery == "off":
        return "homeassistant.discovery is off"
    return "" if admitted else "it is reached over the broker"


async def _look_for_home(context: Context, visit: Visit) -> Finding:
    """Wait for Home Assistant, whether it starts during the check."""
    skipped = _not_looked_for(context, admitted=visit.stage is Stage.ADMITTED)
    if skipped:
        return Finding(_HOME, Outcome.SKIPPED, skipped)
    problem = discovery_finding(visit, context.config.homeassistant)
    return problem or await _wait_for_home(context, visit)


async def _wait_for_home(context: Context, visit: Visit) -> Finding:
    if await context.until(lambda: visit.home_started, HOME_TIMEOUT, "Home Assistant"):
        return Finding(_HOME, Outcome.OK, f"it said online on {visit.home_topic}")
    what = f"nothing on {visit.home_topic}: it speaks there only when it starts"
    advice = (
        "If no device appears there, add the MQTT integration with the same broker; to "
        "see it here, restart Home Assistant during the check."
    )
    return Finding(_HOME, Outcome.SKIPPED, what, advice)
