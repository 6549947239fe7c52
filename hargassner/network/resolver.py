"""Resolving names without anybody having to wait for it, at the end least of all.

The system's resolver blocks, for half a minute where name servers do not answer. Twisted asks it
in a pool of threads that it waits for when the reactor stops, so that a daemon could not be
stopped within its few seconds.
"""

import socket
from collections.abc import Sequence
from threading import Thread
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer

from hargassner.services import Service

_FAMILIES = {
    frozenset([IPv4Address]): socket.AF_INET,
    frozenset([IPv6Address]): socket.AF_INET6,
}
_KINDS: dict[int, type[IPv4Address] | type[IPv6Address]] = {
    socket.AF_INET: IPv4Address,
    socket.AF_INET6: IPv6Address,
}
_SOCKETS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}

Question = tuple[str, int, int, int]
"""Name, port, address family and type of socket, as getaddrinfo takes them."""


class INamesReactor(IReactorFromThreads, IReactorPluggableNameResolver):
    """A reactor that takes a resolver, and calls from threads."""


@implementer(IHostResolution)
class _Resolution:
    """Somebody who waits for an answer."""

    def __init__(self, name: str, receiver: IResolutionReceiver, transport: str) -> None:
        self.name = name
        self._receiver: IResolutionReceiver | None = receiver
        self._transport = transport
        receiver.resolutionBegan(self)

    def cancel(self) -> None:
        self._receiver = None

    def answered(self, found: Sequence[Any]) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            for family, _, _, _, place in found:
                receiver.addressResolved(_KINDS[family](cast(Any, self._transport), *place))
            receiver.resolutionComplete()


@implementer(IHostnameResolver)
class SystemResolver:
    """Asks the system, in a thread that nobody waits for.

    Who asks what is being asked already shares the answer: a name server that does not answer
    costs one thread a question.

    Args:
        reactor: takes the answers.
    """

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._waiting: dict[Question, list[_Resolution]] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Give the receiver the addresses of a host; none where there are none."""
        family = _FAMILIES.get(frozenset(addressTypes or ()), socket.AF_UNSPEC)
        question = (hostName, portNumber, family, _SOCKETS[transportSemantics])
        resolution = _Resolution(hostName, resolutionReceiver, transportSemantics)
        waiting = self._waiting.setdefault(question, [])
        waiting.append(resolution)
        if len(waiting) == 1:
            Thread(target=self._ask, args=(question,), name="resolver", daemon=True).start()
        return resolution

    def _ask(self, question: Question) -> None:
        name, *rest = question
        try:
            # Python would load its tables of international names for any text.
            host = name.encode("ascii") if name.isascii() else name
            found: Sequence[Any] = socket.getaddrinfo(host, *rest)
        except (OSError, UnicodeError):
            found = ()
        self._reactor.callFromThread(self._answered, question, found)

    def _answered(self, question: Question, found: Sequence[Any]) -> None:
        for each in self._waiting.pop(question):
            each.answered(found)


class Names(Service):
    """Has the reactor resolve names by ``SystemResolver`` while the service runs."""

    name = "names"

    def __init__(self, reactor: INamesReactor) -> None:
        self._reactor = reactor
        self._before: IHostnameResolver | None = None

    def startService(self) -> None:
        """Take the place of the reactor's resolver."""
        super().startService()
        self._before = self._reactor.installNameResolver(SystemResolver(self._reactor))

    def stopService(self) -> None:
        """Give it back."""
        super().stopService()
        if self._before is not None:
            self._reactor.installNameResolver(self._before)
