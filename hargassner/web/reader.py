"""One open stream: which events a page gets, by how far it has read.

States::

    outdated ── everything is written ──▶ current ── a change was missed ──▶ outdated
        │                                    │
        └────────── its buffer is full ──────┘
                           ▼
                        paused ── it has read ──▶ current, or outdated if it missed a change
                           │ STALLED seconds
                           ▼
                        dropped
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.web.http import Request
from zope.interface import implementer

from hargassner.network.connecting import notice_its_loss

log = Logger()

KEEP_ALIVE = 5.0
"""Seconds of silence at most."""
STALLED = 30.0
"""Seconds after which a page is dropped that does not read."""


@dataclass(frozen=True, slots=True)
class News:
    """What there is for a page in its language, once a second.

    ``change`` is the event of what changed since the last time, empty if nothing did. ``state``
    makes the event of everything, ``alive`` the one that shows that the stream still is.
    """

    change: bytes
    state: Callable[[], bytes]
    alive: Callable[[], bytes]


class _Stream:
    """What is written to."""

    def __init__(self, request: Request, clock: IReactorTime) -> None:
        self.clock = clock
        self._request = request
        self._written = clock.seconds()

    @property
    def silent(self) -> bool:
        """Whether nothing was written for a while."""
        return self.clock.seconds() - self._written >= KEEP_ALIVE

    def write(self, data: bytes) -> None:
        """Write some events."""
        self._written = self.clock.seconds()
        self._request.write(data)

    def abort(self) -> None:
        """End the connection at once."""
        cast("ITCPTransport", self._request.transport).abortConnection()


class _Inputs(Protocol):
    """What happens to a stream."""

    def send(self, news: News) -> None:
        """It is this page's turn."""

    def outdate(self) -> None:
        """A change was not sent, or dates are wrong by now: everything is to be sent anew."""

    def pause(self) -> None:
        """The connection's buffer is full."""

    def resume(self) -> None:
        """The page has read."""

    def drop(self) -> None:
        """The page has not read for too long."""


@dataclass(slots=True)
class _Pause:
    """A page does not read since this moment; whether it has missed a change."""

    since: float
    outdated: bool


_builder = TypeMachineBuilder(_Inputs, _Stream)
_outdated, _current, _dropped = map(_builder.state, ["outdated", "current", "dropped"])


def _begin_pause(_inputs: _Inputs, stream: _Stream) -> _Pause:
    return _Pause(stream.clock.seconds(), outdated=False)


_paused = _builder.state("paused", _begin_pause)

_current.upon(_Inputs.outdate).to(_outdated).returns(None)
_current.upon(_Inputs.resume).loop().returns(None)
_current.upon(_Inputs.pause).to(_paused).returns(None)
_outdated.upon(_Inputs.outdate).loop().returns(None)
_outdated.upon(_Inputs.resume).loop().returns(None)
_paused.upon(_Inputs.pause).loop().returns(None)
for ignored in (_Inputs.outdate, _Inputs.pause, _Inputs.resume, _Inputs.drop):
    _dropped.upon(ignored).loop().returns(None)
_dropped.upon(_Inputs.send).loop().returns(None)


@_current.upon(_Inputs.send).loop()
def _send_change(_inputs: _Inputs, stream: _Stream, news: News) -> None:
    if news.change:
        stream.write(news.change)
    elif stream.silent:
        stream.write(news.alive())


@_outdated.upon(_Inputs.send).to(_current)
def _send_state(_inputs: _Inputs, stream: _Stream, news: News) -> None:
    stream.write(news.state())


@_outdated.upon(_Inputs.pause).to(_paused)
def _pause_outdated(inputs: _Inputs, _stream: _Stream) -> None:
    inputs.outdate()


@_paused.upon(_Inputs.outdate).loop()
def _miss(_inputs: _Inputs, _stream: _Stream, pause: _Pause) -> None:
    pause.outdated = True


@_paused.upon(_Inputs.send).loop()
def _hold_back(inputs: _Inputs, stream: _Stream, pause: _Pause, news: News) -> None:
    if stream.clock.seconds() - pause.since >= STALLED:
        inputs.drop()
    elif news.change:
        pause.outdated = True


@_paused.upon(_Inputs.resume).to(_current)
def _go_on(inputs: _Inputs, _stream: _Stream, pause: _Pause) -> None:
    if pause.outdated:
        inputs.outdate()


@_paused.upon(_Inputs.drop).to(_dropped)
def _give_up(_inputs: _Inputs, stream: _Stream, _pause: _Pause) -> None:
    log.info("a page that was open does not read any more: dropped")
    stream.abort()


_new_machine = _builder.build()


@implementer(IPushProducer)
class Reader:
    """One open stream; it begins outdated, so that everything is sent first.

    Args:
        request: what it is written to.
        language: what it is written in.
        clock: time.
    """

    def __init__(self, request: Request, language: str, clock: IReactorTime) -> None:
        self.language = language
        self._stream = _Stream(request, clock)
        self._machine = _new_machine(self._stream)
        notice_its_loss(request.transport)

    def begin(self, preamble: bytes) -> None:
        """Write what comes before all events."""
        self._stream.write(preamble)

    def send(self, news: News) -> None:
        """Send what the page is to get now: a change, everything, that it is alive, or nothing."""
        self._machine.send(news)

    def outdate(self) -> None:
        """Send everything next time."""
        self._machine.outdate()

    def pauseProducing(self) -> None:
        """Its buffer is full."""
        self._machine.pause()

    def resumeProducing(self) -> None:
        """It has read."""
        self._machine.resume()

    def stopProducing(self) -> None:
        """It is gone, which the request reports."""
