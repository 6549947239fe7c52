"""What keeps the bridge from the broker, in words for the owner."""

from OpenSSL import SSL
from service_identity.exceptions import CertificateError, VerificationError
from twisted.internet import error
from twisted.python.failure import Failure

from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.files import UnusableFileError

_PROBLEMS: dict[type[BaseException], ConnectionProblem] = {
    VerificationError: ConnectionProblem(
        "the broker's certificate is for another name", lasting=True
    ),
    CertificateError: ConnectionProblem(
        "the broker's certificate is for another name", lasting=True
    ),
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
    if isinstance(wrong, SSL.Error):
        return _tls_problem(wrong)
    for kind, problem in _PROBLEMS.items():
        if isinstance(wrong, kind):
            return problem
    return ConnectionProblem(failure.getErrorMessage())


def _tls_problem(wrong: SSL.Error) -> ConnectionProblem:
    reason = _tls_reason(wrong)
    if not reason or "unexpected eof" in reason:
        return ConnectionProblem("the broker closed the connection during the TLS handshake")
    if reason == "certificate verify failed":
        return ConnectionProblem(
            "no authority that we trust signed the broker's certificate", lasting=True
        )
    if "alert" in reason:
        return ConnectionProblem(f"the broker refuses our TLS: {reason}", lasting=True)
    return ConnectionProblem(f"TLS fails: {reason}", lasting=True)


def _tls_reason(wrong: SSL.Error) -> str:
    """The reason among what OpenSSL raises: a list of library, function and reason, or nothing."""
    match wrong.args:
        case ([[*_, reason], *_], *_):
            return str(reason)
    return ""
