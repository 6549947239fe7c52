"""The endpoint that a session's connection to the boiler is made with."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorCore,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.discovery import Devices
from hargassner.network.connecting import BoundClientEndpoint, ISocketReactor
from hargassner.network.interface import CannotOpenError, NetworkInterface
from hargassner.network.reasons import UnreachableError, plain_reason

CONNECT_TIMEOUT = 10.0
"""Seconds to find the boiler, and again to connect to it."""


class IBoilerReactor(IReactorCore, ISocketReactor):
    """What connecting to the boiler needs of a reactor."""


@implementer(IStreamClientEndpoint)
class BoilerLine:
    """The endpoint of the boiler: finds it, and connects through its side of the bridge.

    Args:
        reactor: connects.
        devices: know where the boiler is.
        interface: this machine's side of the boiler's network.
        port: the boiler's telnet port.
    """

    def __init__(
        self, reactor: IBoilerReactor, devices: Devices, interface: NetworkInterface, port: int
    ) -> None:
        self._reactor = reactor
        self._devices = devices
        self._interface = interface
        self._port = port
        self.problem = ""

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        """Connect to the boiler; the result is the factory's connected protocol.

        Errors: ``BoilerUnknownError``, ``CannotOpenError``, ``UnreachableError``; ``problem`` says
        it too, until a connection is made.
        """
        address = self._devices.boiler_address(CONNECT_TIMEOUT)
        connecting = address.addCallback(self._connect, protocolFactory)
        return connecting.addCallbacks(self._connected, self._not_connected)

    def _unreachable(self, why: Failure, host: str) -> Failure:
        if why.check(CancelledError, CannotOpenError) is not None:
            return why
        return Failure(UnreachableError(host, plain_reason(why)))

    def _connected(self, protocol: IProtocol) -> IProtocol:
        self.problem = ""
        return protocol

    def _not_connected(self, why: Failure) -> Failure:
        if why.check(CancelledError) is None:
            wrong = why.value
            self.problem = wrong.reason if isinstance(wrong, UnreachableError) else str(wrong)
        return why

    def _connect(self, host: str, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        return self._connect_to(host, factory).addErrback(self._unreachable, host)

    def _connect_to(self, host: str, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        device = self._interface.device()
        if not device:
            bind = (self._interface.address, 0) if self._interface.address else None
            endpoint = TCP4ClientEndpoint(
                self._reactor, host, self._port, timeout=CONNECT_TIMEOUT, bindAddress=bind
            )
            return endpoint.connect(factory)
        resolved: Deferred[str] = self._reactor.resolve(host)
        return resolved.addCallback(
            lambda address: BoundClientEndpoint(
                self._reactor, address, self._port, self._interface, CONNECT_TIMEOUT
            ).connect(factory)
        )
