"""A command comes when something has passed that the observers have not got yet."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.house import House

SET = b'$par set "4;3;21.0"\r\n'


class BacklogTests(SynchronousTestCase):
    """The gateway has logged in, asks nothing more, and then something passes."""

    def setUp(self) -> None:
        self.house = House().log_in()
        self.house.stop_polling()
        self.house.advance(10)
        self.addCleanup(self.house.end)

    def gateway(self, data: bytes) -> None:
        """A segment of the gateway's, which is with the boiler at once."""
        self.house.client.protocol.dataReceived(data)

    def boiler(self, data: bytes) -> None:
        """A segment of the boiler's, which is with the gateway at once."""
        self.house.boiler_leg.protocol.dataReceived(data)

    def is_asked_after(self, *passing: tuple[Callable[[bytes], None], bytes]) -> bool:
        """Whether the bridge asks when its turn comes before the observers get what passes."""
        house = self.house
        before, known = len(house.boiler_leg.received), house.session_interpreter.dialogue.turns
        house.command("4", "21.0")
        for says, data in passing:
            says(data)
        self.assertEqual(known, house.session_interpreter.dialogue.turns)
        # The turn comes, and nothing else.
        house.clock.advance(0)
        return SET in bytes(house.boiler_leg.received[before:])

    def test_it_is_sent_where_all_that_passed_has_come_to_its_end(self) -> None:
        self.assertTrue(self.is_asked_after((self.boiler, b"pm 1 2.0 3 \r\n")))

    def test_it_waits_for_the_reply_to_a_request_that_was_just_written(self) -> None:
        self.assertFalse(self.is_asked_after((self.gateway, b"$uptime\r\n")))

    def test_it_waits_for_the_second_of_two_replies(self) -> None:
        passing = ((self.gateway, b"$uptime\r\n$rtc get\r\n"), (self.boiler, b"$5\r\n"))
        self.assertFalse(self.is_asked_after(*passing))

    def test_it_waits_for_the_rest_of_a_line_of_the_gateways(self) -> None:
        self.assertFalse(self.is_asked_after((self.gateway, b"$upt")))

    def test_it_waits_for_the_rest_of_a_line_of_the_boilers(self) -> None:
        self.assertFalse(self.is_asked_after((self.boiler, b"pm 1 ")))

    def test_it_waits_in_a_session_whose_gateway_has_just_said_that_it_clears(self) -> None:
        passing = ((self.gateway, b"$igw clear\r\n"), (self.boiler, b"$ack\r\n"))
        self.assertFalse(self.is_asked_after(*passing))
