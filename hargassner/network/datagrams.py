"""UDP ports that know whether a datagram was broadcast, and from which address they answer.

Twisted's own UDP port tells neither, and the relay needs both: what was broadcast goes on as a
broadcast, and the gateway opens its connection to the address that the answer came from.
"""

import errno
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.system import system_reason

log = Logger()

_LARGEST = 65_536
_AT_A_TIME = 32
_WAITING = 64
# Python knows the name from 3.14 on; the number is Linux's.
_PKTINFO = 8 if sys.platform == "linux" else None
_INFO = struct.Struct("=I4s4s")
_NOT_NOW = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS})
_CLOSED = errno.EBADF


DatagramListener = Callable[[bytes, tuple[str, int], int, bool | None], None]
"""What is called with each datagram that came: its data, where it came from, the port that it came
to, and whether it was broadcast, None where the system does not tell."""


@implementer(IReadWriteDescriptor)
class DatagramPort:
    """One bound UDP socket on the reactor.

    Args:
        reactor: where the socket is watched.
        sock: non-blocking and bound.
        listener: is called with every datagram.
        address: the address of this machine that datagrams are sent from; "" lets the system
            choose.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        sock: socket.socket,
        listener: DatagramListener,
        address: str = "",
    ) -> None:
        self.port: int = sock.getsockname()[1]
        self._reactor = reactor
        self._socket = sock
        self._listener = listener
        self._waiting: deque[tuple[bytes, tuple[str, int]]] = deque(maxlen=_WAITING)
        self._from: list[tuple[int, int, bytes]] = []
        if _PKTINFO is not None:
            sock.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
            if address:
                chosen = _INFO.pack(0, socket.inet_aton(address), bytes(4))
                self._from = [(socket.IPPROTO_IP, _PKTINFO, chosen)]
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's file descriptor, -1 when closed."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """How log lines of the reactor name it."""
        return f"UDP port {self.port}"

    def doRead(self) -> None:
        """Hand over what has come."""
        for _ in range(_AT_A_TIME):
            if not self._take_one():
                break

    def _take_one(self) -> bool:
        """Hand one datagram over; whether there may be another one."""
        try:
            data, ancillary, _flags, source = self._socket.recvmsg(
                _LARGEST, socket.CMSG_SPACE(_INFO.size)
            )
        except OSError as wrong:
            # Linux reports an earlier datagram's "port unreachable" here; the port is sound. The
            # listener may have closed it.
            return wrong.errno not in (*_NOT_NOW, _CLOSED)
        with log.failuresHandled("taking a datagram from {source}", source=source[0]):
            self._listener(data, source, self.port, _was_broadcast(ancillary))
        return True

    def send(self, data: bytes, target: tuple[str, int]) -> None:
        """Send one datagram now, or as soon as the system takes it.

        Raises:
            OSError: the system refuses it (no route, too long).
        """
        if self._waiting or not self._sent(data, target):
            self._waiting.append((data, target))
            self._reactor.addWriter(self)

    def doWrite(self) -> None:
        """Send what waited."""
        while self._waiting:
            if not self._sent_or_lost(*self._waiting[0]):
                return
            self._waiting.popleft()
        self._reactor.removeWriter(self)

    def _sent(self, data: bytes, target: tuple[str, int]) -> bool:
        """Send it if the system takes it now.

        Raises:
            OSError: the system refuses it.
        """
        try:
            self._socket.sendmsg([data], self._from, 0, target)
        except OSError as wrong:
            if wrong.errno in _NOT_NOW:
                return False
            raise
        return True

    def _sent_or_lost(self, data: bytes, target: tuple[str, int]) -> bool:
        """Whether the system took it now, or refused it."""
        try:
            return self._sent(data, target)
        except OSError as wrong:
            log.info(
                "a waiting datagram to {target} is lost: {why}",
                target=target[0],
                why=system_reason(wrong),
            )
            return True

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives the descriptor up."""
        self.close()

    def close(self) -> None:
        """Give the port back; nothing comes or goes afterwards."""
        if self._socket.fileno() >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._waiting.clear()
            self._socket.close()


def _was_broadcast(ancillary: list[tuple[int, int, bytes]]) -> bool | None:
    # The system was asked for nothing else.
    for _level, _kind, data in ancillary:
        _index, local, destination = _INFO.unpack(data[: _INFO.size])
        # For a unicast datagram the local address is where it was sent to.
        return bool(local != destination)
    return None
