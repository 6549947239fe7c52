"""What goes wrong with TLS to the broker, in words for the owner."""

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from service_identity.exceptions import CertificateError, VerificationError

from hargassner.mqtt.events import ConnectionProblem


def _openssl_problem(wrong: SSL.Error) -> ConnectionProblem:
    reason = _reason(wrong)
    if not reason or "unexpected eof" in reason:
        return ConnectionProblem("the broker closed the connection during the TLS handshake")
    if reason == "certificate verify failed":
        return ConnectionProblem(
            "no authority that we trust signed the broker's certificate", lasting=True
        )
    if "alert" in reason:
        return ConnectionProblem(f"the broker refuses our TLS: {reason}", lasting=True)
    return ConnectionProblem(f"TLS fails: {reason}", lasting=True)


def _reason(wrong: SSL.Error) -> str:
    """The reason among what OpenSSL raises: a list of library, function and reason, or nothing."""
    match wrong.args:
        case ([[*_, reason], *_], *_):
            return str(reason)
    return ""


def _other_name(_wrong: Exception) -> ConnectionProblem:
    return ConnectionProblem("the broker's certificate is for another name", lasting=True)


TLS_PROBLEMS: dict[type[BaseException], Callable[[Any], ConnectionProblem]] = {
    VerificationError: _other_name,
    CertificateError: _other_name,
    SSL.Error: _openssl_problem,
}
"""The exceptions of TLS, and what makes a problem of each."""
