"""Why something failed, in words for the owner."""

import os
from collections.abc import Mapping

from twisted.internet import error
from twisted.python.failure import Failure


class UnreachableError(Exception):
    """A host cannot be reached.

    Args:
        host: its address, or its name.
        reason: why, in a few words.
    """

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


_REASONS: Mapping[type, str] = {
    error.ConnectionRefusedError: "connection refused",
    error.TimeoutError: "no answer",
    error.TCPTimedOutError: "no answer",
    error.NoRouteError: "no route to it",
    error.DNSLookupError: "nobody knows its name",
    error.UnknownHostError: "nobody knows its name",
    error.ConnectionDone: "connection closed",
    error.ConnectionAborted: "connection given up",
    error.ConnectionLost: "connection lost",
}


def plain_reason(why: Failure) -> str:
    """A failure in a few words, without numbers and names that only programmers know."""
    wrong = why.value
    known = map(_REASONS.get, type(wrong).__mro__)
    name = type(wrong).__name__
    return next(filter(None, [*known, _reason_of_system(wrong), str(wrong), name]), name)


def _reason_of_system(wrong: BaseException | None) -> str:
    match wrong:
        case error.ConnectError(osError=int() as code) if code:
            return os.strerror(code)
        case OSError(strerror=str() as text):
            return text
    return ""
