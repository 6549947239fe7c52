"""The steps that open the bridge's ports, and look at who holds them."""

import errno
from collections.abc import Callable, Iterator
from enum import IntEnum

from hargassner.cli.check.context import Context
from hargassner.cli.check.machine import bridge_processes
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.running import NoAnswerError, ask
from hargassner.network.interface import CannotOpenError, NotThereYetError
from hargassner.network.sockets import listening_socket

_PORTS = "ports and privileges"
_OTHER_BRIDGE = "another bridge"


class _Kind(IntEnum):
    """Why a port cannot be opened; the first one is said where there are several."""

    OTHER = 0
    ABSENT = 1
    """The interface or its address is not there yet, which another step reports."""
    HELD = 2


async def open_ports(context: Context) -> None:
    """Open the discovery ports, try the telnet port, and look for a bridge that runs already."""
    problems = list(_problems(context))
    context.reporter.found(_ports_finding(context, problems))
    held = [str(each) for each in problems if _kind(each) is _Kind.HELD]
    if held:
        await _look_at_holder(context, held[0])
    else:
        context.found(_OTHER_BRIDGE, Outcome.OK, "none runs")


def _problems(context: Context) -> Iterator[Exception]:
    def try_telnet_port() -> None:
        listening_socket(context.gateway.interface, context.config.gateway.telnet_port).close()

    with_gateway: tuple[Callable[[], None], ...] = (try_telnet_port, context.open_gateway_side)
    steps = with_gateway if context.config.gateway.enabled else ()
    for open_ in (*steps, context.open_boiler_side):
        try:
            open_()
        except (CannotOpenError, OSError) as wrong:
            yield wrong


def _kind(problem: Exception) -> _Kind:
    cause = problem.__cause__
    if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
        return _Kind.HELD
    return _Kind.ABSENT if isinstance(problem, NotThereYetError) else _Kind.OTHER


def _ports_finding(context: Context, problems: list[Exception]) -> Finding:
    if not problems:
        return Finding(_PORTS, Outcome.OK, f"{_ports(context)} can be opened")
    worst = min(problems, key=_kind)
    match _kind(worst):
        case _Kind.HELD:
            return Finding(_PORTS, Outcome.SKIPPED, "somebody holds them already")
        case _Kind.ABSENT:
            return Finding(_PORTS, Outcome.SKIPPED, str(worst))
        case _Kind.OTHER:
            return Finding(_PORTS, Outcome.FAILED, str(worst), _rights_advice(str(worst)))


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
    processes = bridge_processes()
    if "(process " in held:
        # The system tells who it is; other bridges may run here and hold other ports.
        return any(f"(process {each})" in held for each in processes)
    return bool(processes)
