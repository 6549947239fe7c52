"""What passes on a wire: packet sockets see every frame, whoever sends it and whoever gets it."""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

Address = tuple[str, int]

# Python does not know these names; the numbers are Linux's.
_ETH_P_ALL = 3
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_ARPHRD_LOOPBACK = 772
_TIMESTAMP = struct.Struct("=qq")
_STATISTICS = struct.Struct("=II")

_BUFFER = 256 * 1024 * 1024
_LARGEST = 65_600
_AT_A_TIME = 50_000

_BROADCAST = b"\xff" * 6
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_ICMP, _TCP, _UDP, _ICMPV6, _HOP_BY_HOP = 1, 6, 17, 58, 0
_SYN, _ACK = 0x02, 0x10
_PORT_UNREACHABLE = (3, 3)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram that somebody sent on a network.

    ``time`` is in seconds, ``sender`` the station that put it on the wire, whatever its source
    address says; ``broadcast`` is what its Ethernet frame says.
    """

    time: float
    network: str
    sender: str
    source: Address
    target: Address
    broadcast: bool
    payload: bytes

    def __str__(self) -> str:
        how = "broadcast" if self.broadcast else "unicast"
        return (
            f"{self.sender} on the {self.network}'s network, "
            f"{self.source[0]}:{self.source[1]} to {self.target[0]}:{self.target[1]}, "
            f"{how} {self.payload[:40]!r}"
        )


@dataclass(frozen=True, slots=True)
class Opening:
    """The first segment of a TCP connection that somebody opens."""

    time: float
    network: str
    sender: str
    source: Address
    target: Address

    def __str__(self) -> str:
        return (
            f"{self.sender} on the {self.network}'s network, a connection from "
            f"{self.source[0]}:{self.source[1]} to {self.target[0]}:{self.target[1]}"
        )


@dataclass(frozen=True, slots=True)
class Other:
    """Anything that is neither, nor what every system sends by itself."""

    time: float
    network: str
    sender: str
    kind: str

    def __str__(self) -> str:
        return f"{self.sender} on the {self.network}'s network, {self.kind}"


Seen = Datagram | Opening | Other
Station = tuple[str, str]
"""A network, and who sends on it."""


class Capture:
    """Everything that is sent on the wires that end in one namespace.

    Args:
        sock: a packet socket as ``packet_socket`` makes them.
        station: who sent a frame, from the name of the interface that it was seen on and its
            type (``socket.PACKET_OUTGOING`` …); None if the frame is seen elsewhere too.
    """

    def __init__(self, sock: socket.socket, station: Callable[[str, int], Station | None]) -> None:
        self._socket = sock
        self._station = station
        self._pieces: dict[tuple[object, ...], dict[int, bytes]] = {}
        self._openings: set[tuple[object, ...]] = set()

    def read(self) -> list[Seen]:
        """What was sent since the last time, or a good part of it.

        Raises:
            AssertionError: the system had no room for all of it.
        """
        seen: list[Seen] = []
        for _ in range(_AT_A_TIME):
            try:
                frame, ancillary, _, (name, _, kind, hardware, _) = self._socket.recvmsg(
                    _LARGEST, socket.CMSG_SPACE(_TIMESTAMP.size)
                )
            except BlockingIOError:
                break
            except OSError:
                continue  # An interface went down.
            station = self._station(name, kind)
            if hardware == _ARPHRD_LOOPBACK or station is None:
                continue
            seconds, nanoseconds = _TIMESTAMP.unpack(ancillary[0][2])
            one = self._understand(seconds + nanoseconds / 1e9, station, frame)
            if one is not None:
                seen.append(one)
        _, dropped = _STATISTICS.unpack(
            self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        )
        assert not dropped, f"{dropped} frames came faster than they could be counted"
        return seen

    def close(self) -> None:
        """See nothing any more."""
        self._socket.close()

    def _understand(self, moment: float, station: Station, frame: bytes) -> Seen | None:
        where = (moment, *station)
        ethertype = int.from_bytes(frame[12:14], "big")
        packet = frame[14:]
        if ethertype == _ARP:
            return None
        if ethertype == _IPV6:
            # Every system looks for its devices and its routers.
            next_header = packet[6]
            system_s_own = next_header in (_ICMPV6, _HOP_BY_HOP)
            return None if system_s_own else Other(*where, f"IPv6, next header {next_header}")
        if ethertype != _IPV4:
            return Other(*where, f"a frame of type {ethertype:04x}")
        size = (packet[0] & 15) * 4
        protocol = packet[9]
        source, target = (socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16))
        whole = self._joined(station, packet, size)
        if whole is None:
            return None
        if protocol == _UDP:
            ports = struct.unpack_from("!HHH", whole)
            return Datagram(
                *where,
                (source, ports[0]),
                (target, ports[1]),
                frame[:6] == _BROADCAST,
                whole[8 : ports[2]],
            )
        if protocol == _TCP:
            ports = struct.unpack_from("!HHI", whole)
            opening = (station, source, target, *ports)
            if whole[13] & (_SYN | _ACK) != _SYN or opening in self._openings:
                return None
            self._openings.add(opening)  # It is repeated until it is answered.
            return Opening(*where, (source, ports[0]), (target, ports[1]))
        if protocol == _ICMP and (whole[0], whole[1]) == _PORT_UNREACHABLE:
            return None
        return Other(*where, f"IP protocol {protocol} to {target}, {whole[:2].hex()}")

    def _joined(self, station: Station, packet: bytes, size: int) -> bytes | None:
        """What a packet carries, or the whole that it is the last piece of."""
        length, identity, place = struct.unpack_from("!HHH", packet, 2)
        content = packet[size:length]
        more, offset = place & 0x2000, (place & 0x1FFF) * 8
        if not more and not offset:
            return content
        key = (station, packet[12:20], packet[9], identity)
        pieces = self._pieces.setdefault(key, {})
        pieces[offset] = content
        if not more:
            pieces[-1] = b""  # The end is known.
        joined = b"".join(pieces[each] for each in sorted(pieces))
        last = max(pieces)
        if -1 not in pieces or len(joined) != last + len(pieces[last]):
            return None
        del self._pieces[key]
        return joined


def packet_socket() -> socket.socket:
    """A socket that sees all frames of the namespace that it is made in.

    Raises:
        OSError: the system does not allow it.
    """
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return sock


class Observation:
    """Everything that was seen on all wires, in order."""

    def __init__(self, captures: list[Capture]) -> None:
        self._captures = captures
        self._all: list[Seen] = []

    def all(self) -> list[Seen]:
        """All that was seen so far."""
        new = [one for each in self._captures for one in each.read()]
        if new:
            self._all = sorted([*self._all, *new], key=lambda one: one.time)
        return self._all

    def datagrams(self) -> list[Datagram]:
        """The datagrams that were seen so far."""
        return [one for one in self.all() if isinstance(one, Datagram)]

    def wait_for_rest(self, silence: float = 0.3, timeout: float = 3.0) -> list[Datagram]:
        """The datagrams, as soon as none has come for a while.

        Raises:
            AssertionError: they come and come.
        """
        began = time.monotonic()
        before = found = self.datagrams()
        while True:
            count, found = len(found), self.datagrams()
            # Under a storm the newest that has been read is old.
            if len(found) == count and not (found and time.time() - found[-1].time < silence):
                return found
            if (passed := time.monotonic() - began) > timeout:
                rate = (len(found) - len(before)) / passed
                raise AssertionError(
                    f"no rest: {rate:.0f} datagrams a second, {len(found)} in all, the last one: "
                    f"{found[-1]}"
                )
            time.sleep(0.02)
