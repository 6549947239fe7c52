"""Who was found on the two networks."""

from twisted.internet.defer import CancelledError, Deferred

from hargassner.discovery import (
    Announcement,
    BoilerUnknownError,
    Devices,
    FoundBoiler,
    FoundGateway,
    ServiceList,
)
from tests.cases import ClockCase


class DevicesTests(ClockCase):
    """Who was found."""

    def setUp(self) -> None:
        super().setUp()
        self.devices = Devices(self.clock)
        self.first = Announcement("6.4.1", "0012345")
        self.second = Announcement("6.5.0", "0099999")
        self.services = ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")

    def test_nobody_is_known_at_first(self) -> None:
        self.assertIsNone(self.devices.gateway)
        self.assertIsNone(self.devices.boiler)

    def test_before_a_login_the_newest_announcement_is_shown(self) -> None:
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_announced("192.0.2.8", self.second)
        self.assertEqual(FoundGateway("192.0.2.8", self.second), self.devices.gateway)

    def test_when_the_gateway_was_heard_is_kept(self) -> None:
        """Whoever looks later, such as a page that is built later, knows it too."""
        self.assertIsNone(self.devices.gateway_heard)
        self.devices.gateway_announced("192.0.2.7", self.first)
        heard = self.clock.seconds()
        self.clock.advance(3)
        self.assertEqual(heard, self.devices.gateway_heard)

    def test_each_gateway_is_logged_once(self) -> None:
        for address, announcement in (
            ("192.0.2.7", self.first),
            ("192.0.2.7", self.first),
            ("192.0.2.8", self.second),
            ("192.0.2.7", self.first),
            ("192.0.2.8", Announcement("", "")),
        ):
            self.devices.gateway_announced(address, announcement)
        self.assertEqual(
            [
                "gateway 0012345 at 192.0.2.7, software 6.4.1",
                "gateway 0099999 at 192.0.2.8, software 6.5.0",
                "gateway without number at 192.0.2.8, software unknown",
            ],
            self.log.lines,
        )

    def test_a_flood_of_forged_announcements_does_not_flood_the_log(self) -> None:
        for number in range(2000):
            self.devices.gateway_announced(f"192.0.{number // 250}.{number % 250}", self.first)
        self.assertEqual(256, len(self.log.lines))

    def test_each_announcement_is_told(self) -> None:
        """An unchanged one too: the gateway starts over."""
        told: list[object] = []
        self.devices.on_announcement(lambda *both: told.append(both))
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.assertEqual([("192.0.2.7", None)] * 2, told)

    def test_the_gateway_is_told_again_whenever_it_announces_itself(self) -> None:
        told: list[object] = []
        self.devices.on_gateway(told.append)
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.assertEqual([FoundGateway("192.0.2.7", self.first)] * 2, told)

    def test_a_stranger_beside_the_gateway_that_logged_in_is_said_and_not_believed(self) -> None:
        told: list[FoundGateway] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.on_gateway(told.append)
        for _ in range(3):
            self.devices.gateway_announced("192.0.2.99", self.second)
        self.assertEqual(FoundGateway("192.0.2.7", self.first), self.devices.gateway)
        self.assertEqual([], told)
        self.assertEqual(
            [
                "192.0.2.99 announces itself as gateway 0099999 too; it is the gateway when it has "
                "logged in"
            ],
            self.log.lines[1:],
        )
        self.assertTrue(self.devices.may_be_gateway("192.0.2.99"))

    def test_a_new_gateway_is_the_gateway_when_it_has_logged_in(self) -> None:
        told: list[FoundGateway] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.gateway_announced("192.0.2.8", self.second)
        self.devices.on_gateway(told.append)
        self.devices.gateway_logged_in("192.0.2.8")
        new = FoundGateway("192.0.2.8", self.second)
        self.assertEqual((self.devices.gateway, self.devices.trusted_gateway), (new, new))
        self.assertEqual(told, [new])
        self.assertIn(
            "gateway 0099999 at 192.0.2.8 has logged in: it is the gateway now", self.log.lines
        )

    def test_a_new_gateway_at_the_old_ones_address_is_the_gateway_when_it_has_logged_in(
        self,
    ) -> None:
        """A router may give the same address again."""
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.gateway_announced("192.0.2.7", self.second)
        self.devices.gateway_logged_in("192.0.2.7")
        new = FoundGateway("192.0.2.7", self.second)
        self.assertEqual((self.devices.gateway, self.devices.trusted_gateway), (new, new))

    def test_a_gateway_that_moves_after_a_forged_move_leaves_its_old_session(self) -> None:
        moves: list[object] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.on_announcement(lambda *both: moves.append(both))
        for address in ("192.0.2.99", "192.0.2.9"):
            self.devices.gateway_announced(address, self.first)
        self.assertEqual([("192.0.2.99", "192.0.2.7"), ("192.0.2.9", "192.0.2.7")], moves)

    def test_a_gateway_that_logs_in_again_is_no_news(self) -> None:
        told: list[FoundGateway] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.on_gateway(told.append)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.gateway_logged_in("192.0.2.7")
        self.assertEqual([FoundGateway("192.0.2.7", self.first)], told)
        self.assertEqual(1, len(self.log.lines))

    def test_the_gateway_may_move_when_its_session_is_silent(self) -> None:
        moves: list[object] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.on_announcement(lambda *both: moves.append(both))
        self.devices.gateway_announced("192.0.2.9", self.first, 59.9)
        self.devices.gateway_announced("192.0.2.9", self.first, 60.0)
        self.assertEqual([("192.0.2.9", None), ("192.0.2.9", "192.0.2.7")], moves)
        self.assertEqual(FoundGateway("192.0.2.9", self.first), self.devices.gateway)

    def test_a_gateway_that_logs_in_where_it_was_before_a_forged_move_is_told(self) -> None:
        told: list[FoundGateway] = []
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.gateway_announced("192.0.2.99", self.first)
        self.devices.on_gateway(told.append)
        self.devices.gateway_logged_in("192.0.2.7")
        self.assertEqual([FoundGateway("192.0.2.7", self.first)], told)

    def test_a_forged_serial_number_does_not_make_an_address_the_gateways(self) -> None:
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.gateway_logged_in("192.0.2.7")
        self.devices.gateway_announced("192.0.2.99", self.first)
        self.assertFalse(self.devices.is_gateway("192.0.2.99"))
        self.assertTrue(self.devices.is_gateway("192.0.2.7"))

    def test_a_boiler_is_logged_once_and_so_is_each_change(self) -> None:
        self.devices.boiler_answered("198.51.100.2", self.services)
        self.devices.boiler_answered("198.51.100.2", self.services)
        self.devices.boiler_answered("198.51.100.3", ServiceList("", "", ""))
        self.assertEqual(
            [
                "boiler at 198.51.100.2: HSV/CL 9-60KW, firmware V14.0n3",
                "boiler at 198.51.100.3: unknown model, firmware unknown",
            ],
            self.log.lines,
        )

    def test_one_that_raises_keeps_the_news_from_nobody(self) -> None:
        told: list[object] = []
        self.devices.on_announcement(lambda *_: 1 // 0)
        self.devices.on_announcement(lambda address, _: told.append(address))
        self.devices.on_boiler(lambda _: 1 // 0)
        self.devices.on_boiler(lambda boiler: told.append(boiler.address))
        self.devices.gateway_announced("192.0.2.7", self.first)
        self.devices.boiler_answered("198.51.100.2", self.services)
        self.assertEqual(["192.0.2.7", "198.51.100.2"], told)
        self.assertEqual(2, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_who_was_found_before_a_restart_is_known_until_the_next_broadcast(self) -> None:
        self.devices.recall(
            FoundGateway("192.0.2.7", self.first), FoundBoiler("198.51.100.2", self.services)
        )
        self.assertEqual("198.51.100.2", self.successResultOf(self.address()))
        self.devices.boiler_answered("198.51.100.3", self.services)
        self.assertEqual("198.51.100.3", self.successResultOf(self.address()))

    def address(self, devices: Devices | None = None) -> Deferred[str]:
        return (devices or self.devices).boiler_address(10)

    def test_the_configured_boiler_counts_before_the_one_found(self) -> None:
        devices = Devices(self.clock, "boiler.lan")
        devices.boiler_answered("198.51.100.2", self.services)
        self.assertEqual("boiler.lan", self.successResultOf(self.address(devices)))

    def test_everybody_who_waits_for_the_boiler_gets_its_address(self) -> None:
        waiting = [self.address(), self.address()]
        self.clock.advance(9.9)
        for each in waiting:
            self.assertNoResult(each)
        self.devices.boiler_answered("198.51.100.2", self.services)
        for each in waiting:
            self.assertEqual("198.51.100.2", self.successResultOf(each))

    def test_waiting_for_the_boiler_ends(self) -> None:
        waiting = self.address()
        self.clock.advance(10)
        self.failureResultOf(waiting, BoilerUnknownError)
        self.devices.boiler_answered("198.51.100.2", self.services)

    def test_waiting_for_the_boiler_can_be_given_up(self) -> None:
        given_up, other = self.address(), self.address()
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        self.devices.boiler_answered("198.51.100.2", self.services)
        self.assertEqual("198.51.100.2", self.successResultOf(other))
