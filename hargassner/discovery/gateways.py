"""Which gateway is believed.

Anybody on the network can send a datagram that says "I am the gateway". Only the gateway can log
in to the boiler. So the one that logged in last, known by its serial number and its address, is
the gateway; whoever else announces itself is a candidate, which may connect from its own address
and becomes the gateway when it logs in.

What an announcement means, and what follows (docs/security.md has the table):

============ ================ ===================================== ================
state        from the         from elsewhere, with the gateway's    any other
             gateway's own    serial number
             address
============ ================ ===================================== ================
nobody       (none is known)  (none is known)                       candidate
away         it starts over   it moved: its old session may end     candidate
present      it starts over   candidate                             candidate
============ ================ ===================================== ================

``nobody``: none has logged in yet. ``present``: its session heard something of it within the last
minute. ``away``: it has no session, or a silent one.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from automat import TypeMachineBuilder

from hargassner.discovery.packets import Announcement

MOST_CANDIDATES = 16
"""Candidates that are remembered; with more, the one that announced itself longest ago goes."""
SILENT_AFTER = 60.0
"""Seconds without a byte from the gateway after which its session no longer speaks for it."""


@dataclass(frozen=True, slots=True)
class FoundGateway:
    """A gateway, and what it said of itself."""

    address: str
    announcement: Announcement


_NOBODY = FoundGateway("", Announcement("", ""))


class _Found(Protocol):
    @property
    def address(self) -> str: ...


def address_of(found: _Found | None) -> str | None:
    """Where a device is; None while none was found."""
    return found.address if found is not None else None


class Verdict(Enum):
    """What an announcement means."""

    STARTS_OVER = auto()
    """It is the gateway, where it was."""
    MOVED = auto()
    """It is the gateway, at another address than the one that it logged in from."""
    CANDIDATE = auto()
    """It may be a gateway, and is believed when it logs in."""


class _Trust(Protocol):
    """What the state of the trusted gateway depends on."""

    def recalled(self) -> None:
        """A gateway is remembered that had logged in before a restart."""

    def logged_in(self) -> None:
        """A gateway logged in; it is the trusted one from now on."""

    def heard(self) -> None:
        """The trusted gateway's session heard something of it within the last minute."""

    def silent(self) -> None:
        """It has no session, or nothing came from it for a minute."""

    def announced_itself(self) -> Verdict:
        """An announcement came from its own address."""

    def announced_elsewhere(self) -> Verdict:
        """An announcement with its serial number came from another address."""

    def another_announced(self) -> Verdict:
        """An announcement of somebody else came."""


class _Nothing:
    """The states hold no data: the gateway's name and address are ``Gateways``'s."""


def _machine() -> Callable[[_Nothing], _Trust]:
    builder = TypeMachineBuilder(_Trust, _Nothing)
    nobody, away, present = map(builder.state, ["nobody", "away", "present"])

    nobody.upon(_Trust.recalled).to(away).returns(None)
    for state in (nobody, away, present):
        state.upon(_Trust.logged_in).to(present).returns(None)
        state.upon(_Trust.another_announced).loop().returns(Verdict.CANDIDATE)
    for state in (away, present):
        state.upon(_Trust.heard).to(present).returns(None)
        state.upon(_Trust.silent).to(away).returns(None)
        state.upon(_Trust.announced_itself).loop().returns(Verdict.STARTS_OVER)
    away.upon(_Trust.announced_elsewhere).loop().returns(Verdict.MOVED)
    present.upon(_Trust.announced_elsewhere).loop().returns(Verdict.CANDIDATE)
    return builder.build()


_new_trust = _machine()


class Gateways:
    """The gateway that logged in, and whoever else says to be one.

    ``trusted`` is where and as what a gateway logged in last, None before the first. ``gateway``
    is what is shown and answered: the trusted one, at the address that it moved to where it did;
    before any login the candidate that announced itself last.
    """

    def __init__(self) -> None:
        self.trusted: FoundGateway | None = None
        self.gateway: FoundGateway | None = None
        self._candidates: OrderedDict[str, Announcement] = OrderedDict()
        self._trust = _new_trust(_Nothing())

    def recall(self, gateway: FoundGateway | None, *, logged_in: bool) -> None:
        """Start from what was known before a restart, and from nothing else."""
        self.gateway = gateway
        self.trusted = gateway if logged_in else None
        self._candidates.clear()
        self._trust = _new_trust(_Nothing())
        if self.trusted is not None:
            self._trust.recalled()
        elif gateway is not None:
            self._remember(gateway.address, gateway.announcement)

    def knows(self, address: str) -> bool:
        """Whether a gateway, trusted or a candidate, has this address."""
        return address in (
            address_of(self.trusted),
            address_of(self.gateway),
            *self._candidates,
        )

    def announced(self, address: str, announcement: Announcement, silence: float | None) -> Verdict:
        """A gateway announced itself.

        Args:
            address: where it came from, which can be forged.
            announcement: what it said.
            silence: seconds since the trusted gateway's session heard something of it; None
                without a session.
        """
        announcing = FoundGateway(address, announcement)
        if self.trusted is None:
            self.gateway = announcing
            self._remember(address, announcement)
            return self._trust.another_announced()
        self._note_silence(silence)
        return self._announced_to(self.trusted, announcing)

    def _note_silence(self, silence: float | None) -> None:
        if silence is None or silence >= SILENT_AFTER:
            self._trust.silent()
        else:
            self._trust.heard()

    def _announced_to(self, trusted: FoundGateway, announcing: FoundGateway) -> Verdict:
        """A gateway announced itself while one is trusted."""
        announcement = announcing.announcement
        its_number = announcement.serial == trusted.announcement.serial != ""
        verdict = self._judged(
            its_address=announcing.address == trusted.address, its_number=its_number
        )
        if verdict is Verdict.STARTS_OVER and its_number:
            self.trusted = self.gateway = announcing
            return verdict
        if verdict is Verdict.STARTS_OVER:
            self.gateway = trusted
        elif verdict is Verdict.MOVED:
            self.gateway = announcing
        self._remember(announcing.address, announcement)
        return verdict

    def _judged(self, *, its_address: bool, its_number: bool) -> Verdict:
        if its_address:
            return self._trust.announced_itself()
        if its_number:
            return self._trust.announced_elsewhere()
        return self._trust.another_announced()

    def logged_in(self, address: str) -> FoundGateway:
        """The boiler took a login from this address: that is the gateway from now on."""
        former = self.trusted or _NOBODY
        known = former if former.address == address else _NOBODY
        announcement = self._candidates.pop(address, known.announcement)
        if former.address not in ("", address):
            self._remember(former.address, former.announcement)
        self.trusted = self.gateway = FoundGateway(address, announcement)
        self._trust.logged_in()
        return self.trusted

    def _remember(self, address: str, announcement: Announcement) -> None:
        self._candidates[address] = announcement
        self._candidates.move_to_end(address)
        while len(self._candidates) > MOST_CANDIDATES:
            self._candidates.popitem(last=False)
