"""The reactor of a command."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
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
        KeyboardInterrupt: it was interrupted.
        Exception: what the coroutine raises.
    """
    reactor = evenly_running_reactor()
    results: list[_Result] = []
    failures: list[Failure] = []

    def begin() -> None:
        working = Deferred.fromCoroutine(work(reactor))
        working.addCallbacks(results.append, failures.append)
        working.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    for each in failures:
        each.raiseException()
    if not results:
        raise KeyboardInterrupt
    return results[0]
