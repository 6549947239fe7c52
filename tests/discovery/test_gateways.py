"""Which gateway is believed: every state, every input, and what holds whatever comes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.discovery.gateways import (
    MOST_CANDIDATES,
    SILENT_AFTER,
    FoundGateway,
    Gateways,
    Verdict,
)
from hargassner.discovery.packets import Announcement

OURS = Announcement("6.4.1", "0012345")
OTHERS = Announcement("6.4.1", "0099999")
UNNAMED = Announcement("", "")
HERE, THERE, ELSEWHERE = "192.0.2.7", "192.0.2.8", "192.0.2.99"


class TableTests(SynchronousTestCase):
    """The table in docs/security.md, row by row."""

    def setUp(self) -> None:
        self.gateways = Gateways()

    def verdict(
        self, address: str, announcement: Announcement, silence: float | None = None
    ) -> Verdict:
        return self.gateways.announced(address, announcement, silence)

    def trust(self) -> None:
        self.verdict(HERE, OURS)
        self.gateways.logged_in(HERE)

    def test_nobody_every_announcement_is_a_candidates(self) -> None:
        for address, announcement in ((HERE, OURS), (HERE, OURS), (THERE, OTHERS), (THERE, OURS)):
            self.assertIs(self.verdict(address, announcement), Verdict.CANDIDATE)
        self.assertIsNone(self.gateways.trusted)

    def test_nobody_the_newest_candidate_is_shown(self) -> None:
        self.verdict(HERE, OURS)
        self.verdict(THERE, OTHERS)
        self.assertEqual(FoundGateway(THERE, OTHERS), self.gateways.gateway)

    def test_whoever_logs_in_is_trusted(self) -> None:
        self.verdict(HERE, OURS)
        self.verdict(THERE, OTHERS)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.logged_in(HERE))
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.gateway)
        self.assertTrue(self.gateways.knows(THERE))

    def test_one_that_logs_in_without_an_announcement_is_trusted_too(self) -> None:
        """The owner may allow its address."""
        self.assertEqual(FoundGateway(HERE, UNNAMED), self.gateways.logged_in(HERE))

    def test_present_its_own_address_starts_over(self) -> None:
        self.trust()
        self.assertIs(self.verdict(HERE, OURS, 5), Verdict.STARTS_OVER)

    def test_away_its_own_address_starts_over(self) -> None:
        self.trust()
        self.assertIs(self.verdict(HERE, OURS), Verdict.STARTS_OVER)

    def test_present_its_number_elsewhere_is_a_candidates(self) -> None:
        self.trust()
        self.assertIs(self.verdict(THERE, OURS, SILENT_AFTER - 0.1), Verdict.CANDIDATE)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.gateway)

    def test_silent_its_number_elsewhere_means_that_it_moved(self) -> None:
        self.trust()
        self.assertIs(self.verdict(THERE, OURS, SILENT_AFTER), Verdict.MOVED)
        self.assertEqual(FoundGateway(THERE, OURS), self.gateways.gateway)

    def test_without_a_session_its_number_elsewhere_means_that_it_moved(self) -> None:
        self.trust()
        self.assertIs(self.verdict(THERE, OURS), Verdict.MOVED)

    def test_one_that_moved_is_trusted_there_when_it_has_logged_in(self) -> None:
        self.trust()
        self.verdict(THERE, OURS)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.trusted)
        self.gateways.logged_in(THERE)
        self.assertEqual(FoundGateway(THERE, OURS), self.gateways.trusted)
        self.assertTrue(self.gateways.knows(HERE))

    def test_a_move_that_was_forged_is_over_when_the_gateway_is_heard(self) -> None:
        self.trust()
        self.verdict(ELSEWHERE, OURS)
        self.verdict(HERE, OURS)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.gateway)

    def test_another_number_is_a_candidates_in_every_state(self) -> None:
        self.trust()
        for silence in (None, 0.0, SILENT_AFTER):
            self.assertIs(self.verdict(THERE, OTHERS, silence), Verdict.CANDIDATE)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.gateway)
        self.assertTrue(self.gateways.knows(THERE))

    def test_no_number_is_nobodys_number(self) -> None:
        self.gateways.logged_in(HERE)
        self.assertIs(self.verdict(THERE, UNNAMED), Verdict.CANDIDATE)

    def test_a_session_that_is_heard_again_speaks_for_the_gateway_again(self) -> None:
        self.trust()
        self.verdict(HERE, OURS, SILENT_AFTER)
        self.assertIs(self.verdict(THERE, OURS, 1.0), Verdict.CANDIDATE)

    def test_a_new_version_of_its_software_is_taken_up(self) -> None:
        self.trust()
        newer = Announcement("6.5.0", OURS.serial)
        self.verdict(HERE, newer)
        self.assertEqual(FoundGateway(HERE, newer), self.gateways.trusted)

    def test_a_new_gateway_at_the_old_ones_address_is_trusted_when_it_has_logged_in(self) -> None:
        self.trust()
        self.assertIs(self.verdict(HERE, OTHERS), Verdict.STARTS_OVER)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.trusted)
        self.gateways.logged_in(HERE)
        self.assertEqual(FoundGateway(HERE, OTHERS), self.gateways.trusted)

    def test_a_trusted_gateway_is_trusted_after_a_restart(self) -> None:
        self.gateways.recall(FoundGateway(HERE, OURS), logged_in=True)
        self.assertIs(self.verdict(ELSEWHERE, OTHERS), Verdict.CANDIDATE)
        self.assertEqual(FoundGateway(HERE, OURS), self.gateways.gateway)

    def test_a_candidate_is_a_candidate_after_a_restart(self) -> None:
        self.gateways.recall(FoundGateway(HERE, OURS), logged_in=False)
        self.assertIsNone(self.gateways.trusted)
        self.assertTrue(self.gateways.knows(HERE))

    def test_the_candidate_that_announced_itself_longest_ago_is_forgotten(self) -> None:
        self.trust()
        for number in range(MOST_CANDIDATES + 1):
            self.verdict(f"198.51.100.{number}", OTHERS)
        self.assertFalse(self.gateways.knows("198.51.100.0"))
        self.assertTrue(self.gateways.knows("198.51.100.1"))
        self.assertTrue(self.gateways.knows(HERE))


ADDRESSES = st.sampled_from((HERE, THERE, ELSEWHERE))
ANNOUNCED = st.tuples(
    ADDRESSES,
    st.sampled_from((OURS, OTHERS, UNNAMED)),
    st.sampled_from((None, 0.0, SILENT_AFTER)),
)


class TrustLaws(SynchronousTestCase):
    """What no sequence of announcements and logins breaks."""

    @given(st.lists(ANNOUNCED | ADDRESSES))
    def test_trust_follows_logins_alone(self, happens: list[object]) -> None:
        gateways = Gateways()
        last: str | None = None
        for each in happens:
            if isinstance(each, str):
                gateways.logged_in(each)
                last = each
            else:
                gateways.announced(*each)
            self.assertEqual(gateways.trusted and gateways.trusted.address, last)
            if last is not None:
                self.assertTrue(gateways.knows(last))

    @given(st.lists(ANNOUNCED))
    def test_while_its_session_lives_nobody_takes_its_place(self, said: list[object]) -> None:
        """Whatever number strangers forge, how often, and from where."""
        gateways = Gateways()
        gateways.announced(HERE, OURS, None)
        trusted = gateways.logged_in(HERE)
        for address, announcement, _ in said:
            if address != HERE:
                verdict = gateways.announced(address, announcement, 1.0)
                self.assertIs(verdict, Verdict.CANDIDATE)
            self.assertEqual(gateways.gateway, trusted)
