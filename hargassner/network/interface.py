"""This machine's interface on one network, and its address, which may change."""

import errno
import socket
from collections.abc import Mapping
from contextlib import suppress

from twisted.logger import Logger

from hargassner.network.interfaces import interface_index, ipv4_addresses

log = Logger()

_MOST_STRANGERS = 256
"""Addresses that are not ours for which the system is asked again between two looks."""

_NOT_ASKED: Mapping[str, tuple[str, ...]] = {}
"""What is known of the interfaces before the system has been asked."""

_BIND_TO_DEVICE: int = getattr(socket, "SO_BINDTODEVICE", 0)
"""The system's number of the option, 0 where it has none."""


class CannotOpenError(Exception):
    """A socket cannot be opened; the message is one line for the user."""


class NotThereYetError(CannotOpenError):
    """The interface or the address is absent now, and may come (back) by itself."""


class NetworkInterface:
    """Where a side of the bridge is: an interface, an address of this machine, both or neither.

    With an interface, sockets are bound to that device and to the wildcard address, because on
    Linux a socket bound to one unicast address gets no broadcasts (docs/protocol.md, section 1).
    With an address alone, the interface that carries it is used in the same way, except on the
    loopback interface, which many addresses share.

    An address may change while the bridge runs, as DHCP wants it.  The interface that carried the
    configured one is remembered, and its first address takes the place of one that is gone, until
    the configured one is back.

    Args:
        interface: the interface's name, or "".
        address: the configured address, or "" for any.
    """

    def __init__(self, interface: str = "", address: str = "") -> None:
        self.interface = interface
        self.configured_address = address
        # The loopback interface has each of its addresses, listed or not.
        self._may_change = bool(address) and not address.startswith("127.")
        self._address = address
        self._carrier = interface
        self._found = _NOT_ASKED
        self._strangers: set[str] = set()

    @property
    def address(self) -> str:
        """This machine's address on this side now, to bind to and to send from; "" for any."""
        return self._address

    def look(self) -> None:
        """Ask the system which addresses there are; ``device`` and ``identity`` do it, too.

        Raises:
            OSError: it cannot be asked now; what was known stays.
        """
        self._found = ipv4_addresses()
        self._strangers = set()
        if self._may_change:
            self._choose_address()

    def _choose_address(self) -> None:
        """Use the configured address where an interface has it, else one that took its place."""
        self._carrier = self._carrier_of(self.configured_address) or self._carrier
        there = self._carried
        replacement = () if self._carrier == "lo" else there[:1]
        preferred = (self.configured_address, self._address, *replacement)
        self._use(next(filter(there.__contains__, preferred), self._address))

    @property
    def _carried(self) -> tuple[str, ...]:
        """The addresses of the interface that has, or had, the configured one."""
        return self._found.get(self._carrier, ())

    def _carrier_of(self, address: str) -> str:
        """The interface that has an address now, the configured one where there is one, or ""."""
        for name, addresses in self._found.items():
            if address in addresses and self.interface in ("", name):
                return name
        return ""

    def _use(self, address: str) -> None:
        if address != self._address:
            self._address = address
            self._say_changed(address)

    def _say_changed(self, address: str) -> None:
        if address == self.configured_address:
            log.info(
                "{interface} has the configured address {address} again: it is used",
                interface=self._carrier,
                address=address,
            )
            return
        advice = "" if self.interface else ' (better configure interface = "{interface}")'
        log.warn(
            "{configured} is gone from {interface}, which has {address} now: that one is used"
            + advice,
            configured=self.configured_address,
            interface=self._carrier,
            address=address,
        )

    def owns(self, address: str) -> bool:
        """Whether an address is this machine's own on this side.

        On Linux it costs a system call only for an address that has not been asked for since the
        last look, so that it can be asked for each datagram.

        Raises:
            OSError: the system has not been asked yet, and cannot be asked now.
        """
        if self._found is _NOT_ASKED:
            self.look()
        return self._is_known(address) or self._is_new(address)

    def _is_new(self, address: str) -> bool:
        """Whether it became ours just now: what is heard of ourselves must not be missed."""
        strangers = self._strangers
        if address in strangers or len(strangers) >= _MOST_STRANGERS:
            return False
        with suppress(OSError):
            self.look()
        strangers.add(address)
        self._strangers = strangers
        return self._is_known(address)

    def _is_known(self, address: str) -> bool:
        if self.interface or self._address in self._carried:
            return address in self._carried
        if self._address:
            return address == self._address
        return self._is_of_machine(address)

    def _is_of_machine(self, address: str) -> bool:
        """Whether any interface has it, as far as the system told."""
        if not self._found:
            return is_own_address(address)
        return address.startswith("127.") or bool(self._carrier_of(address))

    def device(self) -> str:
        """The interface to bind sockets to, or "" where there is none to bind to.

        Raises:
            NotThereYetError: the interface, or an interface with this address, is absent.
            CannotOpenError: this system cannot bind sockets to interfaces.
            OSError: the system cannot be asked now.
        """
        if self.interface:
            return self._device_of_name()
        if self._may_change and _BIND_TO_DEVICE:
            self.look()
            return self._device_of_address()
        return ""

    def _device_of_name(self) -> str:
        """The configured interface, which must be there."""
        if not _BIND_TO_DEVICE:
            raise CannotOpenError(
                f"interface {self.interface}: this system cannot tie sockets to an interface; "
                "give the address instead"
            )
        self.look()
        if not interface_index(self.interface):
            raise NotThereYetError(f"there is no interface {self.interface}")
        return self.interface

    def _device_of_address(self) -> str:
        """The interface whose first address is in use, or "" for a further address of one."""
        for name, (first, *_) in self._found.items():
            if first == self._address:
                return name
        if not is_own_address(self._address):
            raise NotThereYetError(
                f"no interface of this machine has the address {self.configured_address}"
            )
        return ""

    def identity(self) -> tuple[str, int, str] | None:
        """What the sockets of this side depend on now; it changes when they must be reopened.

        An interface that went away and came back has the same name and another index, and a
        socket bound to the old one stays deaf.  ``None`` while it is absent.

        Raises:
            OSError: the system cannot be asked now, which says nothing of the interface.
        """
        try:
            name = self.device()
        except CannotOpenError:
            return None
        return (name, interface_index(name), self._address)

    def may_meet(self, other: "NetworkInterface") -> bool:
        """Whether sockets of both sides may be bound to the same port of one interface."""
        devices = {self._device_or_name(), other._device_or_name()}
        return "" in devices or len(devices) == 1

    def _device_or_name(self) -> str:
        """The interface to bind to, or the configured one while there is none to bind to."""
        try:
            return self.device()
        except CannotOpenError:
            return self.interface

    def __str__(self) -> str:
        if self._address != self.configured_address:
            return f"{self._carrier} ({self._address})"
        return self.interface or self._address or "any interface"


def is_own_address(address: str) -> bool:
    """Whether this machine has the address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def bind_to_device(sock: socket.socket, device: str) -> None:
    """Let a socket send and receive on one interface only; call it before ``bind``.

    Raises:
        OSError: the interface is absent, or the system does not allow it.
    """
    if device:
        if not _BIND_TO_DEVICE:
            raise OSError(errno.ENOTSUP, "sockets cannot be tied to an interface")
        sock.setsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, device.encode() + b"\0")
