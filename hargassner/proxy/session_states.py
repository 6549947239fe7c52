"""The states of a session, what each of them holds, and what leads from one to the next.

============ ======================= ==================================================
state        holds                   is left when
============ ======================= ==================================================
new          nothing                 the client connects
connecting   the attempt             the boiler connects, or cannot be reached
relaying     both writers            one side sends FIN
half-closed  the timer of silence    the other side sends FIN too, or says nothing
ending       the timer of the RST    both connections are gone
over         nothing                 never
============ ======================= ==================================================

Whatever ends a session leads to ``ending`` from any state before. An input that comes while another
one is dealt with is dealt with after it.
"""

from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol
from twisted.python.failure import Failure

from hargassner.proxy.protocols import BoilerProtocol, Leg, ProxyProtocol
from hargassner.proxy.relaying import HALF_CLOSED_TIMEOUT, HalfClosed, Relaying
from hargassner.proxy.session_core import SessionCore

CLOSE_TIMEOUT = 1.0
"""Seconds between the FIN that ends a session and the RST, if need be."""
FLUSH_TIMEOUT = 30.0
"""Seconds that a slow peer has for what was said before both sides closed."""


class SessionInputs(Protocol):
    """What can happen to a session."""

    def client_connected(self, client: ProxyProtocol, /) -> None:
        """The client connected; nothing is read from it yet."""

    def boiler_connected(self, boiler: BoilerProtocol, /) -> None:
        """The boiler connected."""

    def not_connected(self, why: Failure, /) -> None:
        """The boiler cannot be reached, or something failed when it was connected."""

    def leg_finished(self, leg: Leg, /) -> None:
        """One side sent FIN."""

    def leg_lost(self, leg: Leg, reason: Failure, /) -> None:
        """One connection is gone."""

    def announced(self) -> None:
        """The gateway that the session belongs to announced itself."""

    def end(self, reason: str, timeout: float, /) -> None:
        """Both sides are to end: FIN, and RST ``timeout`` seconds later to whoever has not closed.

        A session that ends already is not given more time than this.
        """

    def half_close(self, relaying: Relaying, leg: Leg, /) -> None:
        """One side of two sent FIN; only the machine says so."""

    def all_gone(self) -> None:
        """Both connections are gone; only the machine says so."""


# What each state holds.


def _connect(
    inputs: SessionInputs, core: SessionCore, client: ProxyProtocol
) -> "Deferred[IProtocol]":
    """Connecting holds the attempt."""
    return core.connect(inputs, client)


def _relay(_inputs: SessionInputs, core: SessionCore, boiler: BoilerProtocol) -> Relaying:
    """Relaying holds both writers."""
    return core.relay(boiler)


def _half_close(
    inputs: SessionInputs, core: SessionCore, relaying: Relaying, leg: Leg
) -> HalfClosed:
    """Half-closed holds the timer of silence."""
    silence = core.clock.callLater(
        HALF_CLOSED_TIMEOUT, inputs.end, "half-closed, silent", CLOSE_TIMEOUT
    )
    return HalfClosed(relaying, relaying.other(leg), silence)


def _end(_inputs: SessionInputs, core: SessionCore, _reason: str, timeout: float) -> IDelayedCall:
    """Ending holds the timer of the RST."""
    core.relaying = None
    return core.clock.callLater(timeout, core.abort_legs)


# What is done in more than one state.


def _close(inputs: SessionInputs, core: SessionCore, reason: str) -> None:
    core.because(reason)
    core.start_over.stop()
    core.close_legs()
    if not core.legs:
        inputs.all_gone()


def _lose(inputs: SessionInputs, core: SessionCore, leg: Leg, reason: Failure) -> None:
    if core.remove(leg, reason):
        inputs.end(f"{leg.name} closed", CLOSE_TIMEOUT)


def _finish(inputs: SessionInputs, _core: SessionCore, leg: Leg) -> None:
    inputs.end(f"{leg.name} closed", FLUSH_TIMEOUT)


def _not_connected(inputs: SessionInputs, core: SessionCore, why: Failure) -> None:
    inputs.end(core.not_connected(why), CLOSE_TIMEOUT)


def _drop(_inputs: SessionInputs, _core: SessionCore, boiler: BoilerProtocol) -> None:
    boiler.tcp.abortConnection()


def _announce(_inputs: SessionInputs, core: SessionCore) -> None:
    core.start_over.announced()


_builder = TypeMachineBuilder(SessionInputs, SessionCore)
_new = _builder.state("new")
_connecting = _builder.state("connecting", _connect)
_relaying = _builder.state("relaying", _relay)
_half_closed = _builder.state("half-closed", _half_close)
_ending = _builder.state("ending", _end)
_over = _builder.state("over")

# Without a behaviour of their own.

_new.upon(SessionInputs.client_connected).to(_connecting).returns(None)
_new.upon(SessionInputs.boiler_connected).loop()(_drop)
_new.upon(SessionInputs.not_connected).loop().returns(None)
_new.upon(SessionInputs.leg_finished).loop().returns(None)
_new.upon(SessionInputs.leg_lost).loop().returns(None)
_new.upon(SessionInputs.announced).loop().returns(None)

_connecting.upon(SessionInputs.client_connected, nodata=True).loop().returns(None)
_connecting.upon(SessionInputs.not_connected, nodata=True).loop()(_not_connected)
_connecting.upon(SessionInputs.boiler_connected, nodata=True).to(_relaying).returns(None)
_connecting.upon(SessionInputs.leg_finished, nodata=True).loop()(_finish)
_connecting.upon(SessionInputs.leg_lost, nodata=True).loop()(_lose)
_connecting.upon(SessionInputs.announced, nodata=True).loop()(_announce)

_relaying.upon(SessionInputs.client_connected, nodata=True).loop().returns(None)
_relaying.upon(SessionInputs.boiler_connected, nodata=True).loop()(_drop)
_relaying.upon(SessionInputs.not_connected, nodata=True).loop()(_not_connected)
_relaying.upon(SessionInputs.leg_lost, nodata=True).loop()(_lose)
_relaying.upon(SessionInputs.announced, nodata=True).loop()(_announce)

_half_closed.upon(SessionInputs.client_connected, nodata=True).loop().returns(None)
_half_closed.upon(SessionInputs.boiler_connected, nodata=True).loop()(_drop)
_half_closed.upon(SessionInputs.not_connected, nodata=True).loop()(_not_connected)
_half_closed.upon(SessionInputs.leg_finished, nodata=True).loop()(_finish)
_half_closed.upon(SessionInputs.leg_lost, nodata=True).loop()(_lose)
_half_closed.upon(SessionInputs.announced, nodata=True).loop()(_announce)

_ending.upon(SessionInputs.client_connected, nodata=True).loop().returns(None)
_ending.upon(SessionInputs.boiler_connected, nodata=True).loop()(_drop)
_ending.upon(SessionInputs.not_connected, nodata=True).loop().returns(None)
_ending.upon(SessionInputs.leg_finished, nodata=True).loop().returns(None)
_ending.upon(SessionInputs.announced, nodata=True).loop().returns(None)

_over.upon(SessionInputs.client_connected).loop().returns(None)
_over.upon(SessionInputs.boiler_connected).loop()(_drop)
_over.upon(SessionInputs.not_connected).loop().returns(None)
_over.upon(SessionInputs.leg_finished).loop().returns(None)
_over.upon(SessionInputs.leg_lost).loop().returns(None)
_over.upon(SessionInputs.announced).loop().returns(None)
_over.upon(SessionInputs.end).loop().returns(None)

# Relaying.


@_relaying.upon(SessionInputs.leg_finished).loop()
def _first_finished(inputs: SessionInputs, core: SessionCore, relaying: Relaying, leg: Leg) -> None:
    core.because(f"{leg.name} closed")
    core.relaying = None
    inputs.half_close(relaying, leg)


@_relaying.upon(SessionInputs.half_close, nodata=True).to(_half_closed)
def _half_closing(_inputs: SessionInputs, _core: SessionCore, relaying: Relaying, leg: Leg) -> None:
    relaying.half_close(leg)


# Ending.


@_new.upon(SessionInputs.end).to(_ending)
def _end_new(inputs: SessionInputs, core: SessionCore, reason: str, _timeout: float) -> None:
    _close(inputs, core, reason)


@_connecting.upon(SessionInputs.end).to(_ending)
def _end_connecting(
    inputs: SessionInputs,
    core: SessionCore,
    attempt: "Deferred[IProtocol]",
    reason: str,
    _timeout: float,
) -> None:
    attempt.cancel()
    _close(inputs, core, reason)


@_relaying.upon(SessionInputs.end).to(_ending)
def _end_relaying(
    inputs: SessionInputs, core: SessionCore, relaying: Relaying, reason: str, _timeout: float
) -> None:
    relaying.end()
    _close(inputs, core, reason)


@_half_closed.upon(SessionInputs.end).to(_ending)
def _end_half_closed(
    inputs: SessionInputs, core: SessionCore, half_closed: HalfClosed, reason: str, _timeout: float
) -> None:
    half_closed.end()
    _close(inputs, core, reason)


@_ending.upon(SessionInputs.end).loop()
def _hasten(
    _inputs: SessionInputs, core: SessionCore, abort: IDelayedCall, _reason: str, timeout: float
) -> None:
    if abort.active() and abort.getTime() > core.clock.seconds() + timeout:
        abort.reset(timeout)


@_ending.upon(SessionInputs.leg_lost, nodata=True).loop()
def _lost(inputs: SessionInputs, core: SessionCore, leg: Leg, reason: Failure) -> None:
    if core.remove(leg, reason) and not core.legs:
        inputs.all_gone()


@_ending.upon(SessionInputs.all_gone).to(_over)
def _all_gone(_inputs: SessionInputs, core: SessionCore, abort: IDelayedCall) -> None:
    if abort.active():
        abort.cancel()
    core.over()


new_session = _builder.build()
