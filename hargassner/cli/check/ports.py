"""The steps that open the bridge's ports, and look at who holds them."""

import errno
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import filterfalse

from hargassner.cli.check.context import Context
from hargassner.cli.check.machine import bridge_processes
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.running import NoAnswerError, ask
from hargassner.network.interface import CannotOpenError, NotThereYetError
from hargassner.network.sockets import listening_socket

_PORTS = "ports and privileges"
_OTHER_BRIDGE = "another bridge"


async def open_ports(context: Context) -> None:
    """Open the discovery ports, try the telnet port, and look for a bridge that runs already."""
    problems = list(_problems(context))
    context.reporter.found(_ports_finding(context, problems))
    held = next(filter(_is_held, problems), None)
    if held is None:
        context.found(_OTHER_BRIDGE, Outcome.OK, "none runs")
    else:
        await _look_at_holder(context, str(held))


def _problems(context: Context) -> Iterator[Exception]:
    for open_ in _openings(context):
        try:
            open_()
        except (CannotOpenError, OSError) as wrong:
            yield wrong


def _openings(context: Context) -> Sequence[Callable[[], None]]:
    """What opens the bridge's ports."""
    if not context.config.gateway.enabled:
        return [context.open_boiler_side]

    def try_telnet_port() -> None:
        listening_socket(context.gateway.interface, context.config.gateway.telnet_port).close()

    return [try_telnet_port, context.open_gateway_side, context.open_boiler_side]


def _is_held(problem: Exception) -> bool:
    return getattr(problem.__cause__, "errno", None) == errno.EADDRINUSE


def _is_absent(problem: Exception) -> bool:
    """Whether it is that an interface or its address is not there yet."""
    return isinstance(problem, NotThereYetError)


def _ports_finding(context: Context, problems: list[Exception]) -> Finding:
    """What is found of all ports; the first problem that no other step reports, where one is."""
    if not problems:
        return Finding(_PORTS, Outcome.OK, f"{_ports(context)} can be opened")
    not_held = [*filterfalse(_is_held, problems)]
    for each in filterfalse(_is_absent, not_held):
        return Finding(_PORTS, Outcome.FAILED, str(each), _rights_advice(str(each)))
    what = str(not_held[0]) if not_held else "somebody holds them already"
    return Finding(_PORTS, Outcome.SKIPPED, what)


def _ports(context: Context) -> str:
    gateway = context.config.gateway
    ports = sorted({*context.gateway.side.ports, *context.boiler.side.ports})
    telnet = f"TCP {gateway.telnet_port} and " if gateway.enabled else ""
    return f"{telnet}UDP {', '.join(map(str, ports))}"


def _rights_advice(problem: str) -> str:
    if "CAP_" not in problem:
        return ""
    return (
        "Run this check with sudo. The service itself gets the right from its unit "
        "(AmbientCapabilities, packaging/README.md)."
    )


async def _look_at_holder(context: Context, held: str) -> None:
    """Ask the bridge that holds the ports what it sees, if it is one and has a page."""
    try:
        context.running = await ask(context.reactor, context.config.web)
    except NoAnswerError as why:
        context.reporter.found(_silent_holder(held, why))
    else:
        what = "the bridge itself runs, and tells what it sees"
        context.found(_OTHER_BRIDGE, Outcome.OK, what)


def _silent_holder(held: str, why: NoAnswerError) -> Finding:
    if _is_a_bridge(held):
        advice = (
            "To see more of the chain, switch its page on ([web] listen), or stop it for "
            "this check: sudo systemctl stop hargassner-bridge"
        )
        what = f"the bridge itself runs ({held}), and cannot be asked: {why}"
        return Finding(_OTHER_BRIDGE, Outcome.OK, what, advice)
    advice = "Stop that program, or give the bridge other addresses or interfaces."
    return Finding(_OTHER_BRIDGE, Outcome.FAILED, held, advice)


def _is_a_bridge(held: str) -> bool:
    processes = map(str, bridge_processes())
    holder = re.search(r"\(process (\d+)\)", held)
    # Where the system tells who it is: other bridges may run here and hold other ports.
    return holder[1] in processes if holder else any(processes)
