"""A visit to the broker: what the bridge may do there, against a real one."""

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, inlineCallbacks

from hargassner.cli.check.broker import Stage, Visit
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.rights import broker_finding, discovery_finding
from hargassner.config import HomeAssistantConfig, MqttConfig
from tests.cases import until
from tests.mqtt.broker_case import BrokerCase
from tests.mqtt.brokers import Embedded, Mosquitto

DOCUMENTED = (
    "topic write hargassner/boiler/#",
    "topic write homeassistant/#",
    "topic read hargassner/boiler/+/set",
    "topic read hargassner/boiler/+/+/set",
    "topic read homeassistant/status",
)
"""The access list of docs/mqtt.md."""


class VisitCase(BrokerCase):
    """A broker, and somebody who looks what is left there."""

    make_broker = Mosquitto
    home = HomeAssistantConfig()

    @inlineCallbacks
    def visit(self, *rights: str, lines: tuple[str, ...] = ()) -> Any:
        """Visit a broker with these rights, or with all; what was found."""
        if rights:
            path = Path(self.folder) / "rights"
            path.write_text("\n".join(rights) + "\n")
            path.chmod(0o700)
            lines = (*lines, f"acl_file {path}")
        self.running = self.broker(lines=lines)
        visit = Visit(MqttConfig(url=self.running.url), self.home, reactor)
        yield ensureDeferred(visit.begin())
        yield until(lambda: visit.is_known or visit.over)
        found = self.found(visit)
        visit.end()
        yield until(lambda: visit.over)
        return found

    def found(self, visit: Visit) -> tuple[Finding, Finding | None]:
        url = self.running.url
        return broker_finding(visit, url, self.home), discovery_finding(visit, self.home)


class RightsTests(VisitCase):
    """What the broker's access list allows."""

    @inlineCallbacks
    def test_everything(self) -> Any:
        broker, home = yield self.visit()
        self.assertEqual((Outcome.OK, "", None), (broker.outcome, broker.advice, home))

    @inlineCallbacks
    def test_what_the_documentation_asks_for_is_enough(self) -> Any:
        """Though nothing comes back of what is published."""
        broker, home = yield self.visit(*DOCUMENTED)
        self.assertEqual((Outcome.OK, None), (broker.outcome, home), broker)

    @inlineCallbacks
    def test_not_what_home_assistant_looks_for(self) -> Any:
        broker, home = yield self.visit(*(each for each in DOCUMENTED if "write home" not in each))
        self.assertEqual((Outcome.OK, Outcome.FAILED), (broker.outcome, home.outcome))
        self.assertEqual(
            "the bridge may not publish homeassistant/device/hargassner_boiler/check: "
            "Not authorized",
            home.what,
        )
        self.assertIn("write homeassistant/#", home.advice)

    @inlineCallbacks
    def test_not_its_own_topics(self) -> Any:
        broker, _ = yield self.visit("topic read #")
        self.assertEqual(Outcome.FAILED, broker.outcome)
        self.assertIn("but not publish hargassner/boiler/check: Not authorized", broker.what)

    @inlineCallbacks
    def test_nothing_is_left_at_the_broker(self) -> Any:
        yield self.visit()
        onlooker = yield self.onlooker(self.running)
        onlooker.publish("end", "")
        yield until(lambda: onlooker.heard("end"))
        self.assertEqual(onlooker.retained(), set())


class SizeTests(VisitCase):
    """How much the broker takes at once."""

    @inlineCallbacks
    def test_a_broker_with_a_limit_tells_it(self) -> Any:
        broker, home = yield self.visit(lines=("max_packet_size 65536",))
        self.assertEqual((Outcome.OK, None), (broker.outcome, home))
        self.assertIn("65536 bytes at most at once", broker.what)
        self.assertIn("each entity in a message of its own", broker.advice)

    @inlineCallbacks
    def test_it_does_not_matter_where_entities_are_announced_singly(self) -> Any:
        self.home = HomeAssistantConfig(discovery="entity")
        broker, _ = yield self.visit(lines=("max_packet_size 65536",))
        self.assertEqual("", broker.advice)


class WithoutReasonsTests(VisitCase):
    """A broker that speaks no MQTT 5: what comes back tells."""

    make_broker = Embedded

    @inlineCallbacks
    def test_everything(self) -> Any:
        broker, home = yield self.visit()
        self.assertEqual((Outcome.OK, None), (broker.outcome, home), broker)

    def test_what_does_not_come_back_is_said_as_it_is(self) -> None:
        """Nobody can tell whether it could not be published, or not be read."""
        visit = Visit(MqttConfig(url="mqtt://broker.lan"), self.home, reactor)
        visit.stage = Stage.ADMITTED
        finding = discovery_finding(visit, self.home)
        self.assertEqual(Outcome.FAILED, finding.outcome)
        self.assertIn("may not publish there, or not read it", finding.what)
        self.assertIn(
            "not publish hargassner/boiler/check", broker_finding(visit, "", self.home).what
        )

    def test_a_refused_subscription_is_said(self) -> None:
        for commands in ("hargassner/boiler/+/set", "hargassner/boiler/+/+/set"):
            visit = Visit(MqttConfig(url="mqtt://broker.lan"), self.home, reactor)
            visit.stage = Stage.ADMITTED
            visit.not_subscribed(commands)
            what = broker_finding(visit, "", self.home).what
            self.assertIn(f"not subscribe to {commands}", what)
