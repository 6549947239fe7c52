"""Why connections fail, in plain words."""

import errno

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.interface import NotThereYetError
from hargassner.network.reasons import UnreachableError, plain_reason


class ReasonTests(SynchronousTestCase):
    """Each kind of failure."""

    def test_what_the_network_says(self) -> None:
        for wrong, words in (
            (error.getConnectError((errno.ECONNREFUSED, "")), "connection refused"),
            (error.getConnectError((errno.ETIMEDOUT, "")), "no answer"),
            (error.getConnectError((errno.EHOSTUNREACH, "")), "No route to host"),
            (error.getConnectError((errno.ENETUNREACH, "")), "no route to it"),
            (error.getConnectError((errno.EMFILE, "")), "Too many open files"),
            (error.TimeoutError(), "no answer"),
            (error.DNSLookupError("no"), "nobody knows its name"),
            (error.ConnectionDone(), "connection closed"),
            (error.ConnectionLost(), "connection lost"),
            (error.ConnectionAborted(), "connection given up"),
            (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        ):
            self.assertEqual(plain_reason(Failure(wrong)), words)

    def test_what_we_say_ourselves(self) -> None:
        self.assertEqual(
            "10.0.0.72: no answer",
            plain_reason(Failure(UnreachableError("10.0.0.72", "no answer"))),
        )
        self.assertEqual(
            "it is not there", plain_reason(Failure(NotThereYetError("it is not there")))
        )

    def test_what_has_no_words_is_named(self) -> None:
        self.assertEqual("ZeroDivisionError", plain_reason(Failure(ZeroDivisionError())))
