"""``hargassner simulate``: a boiler or a gateway to talk to, without either."""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from twisted.logger import globalLogBeginner, textFileLogObserver

from hargassner.cli.exit_status import failed
from hargassner.cli.reactor import evenly_running_reactor
from hargassner.config import DiscoveryConfig
from hargassner.network.interface import CannotOpenError
from hargassner.services import Service
from hargassner.simulator.boiler.server import SimulatedBoiler

SUMMARY = "Run a simulated boiler or a simulated gateway until it is interrupted."
DETAILS = ""

_PORTS = {"telnet_port": 23, **asdict(DiscoveryConfig())}
_NETWORK = ("address", "interface", *_PORTS)
_OF_BOILER = (*_NETWORK, "discovery", "period", "speed", "seed", "refuse", "lines")
_DURATIONS = {
    "keepalive": (5.0, "seconds between two requests (5)"),
    "session_length": (3600.0, "seconds of a session (3600)"),
    "restart_delay": (17.0, "seconds from the end of a session to the next announcement (17)"),
    "pace": (1.0, "factor on the pauses before and in a dialogue; 0.1 is ten times as fast (1)"),
}
_OF_GATEWAY = (*_NETWORK, "broadcast", "serial", "version", *_DURATIONS)


_Number = TypeVar("_Number", int, float)


def _number(
    kind: Callable[[str], _Number], lowest: _Number, highest: _Number, wanted: str
) -> Callable[[str], _Number]:
    """What reads a number of the command line; ``wanted`` is said of one outside its limits."""

    def read(text: str) -> _Number:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no such number") from None
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(wanted)
        return number

    return read


_port = _number(int, 0, 65535, "a port is between 0 and 65535")
_positive = _number(float, sys.float_info.min, sys.float_info.max, "a number above 0 is wanted")
_count = _number(int, 1, sys.maxsize, "a number of at least 1 is wanted")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the two simulators and their options."""
    kinds = parser.add_subparsers(metavar="boiler|gateway", required=True)
    boiler = kinds.add_parser("boiler", help="a pellet boiler that answers a gateway")
    _configure_boiler(boiler)
    gateway = kinds.add_parser("gateway", help="a gateway that talks to a boiler, and checks it")
    _configure_gateway(gateway)


def _configure_boiler(boiler: argparse.ArgumentParser) -> None:
    _add_network_options(boiler)
    boiler.add_argument(
        "--no-discovery",
        dest="discovery",
        action="store_false",
        help="open no UDP ports, only the telnet port",
    )
    boiler.add_argument(
        "--period", type=_positive, default=1.0, help="seconds between two telemetry lines (1)"
    )
    boiler.add_argument(
        "--speed",
        type=_positive,
        default=1.0,
        help="seconds of the boiler's life that pass in one; "
        "120 shows a burn cycle in three minutes (1)",
    )
    boiler.add_argument("--seed", type=int, default=0, help="decides weather and noise (0)")
    boiler.add_argument(
        "--fault",
        type=int,
        action="append",
        default=[],
        metavar="NUMBER",
        help="a fault that the boiler has from the start, such as 5 or 70; may be repeated",
    )
    boiler.add_argument(
        "--refuse",
        action="store_true",
        help="refuse every request, as a boiler does to whom no gateway has logged in",
    )
    boiler.add_argument(
        "--lines",
        type=_telemetry_lines,
        default=(),
        metavar="FILE",
        help="send the telemetry lines ('pm ...') of this file over and over; implies --refuse",
    )
    boiler.set_defaults(simulate=_simulate_boiler)


def _configure_gateway(gateway: argparse.ArgumentParser) -> None:
    _add_network_options(gateway)
    gateway.add_argument(
        "--broadcast", default="255.255.255.255", help="where it looks for boilers"
    )
    gateway.add_argument("--serial", default="0012345", help="its serial number")
    gateway.add_argument(
        "--software",
        dest="version",
        default="6.4.1",
        metavar="SOFTWARE",
        help="its software version",
    )
    for name, (default, meaning) in _DURATIONS.items():
        gateway.add_argument(_option(name), type=_positive, default=default, help=meaning)
    gateway.add_argument(
        "--cycles",
        type=_count,
        default=sys.maxsize,
        help="end after so many complete sessions; without it, never",
    )
    gateway.set_defaults(simulate=_simulate_gateway)


def run(arguments: argparse.Namespace) -> int:
    """Run the simulator; the exit status is 1 where the gateway was not content."""
    simulate: Callable[[argparse.Namespace], int] = arguments.simulate
    return simulate(arguments)


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", default="", help="the address of its sockets (any)")
    parser.add_argument("--interface", default="", help="the interface that they are tied to")
    for name, port in _PORTS.items():
        parser.add_argument(
            _option(name), type=_port, default=port, metavar="PORT", help=f"({port})"
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The arguments with these names, for what is simulated."""
    return {name: getattr(arguments, name) for name in names}


def _simulate_boiler(arguments: argparse.Namespace) -> int:
    reactor = evenly_running_reactor()
    boiler = SimulatedBoiler(reactor, **_given(arguments, _OF_BOILER))
    for number in arguments.fault:
        boiler.plant.raise_fault(number)
    return _serve(
        reactor, boiler, lambda: f"simulated boiler on TCP port {boiler.telnet_port_number}"
    )


def _simulate_gateway(arguments: argparse.Namespace) -> int:
    from hargassner.simulator.gateway.gateway import SimulatedGateway

    reactor = evenly_running_reactor()
    gateway = SimulatedGateway(reactor, **_given(arguments, _OF_GATEWAY))

    def end_after_last(_: str) -> None:
        if gateway.sessions_completed >= arguments.cycles:
            reactor.stop()
        gateway.when_session_over().addCallback(end_after_last)

    gateway.when_session_over().addCallback(end_after_last)
    status = _serve(
        reactor, gateway, lambda: f"simulated gateway looks for a boiler at {arguments.broadcast}"
    )
    print(f"{gateway.sessions_completed} sessions, {len(gateway.problems)} problems", flush=True)
    for problem in gateway.problems:
        print(problem, file=sys.stderr)
    return 1 if gateway.problems else status


def _serve(reactor: Any, service: Service, ready: Callable[[], str]) -> int:
    """Run a service until SIGINT or SIGTERM; the result is the exit status."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
    try:
        service.startService()
    except CannotOpenError as wrong:
        return failed("simulate", wrong)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.callWhenRunning(lambda: print(ready(), flush=True))
    reactor.run()
    return 0


def _telemetry_lines(name: str) -> tuple[bytes, ...]:
    try:
        content = Path(name).read_bytes()
    except OSError as wrong:
        raise argparse.ArgumentTypeError(f"{name} cannot be read: {wrong.strerror}") from None
    lines = tuple(
        each.rstrip() + b" \r\n" for each in content.splitlines() if each.startswith(b"pm ")
    )
    if not lines:
        raise argparse.ArgumentTypeError(f"{name} has no telemetry lines ('pm ...')")
    return lines
