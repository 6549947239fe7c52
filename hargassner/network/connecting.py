"""A client endpoint whose socket is bound to an interface before it connects."""

import errno
import os
import socket
from contextlib import ExitStack
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import NoProtocol, UserError, getConnectError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IReactorFDSet,
    IReactorSocket,
    IReactorTime,
    IReadWriteDescriptor,
    IStreamClientEndpoint,
    ISystemHandle,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.interface import CannotOpenError, NetworkInterface, bind_to_device
from hargassner.network.sockets import notice_loss


class ISocketReactor(IReactorFDSet, IReactorSocket, IReactorTime):
    """A reactor that watches descriptors, adopts sockets and tells the time."""


class IStreamTransport(ITCPTransport, IConsumer, IPushProducer):
    """A TCP transport as it really is: it can be paused, and pauses whoever fills it."""


def notice_its_loss(transport: object) -> None:
    """Let a transport whose peer vanished without a word be lost within a minute."""
    if ISystemHandle.providedBy(transport):
        notice_loss(cast("socket.socket", transport.getHandle()))


def _connect_error(code: int) -> Failure:
    """What Twisted makes of the system's error number."""
    return Failure(getConnectError((code, os.strerror(code))))


@implementer(IReadWriteDescriptor)
class _Attempt:
    """One connection being established."""

    def __init__(
        self, reactor: ISocketReactor, sock: socket.socket, done: "Deferred[socket.socket]"
    ) -> None:
        self._reactor = reactor
        self._socket = sock
        self._done: Deferred[socket.socket] | None = done

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "connecting"

    def doRead(self) -> None:
        """Nothing is read before the connection is up."""

    def doWrite(self) -> None:
        self.decide()

    def connectionLost(self, reason: Failure) -> None:
        self.decide()

    def decide(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(_connect_error(code))
        elif self._done is not None:
            done, self._done = self._done, None
            self._reactor.removeWriter(self)
            done.callback(self._socket)

    def fail(self, why: Failure) -> None:
        if self._done is not None:
            done, self._done = self._done, None
            self._reactor.removeWriter(self)
            self._socket.close()
            done.errback(why)


@implementer(IStreamClientEndpoint)
class BoundClientEndpoint:
    """Connects to an IPv4 address through one interface, whatever the routes say.

    The two networks of the bridge may use the same addresses; only the interface tells then
    where the boiler is.

    Args:
        reactor: where the socket is watched.
        host: an IPv4 address.
        port: the TCP port.
        interface: this machine's side, and perhaps the address to connect from.
        timeout: seconds until an attempt is given up.
    """

    def __init__(
        self,
        reactor: ISocketReactor,
        host: str,
        port: int,
        interface: NetworkInterface,
        timeout: float,
    ) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._interface = interface
        self._timeout = timeout

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        """Connect; the result is the connected protocol.

        Errors: ``twisted.internet.error.ConnectError`` and its kin, and ``CannotOpenError``
        where the interface is absent.
        """
        try:
            sock = self._open()
        except CannotOpenError:
            return fail(Failure())
        except OSError as wrong:
            return fail(_connect_error(wrong.errno or 0))
        attempt: _Attempt

        def cancelled(_: "Deferred[socket.socket]") -> None:
            attempt.fail(Failure(UserError("cancelled")))

        connected: Deferred[socket.socket] = Deferred(cancelled)
        attempt = _Attempt(self._reactor, sock, connected)

        too_late = Failure(ConnectTimeout("no answer"))
        connected.addTimeout(self._timeout, self._reactor, lambda *_: too_late)
        self._reactor.addWriter(attempt)
        return connected.addCallback(self._adopt, protocolFactory)

    def _open(self) -> socket.socket:
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            sock.setblocking(False)
            bind_to_device(sock, self._interface.device())
            if self._interface.address:
                sock.bind((self._interface.address, 0))
            code = sock.connect_ex((self._host, self._port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            undo.pop_all()
        return sock

    def _adopt(self, sock: socket.socket, factory: IProtocolFactory) -> IProtocol:
        with sock:
            factory.doStart()
            protocol = factory.buildProtocol(IPv4Address("TCP", self._host, self._port))
            if protocol is None:
                raise NoProtocol
            self._reactor.adoptStreamConnection(
                sock.fileno(),
                socket.AF_INET,
                SingleFactory(protocol),  # type: ignore[arg-type]
            )
        return protocol


class SingleFactory(Factory[Protocol]):
    """Makes the one protocol that is there already."""

    noisy = False

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """The one."""
        return cast("Protocol", self._protocol)
