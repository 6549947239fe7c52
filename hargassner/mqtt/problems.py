"""What keeps the bridge from the broker, in words for the owner."""

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


def connection_problem(failure: Failure) -> ConnectionProblem:
    """Why no connection came about, or why one ended."""
    wrong = failure.value
    if isinstance(wrong, UnusableFileError):
        return ConnectionProblem(str(wrong), lasting=True)
    for kind, problem in _PROBLEMS.items():
        if isinstance(wrong, kind):
            return problem
    for kind, problem_of in TLS_PROBLEMS.items():
        if isinstance(wrong, kind):
            return problem_of(wrong)
    return ConnectionProblem(failure.getErrorMessage())
