"""Why a connection failed or ended, in words for the owner."""

import os

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


def plain_reason(why: Failure) -> str:
    """A failure in a few words, without numbers and names that only programmers know."""
    match why.value:
        case error.ConnectionRefusedError():
            return "connection refused"
        case error.TimeoutError() | error.TCPTimedOutError():
            return "no answer"
        case error.NoRouteError():
            return "no route to it"
        case error.DNSLookupError() | error.UnknownHostError():
            return "nobody knows its name"
        case error.ConnectionDone():
            return "connection closed"
        case error.ConnectionAborted():
            return "connection given up"
        case error.ConnectionLost():
            return "connection lost"
        case error.ConnectError(osError=int() as code) if code:
            return os.strerror(code)
        case OSError(strerror=str() as text):
            return text
    return str(why.value) or type(why.value).__name__
