"""The end of coroutines that run until they are cancelled."""

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()


def log_failure(why: Failure) -> None:
    """Log why a coroutine failed, if it was not cancelled: an errback for its ``Deferred``."""
    if why.check(CancelledError) is None:
        log.failure("a simulator failed", failure=why)
