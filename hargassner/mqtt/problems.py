"""What keeps the bridge from the broker, in words for the owner."""

from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.python.failure import Failure

from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.files import UnusableFileError

try:
    from hargassner.mqtt.tls_problems import TLS_PROBLEMS
except ImportError:
    # The bridge runs without TLS (hargassner/without_tls.py), so no exception comes from there.
    TLS_PROBLEMS = {}


_PROBLEMS: dict[type[BaseException], ConnectionProblem] = {
    error.DNSLookupError: ConnectionProblem("nobody knows the broker's name"),
    error.ConnectionRefusedError: ConnectionProblem("no broker listens there"),
    error.TimeoutError: ConnectionProblem("nothing answers there"),
    error.ConnectionDone: ConnectionProblem("the broker closed the connection", hung_up=True),
    error.ConnectionLost: ConnectionProblem("the connection to the broker was lost", hung_up=True),
}


_EXPLAINED: dict[type[BaseException], Callable[[Any], ConnectionProblem]] = {
    UnusableFileError: lambda wrong: ConnectionProblem(str(wrong), lasting=True),
    **TLS_PROBLEMS,
}


def connection_problem(failure: Failure) -> ConnectionProblem:
    """Why no connection came about, or why one ended."""
    for kind in type(failure.value).__mro__:
        if kind in _PROBLEMS:
            return _PROBLEMS[kind]
        if kind in _EXPLAINED:
            return _EXPLAINED[kind](failure.value)
    return ConnectionProblem(failure.getErrorMessage())
