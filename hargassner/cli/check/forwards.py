"""The step that looks whether the boiler serves the ports that are to be forwarded."""

from typing import cast

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol

from hargassner.cli.check.context import Context
from hargassner.cli.check.report import Outcome
from hargassner.discovery import Devices
from hargassner.proxy.endpoint import BoilerLine

_STEP = "further ports"


class _Leaving(Protocol):
    """Leaves as soon as it is connected."""

    def connectionMade(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


async def look_at_forwards(context: Context, host: str) -> None:
    """Connect to each forwarded port of the boiler.

    Args:
        context: the check.
        host: where the boiler is; empty where that is not known.
    """
    for port in context.config.gateway.forward:
        problem = await _problem(context, host, port) if host else "its address is not known"
        if problem:
            advice = "Does the boiler have this service? Otherwise take it out of gateway.forward."
            what = f"port {port} of the boiler: {problem}"
            context.found(_STEP, Outcome.FAILED if host else Outcome.SKIPPED, what, advice)
        else:
            context.found(_STEP, Outcome.OK, f"port {port} of the boiler answers at {host}")


async def _problem(context: Context, host: str, port: int) -> str:
    """Why a port of the boiler cannot be reached, empty if it can."""
    devices = Devices(context.reactor, host)
    line = BoilerLine(context.reactor, devices, context.boiler.interface, port)
    factory = Factory.forProtocol(_Leaving)
    factory.noisy = False
    try:
        await line.connect(cast("IProtocolFactory", factory))
    except Exception as wrong:
        return line.problem or str(wrong)
    return ""
