"""What keeps the relay from doing harm."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.discovery.limits import (
    ASKED_WITHIN,
    BURST,
    MOST_ASKERS,
    MOST_REMEMBERED,
    MOST_REPEATED,
    MOST_SOURCES,
    RATE,
    REPEATED_WITHIN,
    Askers,
    RateLimit,
    Repetitions,
)

GATEWAY, STRANGER = "192.0.2.7", "192.0.2.99"


class RateTests(SynchronousTestCase):
    """How many datagrams of an address are relayed."""

    def setUp(self) -> None:
        self.limit = RateLimit()

    def admitted(self, address: str, times: int, now: float, *, known: bool = False) -> int:
        return sum(self.limit.admits(address, now, known=known) for _ in range(times))

    def test_a_dialogue_is_not_limited(self) -> None:
        for second in range(100):
            self.assertEqual(50, self.admitted(GATEWAY, 50, second))

    def test_more_than_the_rate_for_five_seconds_is(self) -> None:
        admitted = sum(self.admitted(STRANGER, 25, quarter / 4) for quarter in range(120))
        self.assertEqual(admitted, int(BURST + 29.75 * RATE))

    def test_one_that_sends_too_much_takes_nothing_from_another(self) -> None:
        self.admitted(STRANGER, 10_000, 0)
        self.assertEqual(100, self.admitted(GATEWAY, 100, 0))

    def test_a_flood_of_forged_addresses_shares_one_rate(self) -> None:
        for number in range(MOST_SOURCES):
            self.limit.admits(f"source {number}", 0, known=False)
        admitted = sum(
            self.limit.admits(f"forged {number}", 0, known=False) for number in range(10_000)
        )
        self.assertEqual(BURST, admitted)
        self.assertEqual(100, self.admitted(GATEWAY, 100, 0, known=True))

    def test_an_address_that_was_silent_makes_room(self) -> None:
        for number in range(MOST_SOURCES):
            self.limit.admits(f"source {number}", 0, known=False)
        self.assertEqual(BURST, self.admitted(STRANGER, 300, BURST / RATE))
        self.assertEqual(BURST, self.admitted("another", 300, BURST / RATE))


class RepetitionTests(SynchronousTestCase):
    """The same datagram again."""

    def setUp(self) -> None:
        self.repetitions = Repetitions()

    def repeated(
        self, now: float, side: str = "gateway", address: str = GATEWAY, data: bytes = b"x"
    ) -> bool:
        return self.repetitions.is_one(data, 50001, side, address, now)

    def test_what_a_device_says_twice_is_said_twice(self) -> None:
        self.assertFalse(self.repeated(0) or self.repeated(0) or self.repeated(3.7))

    def test_what_comes_back_from_the_other_side_is_one(self) -> None:
        self.assertFalse(self.repeated(0))
        self.assertTrue(self.repeated(REPEATED_WITHIN - 0.01, side="boiler"))
        self.assertFalse(self.repeated(REPEATED_WITHIN, side="boiler"))

    def test_what_another_address_says_at_the_same_time_is_one(self) -> None:
        self.assertFalse(self.repeated(0))
        self.assertTrue(self.repeated(0.5, address=STRANGER))

    def test_another_payload_or_port_is_none(self) -> None:
        self.assertFalse(self.repeated(0))
        self.assertFalse(self.repeated(0, address=STRANGER, data=b"y"))
        self.assertFalse(self.repetitions.is_one(b"x", 50002, "boiler", STRANGER, 0))

    def test_nothing_is_relayed_again_and_again(self) -> None:
        relayed = sum(not self.repeated(number / 64) for number in range(6400))
        self.assertEqual(relayed, int(MOST_REPEATED + 99))

    def test_what_is_remembered_is_bounded(self) -> None:
        for number in range(2 * MOST_REMEMBERED):
            self.repeated(0, data=b"%d" % number)
        self.assertFalse(self.repeated(0, side="boiler", data=b"0"))
        self.assertTrue(self.repeated(0, side="boiler", data=b"%d" % (2 * MOST_REMEMBERED - 1)))


class AskerTests(SynchronousTestCase):
    """Who gets an answer."""

    def setUp(self) -> None:
        self.askers = Askers()

    def heard(self, address: str, now: float, waits: bool = True) -> None:
        self.askers.heard(address, now, waits=waits, preferred=GATEWAY)

    def test_nobody_asked(self) -> None:
        self.assertIsNone(self.askers.answer_for(GATEWAY, 0))

    def test_who_asked_gets_it(self) -> None:
        self.heard(STRANGER, 0)
        self.assertEqual(STRANGER, self.askers.answer_for(GATEWAY, 1))

    def test_the_trusted_gateway_comes_first(self) -> None:
        self.heard(STRANGER, 0)
        self.heard(GATEWAY, 1)
        self.assertEqual(GATEWAY, self.askers.answer_for(GATEWAY, 1))
        self.assertEqual(STRANGER, self.askers.answer_for(GATEWAY, 1))

    def test_otherwise_who_waits_longest(self) -> None:
        self.heard("192.0.2.8", 0)
        for tenth in range(10):
            self.heard(STRANGER, 1 + tenth / 10)
        self.assertEqual("192.0.2.8", self.askers.answer_for(None, 2))
        self.assertEqual(STRANGER, self.askers.answer_for(None, 2))

    def test_who_was_answered_waits_no_more(self) -> None:
        self.heard(STRANGER, 0)
        self.askers.answer_for(None, 0)
        self.heard("192.0.2.8", 1)
        self.heard(STRANGER, 1)
        self.assertEqual("192.0.2.8", self.askers.answer_for(None, 1))

    def test_who_only_sent_something_comes_after_those_who_asked(self) -> None:
        self.heard("192.0.2.8", 0)
        self.heard(STRANGER, 1, waits=False)
        self.assertEqual("192.0.2.8", self.askers.answer_for(None, 1))
        self.assertEqual(STRANGER, self.askers.answer_for(None, 1))

    def test_a_question_is_forgotten_after_a_while(self) -> None:
        self.heard(STRANGER, 0)
        self.assertIsNone(self.askers.answer_for(None, ASKED_WITHIN))

    def test_too_many_askers_do_not_push_the_gateway_out(self) -> None:
        self.heard(GATEWAY, 0)
        for number in range(10 * MOST_ASKERS):
            self.heard(f"forged {number}", 0)
        self.assertEqual(GATEWAY, self.askers.answer_for(GATEWAY, 0))

    @given(
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.sampled_from((0.0, 0.1, 3.0)), st.booleans())
        )
    )
    def test_each_question_within_the_time_gets_an_answer_if_there_are_enough(
        self, happens: list[tuple[str, float, bool]]
    ) -> None:
        """Whatever the others ask, and in which order."""
        askers, now = Askers(), 0.0
        waiting: dict[str, float] = {}
        for address, pause, waits in happens:
            now += pause
            askers.heard(address, now, waits=waits, preferred=None)
            if waits and now - waiting.get(address, now) < ASKED_WITHIN:
                waiting.setdefault(address, now)
            elif waits:
                waiting[address] = now
        due = {address for address, since in waiting.items() if now - since < ASKED_WITHIN}
        answered = {askers.answer_for(None, now) for _ in due}
        self.assertEqual(answered, due)
