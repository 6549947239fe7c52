"""One side is reset while a request of the bridge's own is out: nothing is written to it any more.

What is held of a reply, the half of one, and what waits of the gateway's may be on its way to the
side that is gone; the session's end must not come upon that.
"""

from collections.abc import Callable

from twisted.internet.error import ConnectionDone, ConnectionLost

from hargassner.proxy.exchange import BridgeRequest, NoReplyError, SessionOverError
from hargassner.proxy.exchange_states import LARGEST_WAIT
from tests.proxy.case import ProxyCase, RecordingObserver

TIMEOUT = 5.0


class ResetTests(ProxyCase):
    """Both sides, and all that may be under way to them."""

    def open(self) -> None:
        """A session whose boiler has been asked something by the bridge."""
        self.observer = RecordingObserver()
        self.observers = [self.observer]
        self.answers: list[object] = []
        self.gateway_side, self.boiler_side = self.session()
        session = list(self.factory.sessions.values())[-1]
        request = BridgeRequest(b'$par set "4;3;20.5"\r\n', TIMEOUT)
        reply = session.exchange(request)
        reply.addErrback(lambda why: why.type).addCallback(self.answers.append)

    def a_reply_is_held(self) -> None:
        self.clock.advance(TIMEOUT)
        self.gateway_side.says(b'$par set "7;3;20"\r\n')
        self.boiler_side.says(b"$ack\r\n")

    def a_reply_is_half_through(self) -> None:
        self.boiler_side.says(b"$a")

    def a_notice_is_half_through(self) -> None:
        self.boiler_side.says(b"zERR no")

    def bytes_of_the_gateways_wait(self) -> None:
        self.gateway_side.says(b"$setkomm\r\n$upt")

    def many_bytes_of_the_gateways_wait(self) -> None:
        self.gateway_side.says(b"x" * LARGEST_WAIT)

    def a_reply_is_held_and_another_half_through(self) -> None:
        self.a_reply_is_held()
        self.boiler_side.says(b"$2225410 a")
        self.gateway_side.says(b"half a line")

    def check(self, under_way: Callable[[], None]) -> None:
        """Whichever side is reset, the session ends at once, and everybody is told once."""
        for lost, other in (("gateway_side", "boiler_side"), ("boiler_side", "gateway_side")):
            self.open()
            under_way()
            getattr(self, lost).gone(ConnectionLost())
            self.assertTrue(getattr(self, other).closing)
            getattr(self, other).gone(ConnectionDone())
            self.assertEqual({}, self.factory.sessions)
            self.assertEqual(1, [what for what, _ in self.observer.heard].count("over"))
            self.assertEqual(1, len(self.answers))
            self.assertIn(self.answers[0], (SessionOverError, NoReplyError))
            self.assertEqual([], self.clock.getDelayedCalls())

    def test_while_a_reply_is_held(self) -> None:
        self.check(self.a_reply_is_held)

    def test_while_a_reply_is_half_through(self) -> None:
        self.check(self.a_reply_is_half_through)

    def test_while_a_notice_is_half_through(self) -> None:
        self.check(self.a_notice_is_half_through)

    def test_while_bytes_of_the_gateways_wait(self) -> None:
        self.check(self.bytes_of_the_gateways_wait)

    def test_while_many_bytes_of_the_gateways_wait(self) -> None:
        self.check(self.many_bytes_of_the_gateways_wait)

    def test_while_a_reply_is_held_and_another_half_through(self) -> None:
        self.check(self.a_reply_is_held_and_another_half_through)
