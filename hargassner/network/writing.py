"""Writing what one connection reads to another one, with no turn of the reactor in between."""

import socket
from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IPullProducer, ISystemHandle
from zope.interface import implementer

from hargassner.network.connecting import IStreamTransport


def joined(source: IStreamTransport, transport: IStreamTransport) -> Callable[[bytes], None]:
    """What writes to a transport what ``source`` reads, which is paused while the peer is slow.

    The kernel has taken the bytes when it returns, as far as it does take them. A transport itself
    hands them over in the reactor's next turn only, has the reactor watch for that and watch no
    longer each time, and so they would wait for whatever is still to be done in this turn. Nothing
    else may write to the transport, and nothing may be written once it has been told to close.
    """
    if ISystemHandle.providedBy(transport):
        return _Writer(source, transport).write
    transport.registerProducer(source, True)
    return transport.write


@implementer(IPullProducer)
class _Writer:
    """Writes to a transport's socket; what that does not take is the transport's to write.

    As its producer it is told whenever the transport has nothing left to write. Only then the
    socket may be written to directly again.
    """

    __slots__ = ("_full", "_send", "_source", "_transport")

    def __init__(self, source: IStreamTransport, transport: IStreamTransport) -> None:
        sock = cast("socket.socket", cast("ISystemHandle", transport).getHandle())
        self._send = sock.send
        self._source = source
        self._transport = transport
        self._full = False
        transport.registerProducer(self, False)

    def write(self, data: bytes) -> None:
        """Have the bytes taken."""
        if self._full:
            self._transport.write(data)
            return
        sent = self._sent(data)
        if sent < len(data):
            self._full = True
            self._source.pauseProducing()
            self._transport.write(data[sent:])

    def _sent(self, data: bytes) -> int:
        """How many of the bytes the kernel takes now."""
        try:
            return self._send(data)
        except OSError:
            # It is full, or gone: the transport comes across that when it writes them itself.
            return 0

    def resumeProducing(self) -> None:
        """The transport has written all it had."""
        if self._full:
            self._full = False
            self._source.resumeProducing()

    def stopProducing(self) -> None:
        """The transport is gone: whatever is read for it would go nowhere."""
        self._source.stopProducing()
