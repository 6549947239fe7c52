"""Finding the boiler in the networks of this machine, without a configuration."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from twisted.internet.defer import DeferredQueue

from hargassner.cli.check.machine import Interface, interfaces
from hargassner.config import DiscoveryConfig
from hargassner.delayed import Delayed
from hargassner.discovery import Devices, FoundBoiler
from hargassner.discovery.finder import Finder
from hargassner.discovery.side import Side
from hargassner.network.interface import CannotOpenError, NetworkInterface
from hargassner.reactor import IBridgeReactor

SAY_AFTER = 5.0
"""Seconds without an answer after which it is said what may be wrong."""

_EVERYBODY = "255.255.255.255"


class CannotSearchError(Exception):
    """The boiler cannot be asked for in any network; the message says why, in one line."""


def searched(found: Sequence[Interface]) -> list[str]:
    """The names of the interfaces on which a boiler may be; "" for all where none is known."""
    return [each.name for each in filter(_leads_somewhere, found)] or [""]


def _leads_somewhere(interface: Interface) -> bool:
    return all((interface.is_real, interface.up, interface.address))


async def find_boiler(
    reactor: IBridgeReactor, waiting: Callable[[Sequence[str]], object]
) -> FoundBoiler:
    """Ask for a boiler in every network until one answers, once a minute.

    Args:
        reactor: asks and hears.
        waiting: called with the interfaces' names when nobody has answered for a while.

    Raises:
        CannotSearchError: it can be asked nowhere.
    """
    devices, ports = Devices(reactor), DiscoveryConfig()
    names = searched(interfaces())
    sides = [Side(NetworkInterface(each), _EVERYBODY, (ports.gateway_port,)) for each in names]
    finders = [Finder(devices, ports, each, reactor, lambda: "") for each in sides]
    answers: DeferredQueue[FoundBoiler] = DeferredQueue()
    devices.on_boiler(answers.put)
    with ExitStack() as opened:
        late = Delayed(reactor, SAY_AFTER, lambda: waiting(names))
        opened.callback(late.cancel)
        late.start()
        problems = [_problem(each, reactor, opened) for each in finders]
        if all(problems):
            raise CannotSearchError(problems[0])
        return await answers.get()


def _problem(finder: Finder, reactor: IBridgeReactor, opened: ExitStack) -> str:
    """Have a finder ask until ``opened`` is closed; why it cannot, empty where it can."""
    try:
        opened.callback(finder.open(reactor).close)
    except (CannotOpenError, OSError) as wrong:
        return str(wrong)
    finder.startService()
    opened.callback(finder.stopService)
    return ""
