"""The law of the wires is broken by whatever it forbids."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.wire_law import Law, TelemetryOnlyLaw, sides_of, told
from tests.wires import Datagram, Opening, Other

GATEWAY, BOILER = ("192.0.2.7", 50000), ("198.51.100.2", 35601)
EVERYBODY = ("255.255.255.255", 35601)
HEARD = Datagram(1.0, "gateway", "gateway", GATEWAY, EVERYBODY, True, b"get services\0")
RELAYED = replace(
    HEARD, time=1.1, network="boiler", sender="bridge", source=("198.51.100.1", 50000)
)
ANSWER = Datagram(2.0, "boiler", "boiler", BOILER, ("198.51.100.1", 50000), False, b"\0\2")
PASSED_ON = Datagram(2.1, "gateway", "bridge", ("192.0.2.1", 35601), GATEWAY, False, b"\0\2")
TO_BRIDGE = replace(HEARD, time=3.0, broadcast=False, target=("192.0.2.1", 35601))
TO_BOILER = replace(RELAYED, time=3.1, broadcast=False, target=BOILER)
CLIENT = Opening(4.0, "gateway", "gateway", ("192.0.2.7", 999), ("192.0.2.1", 23))
SESSION = Opening(4.1, "boiler", "bridge", ("198.51.100.1", 999), ("198.51.100.2", 23))
DUE = [HEARD, RELAYED, ANSWER, PASSED_ON, TO_BRIDGE, TO_BOILER, CLIENT, SESSION]

LAW = Law(
    sides_of("bridge", ("gateway", "192.0.2.1"), ("boiler", "198.51.100.1")),
    direct_telemetry=False,
    besides={},
)


class WireLawTests(SynchronousTestCase):
    """One sentence for each thing that was not due."""

    def assert_broken(self, times: int, words: str, *seen: Datagram | Opening | Other) -> None:
        wrong = LAW.broken_by([*DUE, *seen])
        self.assertEqual(len(wrong), times, wrong)
        for each in wrong:
            self.assertIn(words, each)

    def test_what_is_due_breaks_nothing(self) -> None:
        self.assertEqual([], LAW.broken_by(DUE))
        self.assertEqual([], LAW.undelivered(DUE))

    def test_a_second_copy(self) -> None:
        self.assert_broken(1, "not so often", replace(RELAYED, time=1.2))

    def test_a_copy_on_the_network_that_it_came_from(self) -> None:
        back = replace(RELAYED, network="gateway", source=("192.0.2.1", 50000))
        self.assert_broken(1, "nobody sent it", back)

    def test_a_copy_from_before_it_was_heard(self) -> None:
        self.assertEqual(1, len(LAW.broken_by([HEARD, replace(RELAYED, time=0.9)])))

    def test_a_datagram_from_nowhere_or_changed_on_its_way(self) -> None:
        for each in (
            replace(RELAYED, payload=b"get service"),
            replace(RELAYED, source=("198.51.100.1", 50001)),
            replace(RELAYED, target=("255.255.255.255", 35602)),
        ):
            self.assert_broken(1, "nobody sent it", each)

    def test_a_broadcast_that_became_unicast_and_the_reverse(self) -> None:
        more = (replace(HEARD, time=5.0), replace(TO_BOILER, time=5.1))
        self.assert_broken(1, "not sent as it was heard", *more)
        more = (replace(TO_BRIDGE, time=5.0), replace(RELAYED, time=5.1))
        self.assert_broken(1, "not sent as it was heard", *more)

    def test_what_is_for_the_boiler_alone_may_be_broadcast_until_it_is_known(self) -> None:
        early = [replace(TO_BRIDGE, time=1.0), RELAYED]
        self.assertEqual([], LAW.broken_by(early))

    def test_a_broadcast_whose_frame_is_for_one_host(self) -> None:
        seen = [HEARD, replace(RELAYED, target=("198.51.100.9", 35601))]
        [wrong] = LAW.broken_by(seen)
        self.assertIn("contradict", wrong)

    def test_another_source_address(self) -> None:
        self.assert_broken(
            1, "not the bridge's", replace(RELAYED, source=("198.51.100.3", 50000), time=1.2)
        )

    def test_what_was_for_somebody_else(self) -> None:
        other = replace(HEARD, time=5.0, broadcast=False, target=("192.0.2.8", 35601))
        self.assert_broken(1, "nobody sent it", other, replace(RELAYED, time=5.1))

    def test_connections(self) -> None:
        self.assert_broken(1, "nobody connected", replace(SESSION, time=5.0))
        self.assertEqual(1, len(LAW.broken_by([replace(CLIENT, time=4.2), SESSION])))
        direct = replace(LAW, direct_telemetry=True)
        self.assertEqual([], direct.broken_by([*DUE, replace(SESSION, time=5.0)]))
        for each in (
            replace(SESSION, target=("198.51.100.2", 80)),
            replace(SESSION, network="gateway", target=("192.0.2.7", 23)),
        ):
            self.assert_broken(1, "no such connection", each)

    def test_anything_else(self) -> None:
        self.assert_broken(1, "neither", Other(1.0, "boiler", "bridge", "IP protocol 2"))
        self.assert_broken(0, "", Other(1.0, "boiler", "boiler", "IP protocol 2"))

    def test_what_is_declared_is_due(self) -> None:
        law = replace(LAW, besides={"udp 53": "names", "tcp 80": "the boiler's page"})
        asked = replace(RELAYED, target=("198.51.100.2", 53), broadcast=False)
        page = replace(SESSION, target=("198.51.100.2", 80))
        self.assertEqual([], law.broken_by([*DUE, asked, page]))

    def test_what_did_not_arrive(self) -> None:
        lost = replace(HEARD, time=9.0)
        self.assertEqual(LAW.undelivered([*DUE, lost]), [lost])
        self.assertEqual([ANSWER], LAW.undelivered([ANSWER]))

    def test_another_bridge_is_no_device_unless_it_may_be_taken_for_one(self) -> None:
        both = (
            *LAW.sides,
            *sides_of("second", ("gateway", "192.0.2.3"), ("boiler", "198.51.100.3")),
        )
        law = replace(LAW, sides=both)
        second = replace(RELAYED, sender="second", source=("198.51.100.3", 50000))
        back = replace(RELAYED, network="gateway", time=1.2, source=("192.0.2.1", 50000))
        self.assertEqual([], law.broken_by([*DUE, second]))
        self.assertEqual(1, len(law.broken_by([*DUE, second, back])))
        self.assertEqual([], replace(law, among_bridges=True).broken_by([*DUE, second, back]))

    def test_only_a_few_of_many_are_told(self) -> None:
        self.assertEqual(7, len(told(["wrong"] * 1000).splitlines()))


class TelemetryOnlyLawTests(SynchronousTestCase):
    """Without a gateway there is one question at a time, until it is answered."""

    LAW = TelemetryOnlyLaw({"boiler": "198.51.100.1"}, every=60.0)
    ASKED = RELAYED
    DUE = (
        ASKED,
        replace(ASKED, time=62.0),
        replace(ANSWER, time=63.0),
        replace(SESSION, time=64.0),
    )

    def test_what_is_due_breaks_nothing(self) -> None:
        self.assertEqual([], self.LAW.broken_by(self.DUE))

    def test_a_question_too_soon_or_after_the_answer(self) -> None:
        for time in (30.0, 600.0):
            [wrong] = self.LAW.broken_by([*self.DUE, replace(self.ASKED, time=time)])[-1:]
            self.assertIn("asked too soon, or after the answer", wrong)

    def test_anything_else(self) -> None:
        for each in (
            replace(self.ASKED, payload=b"get service"),
            replace(self.ASKED, network="gateway"),
            replace(self.ASKED, broadcast=False, target=BOILER),
            replace(self.ASKED, source=("198.51.100.1", 50001)),
            replace(SESSION, target=("198.51.100.2", 80)),
            replace(SESSION, network="gateway"),
            Other(5.0, "boiler", "bridge", "ICMP"),
        ):
            [wrong] = self.LAW.broken_by([*self.DUE, each])
            self.assertIn("not due", wrong)
