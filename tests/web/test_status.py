"""The state of the chain, computed from facts."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.channels import LengthMismatch
from hargassner.mqtt.interfaces import LinkState, LinkStatus
from hargassner.web.status import SILENCE_TIMEOUT, Facts, Level, Link, status_of
from hargassner.web.texts import LANGUAGES, text

START = 1000.0
FRESH = Facts(now=START, started=START, gateway_interface="eth0", boiler_interface="eth1")
KNOWN = replace(FRESH, gateway_address="192.0.2.7", boiler_address="198.51.100.2")
WELL = replace(
    KNOWN,
    now=START + 900,
    gateway_heard=START + 20,
    connected=START + 35,
    logged_in=START + 36,
    telemetry=True,
    telemetry_since=START + 5,
)


def shown(link: Link) -> tuple[str, Level, float | None]:
    return link.state, link.level, link.since


class GatewayTests(SynchronousTestCase):
    def gateway(self, facts: Facts) -> tuple[str, Level, float | None]:
        return shown(status_of(facts).gateway)

    def test_a_gateway_that_is_logged_in_is_online_since_then(self) -> None:
        self.assertEqual(("gateway.online", Level.OK, START + 36), self.gateway(WELL))
        self.assertEqual("192.0.2.7", status_of(WELL).gateway.address)

    def test_a_session_without_a_login_is_on_its_way(self) -> None:
        facts = replace(WELL, logged_in=None)
        self.assertEqual(("gateway.connected", Level.WAIT, START + 35), self.gateway(facts))

    def test_at_first_it_is_waited_for(self) -> None:
        self.assertEqual(("gateway.waiting", Level.WAIT, START), self.gateway(FRESH))

    def test_one_that_announced_itself_is_about_to_connect(self) -> None:
        facts = replace(KNOWN, now=START + 25, gateway_heard=START + 20)
        self.assertEqual(("gateway.announced", Level.WAIT, START + 20), self.gateway(facts))

    def test_one_that_starts_over_is_waited_for_from_the_end_of_its_session(self) -> None:
        facts = replace(WELL, connected=None, logged_in=None, session_over=START + 890)
        self.assertEqual(("gateway.waiting", Level.WAIT, START + 890), self.gateway(facts))

    def test_silence_counts_as_broken_only_after_a_while(self) -> None:
        just = replace(FRESH, now=START + SILENCE_TIMEOUT - 1)
        self.assertEqual(("gateway.waiting", Level.WAIT, START), self.gateway(just))
        late = replace(FRESH, now=START + SILENCE_TIMEOUT)
        self.assertEqual(("gateway.silent", Level.BROKEN, START), self.gateway(late))

    def test_a_silent_gateways_advice_names_the_interface(self) -> None:
        link = status_of(replace(FRESH, now=START + SILENCE_TIMEOUT)).gateway
        self.assertIn("eth0", text(link.advice, "en", **dict(link.fields)))

    def test_closed_ports_are_named(self) -> None:
        link = status_of(replace(FRESH, closed_to_gateway=("the telnet port on eth0",))).gateway
        self.assertEqual(("gateway.closed", Level.BROKEN, None), shown(link))
        self.assertIn("the telnet port on eth0", text(link.advice, "en", **dict(link.fields)))

    def test_a_gateway_that_finds_no_boiler_is_not_blamed(self) -> None:
        facts = replace(KNOWN, now=START + 60, gateway_heard=START + 59)
        self.assertEqual("gateway.refused.advice", status_of(facts).gateway.advice)


class BoilerTests(SynchronousTestCase):
    def boiler(self, facts: Facts) -> tuple[str, Level, float | None]:
        return shown(status_of(facts).boiler)

    def test_one_that_sends_telemetry_is_online_since_then(self) -> None:
        self.assertEqual(("boiler.online", Level.OK, START + 5), self.boiler(WELL))
        self.assertEqual("198.51.100.2", status_of(WELL).boiler.address)

    def test_lines_that_do_not_fit_are_told_with_their_lengths(self) -> None:
        facts = replace(WELL, length_mismatch=LengthMismatch(expected=190, got=192))
        link = status_of(facts).boiler
        self.assertEqual(("boiler.mismatch", Level.WAIT, START + 5), shown(link))
        advice = text(link.advice, "en", **dict(link.fields))
        self.assertIn("192", advice)
        self.assertIn("190", advice)

    def test_an_unknown_address_counts_as_broken_only_after_a_while(self) -> None:
        self.assertEqual(("boiler.unknown", Level.WAIT, START), self.boiler(FRESH))
        late = replace(FRESH, now=START + SILENCE_TIMEOUT)
        self.assertEqual(("boiler.lost", Level.BROKEN, START), self.boiler(late))

    def test_a_known_one_has_a_moment_to_answer(self) -> None:
        self.assertEqual(("boiler.connecting", Level.WAIT, START), self.boiler(KNOWN))
        late = replace(KNOWN, now=START + 30)
        self.assertEqual(("boiler.away", Level.BROKEN, START), self.boiler(late))

    def test_one_that_went_away_is_away_since_then_and_tells_why(self) -> None:
        facts = replace(
            WELL, telemetry=False, telemetry_since=START + 800, boiler_problem="No route to host"
        )
        link = status_of(facts).boiler
        self.assertEqual(("boiler.away", Level.BROKEN, START + 800), shown(link))
        self.assertEqual("No route to host", link.problem)
        self.assertIn("eth1", text(link.advice, "en", **dict(link.fields)))

    def test_without_direct_reading_it_rests_between_two_sessions(self) -> None:
        facts = replace(
            WELL,
            telemetry=False,
            telemetry_since=START + 800,
            reads_directly=False,
            connected=None,
            logged_in=None,
        )
        self.assertEqual(("boiler.idle", Level.OFF, START + 800), self.boiler(facts))
        in_session = replace(facts, logged_in=START + 36)
        self.assertEqual("boiler.away", self.boiler(in_session)[0])

    def test_closed_ports_are_named(self) -> None:
        link = status_of(replace(FRESH, closed_to_boiler=("discovery on eth1",))).boiler
        self.assertEqual(("boiler.closed", Level.BROKEN, None), shown(link))
        self.assertIn("discovery on eth1", text(link.advice, "en", **dict(link.fields)))


class BridgeTests(SynchronousTestCase):
    def test_it_runs_since_its_start(self) -> None:
        self.assertEqual(("bridge.online", Level.OK, START), shown(status_of(WELL).bridge))

    def test_it_is_not_well_while_a_port_is_closed(self) -> None:
        for facts in (
            replace(WELL, closed_to_gateway=("it",)),
            replace(WELL, closed_to_boiler=("it",)),
        ):
            self.assertEqual(Level.BROKEN, status_of(facts).bridge.level)


class BrokerTests(SynchronousTestCase):
    def link(self, state: LinkState, problem: str = "", limit: int = 0) -> Link:
        status = LinkStatus(state, START + 7, "mqtt://broker:1883", problem, limit=limit)
        return status_of(replace(WELL, broker=status)).broker

    def test_none_is_configured(self) -> None:
        self.assertEqual(("broker.off", Level.OFF, None), shown(status_of(WELL).broker))

    def test_each_state_of_the_link_has_its_level(self) -> None:
        for state, level in {
            LinkState.ONLINE: Level.OK,
            LinkState.CONNECTING: Level.WAIT,
            LinkState.WAITING: Level.BROKEN,
            LinkState.REFUSED: Level.BROKEN,
            LinkState.STOPPED: Level.OFF,
        }.items():
            self.assertEqual(shown(self.link(state)), (f"broker.{state}", level, START + 7))

    def test_a_broken_link_tells_the_cause(self) -> None:
        link = self.link(LinkState.WAITING, "Connection refused")
        self.assertEqual("Connection refused", link.problem)
        self.assertEqual("mqtt://broker:1883", link.address)

    def test_a_broker_that_takes_no_large_messages(self) -> None:
        link = self.link(LinkState.ONLINE, limit=110_000)
        self.assertEqual(("broker.limited", Level.OK, START + 7), shown(link))
        self.assertIn("110000 bytes", text(link.advice, "en", **dict(link.fields)))
        self.assertEqual("broker.waiting", self.link(LinkState.WAITING, limit=110_000).state)


class WordsTests(SynchronousTestCase):
    def test_every_broken_link_says_what_to_do_and_every_link_has_words(self) -> None:
        late = {"now": START + SILENCE_TIMEOUT}
        cases = [
            FRESH,
            KNOWN,
            WELL,
            replace(FRESH, **late),
            replace(KNOWN, **late),
            replace(FRESH, closed_to_gateway=("it",), closed_to_boiler=("it",)),
            *(
                replace(WELL, broker=LinkStatus(state, START, "mqtt://broker"))
                for state in LinkState
            ),
        ]
        for facts in cases:
            status = status_of(facts)
            for link in (status.gateway, status.bridge, status.boiler, status.broker):
                self.assertEqual(link.level is Level.BROKEN, bool(link.advice), link)
                for language in LANGUAGES:
                    self.assertTrue(text(link.state, language))
                    if link.advice:
                        self.assertTrue(text(link.advice, language, **dict(link.fields)))
