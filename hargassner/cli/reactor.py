"""The reactor of a command."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

from hargassner.clock import run_evenly

_Result = TypeVar("_Result")


def evenly_running_reactor() -> Any:
    """Twisted's reactor, with timers that go by the monotonic clock."""
    # Importing it installs it, which is for nobody but the one who runs it.
    from twisted.internet import reactor

    run_evenly(reactor)
    return reactor


def run_to_end(work: Callable[[Any], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run the reactor until a coroutine, made with that reactor, is over; its result.

    Raises:
        KeyboardInterrupt: it was interrupted; the coroutine has been cancelled.
        Exception: what the coroutine raises.
    """
    reactor = evenly_running_reactor()
    results: list[_Result] = []
    failures: list[Failure] = []

    def begin() -> None:
        working = Deferred.fromCoroutine(work(reactor))
        ending = working.addCallbacks(results.append, failures.append)
        reactor.addSystemEventTrigger("before", "shutdown", _cancelled, ending)
        ending.addBoth(lambda _: _stop(reactor))

    reactor.callWhenRunning(begin)
    reactor.run()
    try:
        for each in failures:
            each.raiseException()
    except CancelledError:
        raise KeyboardInterrupt from None
    return results[0]


def _cancelled(working: "Deferred[None]") -> "Deferred[None]":
    working.cancel()
    return working


def _stop(reactor: Any) -> None:
    with suppress(ReactorNotRunning):  # Somebody else has stopped it.
        reactor.stop()
