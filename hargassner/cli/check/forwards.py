"""The step that looks whether the boiler serves the ports that are to be forwarded."""

from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol

from hargassner.cli.check.context import Context
from hargassner.cli.check.report import Outcome
from hargassner.network.reasons import UnreachableError

_STEP = "further ports"


_ADVICE = "Does the boiler have this service? Otherwise take it out of gateway.forward."


class _Leaving(Protocol):
    """Leaves as soon as it is connected."""

    transport: ITransport

    def connectionMade(self) -> None:
        self.transport.loseConnection()


async def look_at_forwards(context: Context, host: str) -> None:
    """Connect to each forwarded port of the boiler.

    Args:
        context: the check.
        host: where the boiler is; empty where that is not known.
    """
    for port in context.config.gateway.forward:
        outcome, what = await _looked_at(context, host, port)
        advice = "" if outcome is Outcome.OK else _ADVICE
        context.found(_STEP, outcome, f"port {port} of the boiler{what}", advice)


async def _looked_at(context: Context, host: str, port: int) -> tuple[Outcome, str]:
    """What is found of a port, and in words."""
    if not host:
        return Outcome.SKIPPED, ": its address is not known"
    problem = await _problem(context, host, port)
    if problem:
        return Outcome.FAILED, f": {problem}"
    return Outcome.OK, f" answers at {host}"


async def _problem(context: Context, host: str, port: int) -> str:
    """Why a port of the boiler cannot be reached, empty if it can."""
    try:
        await context.connect_to_boiler(host, port, _Leaving())
    except UnreachableError as wrong:
        return wrong.reason
    except Exception as wrong:
        return str(wrong)
    return ""
