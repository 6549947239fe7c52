"""Looking up host names, without holding up the bridge's stop.

The system's resolver blocks a thread for as long as a dead name server makes it wait, ten seconds
and more, and Twisted's own resolver has the process wait for that thread when it stops.
"""

import socket
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any, Literal, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorThreads,
    IResolutionReceiver,
)
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

log = Logger()

MOST_AT_ONCE = 4
"""Names that are looked up at a time; further ones wait."""

_FAMILIES: dict[frozenset[type[IAddress]], int] = {
    frozenset([IPv4Address]): socket.AF_INET,
    frozenset([IPv6Address]): socket.AF_INET6,
}
_KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}

LookUp = Callable[[str, int, int, int], Sequence[tuple[Any, ...]]]
"""Like ``socket.getaddrinfo``, called with host, port, family and kind."""


class INamingReactor(IReactorThreads, IReactorPluggableNameResolver):
    """A reactor that is told who looks names up."""


class _Forsaken(Thread):
    """A thread that the process does not wait for when it ends."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(daemon=True, **arguments)


class _Pool(ThreadPool):
    threadFactory: type[Thread] = _Forsaken


@implementer(IHostResolution)
class _Resolution:
    """One name being looked up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@implementer(IHostnameResolver)
class NameResolver:
    """Asks the system's resolver, in threads that nobody has to wait for.

    Args:
        reactor: is given the answers.
        look_up: the system's resolver.
    """

    def __init__(self, reactor: IReactorThreads, look_up: LookUp = socket.getaddrinfo) -> None:
        self._reactor = reactor
        self._look_up = look_up
        self._pool = _Pool(0, MOST_AT_ONCE, "names")
        self._pool.start()

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Look a name up; a name without an address is told as one with none."""
        resolution = _Resolution(hostName)
        family = _FAMILIES.get(frozenset(addressTypes or ()), socket.AF_UNSPEC)
        kind = _KINDS[transportSemantics]
        transport = cast("Literal['TCP', 'UDP']", transportSemantics)
        resolutionReceiver.resolutionBegan(resolution)

        def told(found: Sequence[tuple[Any, ...]]) -> None:
            if resolution.cancelled:
                return
            for family, _kind, _protocol, _name, where in found:
                address = IPv4Address if family == socket.AF_INET else IPv6Address
                resolutionReceiver.addressResolved(address(transport, *where))
            resolutionReceiver.resolutionComplete()

        def unknown(why: Failure) -> list[tuple[Any, ...]]:
            why.trap(socket.gaierror, UnicodeError)
            return []

        asking = deferToThreadPool(
            self._reactor, self._pool, self._look_up, hostName, portNumber, family, kind
        )
        asking.addErrback(unknown).addCallback(told)
        asking.addErrback(lambda why: log.failure("looking up {name}", why, name=hostName))
        return resolution


class Names(Service):
    """Has names looked up in this way while it runs.

    Args:
        reactor: whoever connects through it looks names up.
    """

    name = "names"

    def __init__(self, reactor: INamingReactor) -> None:
        self._reactor = reactor
        self._before: IHostnameResolver | None = None

    def startService(self) -> None:
        """Take the place of the reactor's own resolver."""
        super().startService()  # type: ignore[no-untyped-call]
        self._before = self._reactor.installNameResolver(NameResolver(self._reactor))

    def stopService(self) -> None:
        """Give the place back."""
        super().stopService()  # type: ignore[no-untyped-call]
        before, self._before = self._before, None
        if before is not None:
            self._reactor.installNameResolver(before)
