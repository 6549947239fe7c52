"""The link against real brokers: one suite, two brokers."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import LogLevel

from hargassner.mqtt.interfaces import LinkState
from tests.cases import until
from tests.mqtt.broker_case import STATUS, BrokerCase
from tests.mqtt.brokers import HOST, Cable, Embedded, Mosquitto
from tests.mqtt.certificates import Authority


class BrokerTests:
    """What holds with every broker; the classes below say with which."""

    @inlineCallbacks
    def test_what_is_published_is_retained(self) -> Any:
        broker = self.broker()
        early = yield self.onlooker(broker)
        link = yield self.online(broker.url)
        link.publish("hargassner/boiler/tk", "65.9")
        link.publish("hargassner/boiler/ratlos", "größer")
        link.publish("hargassner/boiler/par_4/result", "{}", retain=False)
        link.publish("hargassner/boiler/end", "", retain=False)
        yield until(lambda: "hargassner/boiler/end" in early.last())
        late = yield self.onlooker(broker)
        yield until(lambda: len(late.retained()) >= 3)
        self.assertEqual(
            {
                ("hargassner/boiler/ratlos", "größer"),
                (STATUS, "online"),
                ("hargassner/boiler/tk", "65.9"),
            },
            late.retained(),
        )

    @inlineCallbacks
    def test_offline_stays_behind_when_the_bridge_stops(self) -> Any:
        broker = self.broker()
        link = yield self.online(broker.url)
        onlooker = yield self.onlooker(broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        yield link.stopService()
        yield until(lambda: onlooker.heard(STATUS) == ["online", "offline"])
        another = yield self.onlooker(broker)
        yield until(lambda: another.retained() == {(STATUS, "offline")})

    @inlineCallbacks
    def test_what_is_published_last_arrives_in_order(self) -> Any:
        """The broker finds three hundred messages, ``offline`` and the goodbye all at once."""
        broker = self.broker()
        link = yield self.online(broker.url)
        onlooker = yield self.onlooker(broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        topics = [f"hargassner/boiler/c{number}" for number in range(300)]
        broker.freeze()
        self.addCleanup(broker.thaw)
        for topic in topics:
            link.publish(topic, "1")
        yield link.stopService()
        broker.thaw()
        yield until(lambda: onlooker.heard(STATUS) == ["online", "offline"])
        heard = [topic for topic, _, _ in onlooker.messages]
        self.assertEqual(heard, [STATUS, *topics, STATUS])

    @inlineCallbacks
    def test_the_last_will_tells_of_a_bridge_that_vanished(self) -> Any:
        broker = self.broker()
        cable = Cable(reactor, broker.port)
        self.addCleanup(cable.remove)
        link = yield self.online(f"mqtt://{HOST}:{cable.port}")
        onlooker = yield self.onlooker(broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        cable.cut()
        yield until(lambda: link.status.connections == 2)
        yield until(lambda: onlooker.heard(STATUS) == ["online", "offline", "online"])

    @inlineCallbacks
    def test_everything_is_said_again_to_a_broker_that_was_killed(self) -> Any:
        """Three hundred topics, none with an old value."""
        broker = self.broker()
        link = yield self.online(broker.url)
        for number in range(300):
            link.publish(f"hargassner/boiler/c{number}", "old")
        broker.kill()
        yield until(lambda: link.status.state is LinkState.WAITING)
        for number in range(0, 300, 2):
            link.publish(f"hargassner/boiler/c{number}", "new")
        broker.start()
        yield until(lambda: link.status.connections == 2)
        onlooker = yield self.onlooker(broker)
        expected = {
            f"hargassner/boiler/c{number}": "old" if number % 2 else "new" for number in range(300)
        }
        yield until(lambda: onlooker.last() == {**expected, STATUS: "online"})

    @inlineCallbacks
    def test_a_cleared_topic_is_retained_no_more(self) -> Any:
        broker = self.broker()
        early = yield self.onlooker(broker)
        link = yield self.online(broker.url)
        link.publish("hargassner/boiler/tk", "65.9")
        link.clear("hargassner/boiler/tk")
        yield until(lambda: early.heard("hargassner/boiler/tk")[-1:] == [""])
        late = yield self.onlooker(broker)
        yield until(late.retained)
        self.assertEqual({(STATUS, "online")}, late.retained())

    @inlineCallbacks
    def test_commands_arrive_unless_they_are_from_before(self) -> Any:
        broker = self.broker()
        onlooker = yield self.onlooker(broker)
        onlooker.publish("hargassner/boiler/par_4/set", "from before", retain=True)
        yield until(lambda: onlooker.messages)
        heard: list[tuple[str, str]] = []
        link = self.link(broker.url)
        link.subscribe("hargassner/boiler/+/set", lambda *message: heard.append(message))
        yield until(lambda: STATUS in onlooker.last())
        onlooker.publish("hargassner/boiler/par_5/set", "21.5")
        onlooker.publish("hargassner/boiler/par_6/set", "größer")
        yield until(lambda: len(heard) >= 2)
        self.assertEqual(
            [("hargassner/boiler/par_5/set", "21.5"), ("hargassner/boiler/par_6/set", "größer")],
            heard,
        )

    @inlineCallbacks
    def test_tls_with_an_own_authority(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(certificate=authority.certify("localhost"))
        url = f"mqtts://localhost:{broker.port}"
        link = yield self.online(url, ca_file=str(authority.file))
        for number in range(300):
            link.publish(f"hargassner/boiler/c{number}", "x" * 1000)
        yield until(lambda: not link.waiting)
        self.assertEqual(301, link.counters.published)
        yield link.stopService()

    @inlineCallbacks
    def test_a_certificate_for_an_address(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(certificate=authority.certify(HOST))
        yield self.online(broker.url, ca_file=str(authority.file))

    @inlineCallbacks
    def refused(self, url: str, why: str, **options: Any) -> Any:
        """A link that is refused, and says why in one line."""
        link = self.link(url, **options)
        yield until(lambda: link.status.state is LinkState.REFUSED)
        self.assertEqual(link.status.problem, why)
        self.assertEqual([f"no link to {url}: {why}"], self.log.at(LogLevel.warn))
        self.assertEqual(1, link.counters.refusals)

    @inlineCallbacks
    def test_a_certificate_for_another_name_is_refused(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(certificate=authority.certify("elsewhere.example"))
        yield self.refused(
            f"mqtts://localhost:{broker.port}",
            "the broker's certificate is for another name",
            ca_file=str(authority.file),
        )

    @inlineCallbacks
    def test_a_certificate_of_another_authority_is_refused(self) -> Any:
        broker = self.broker(certificate=Authority(self.folder, "other").certify("localhost"))
        yield self.refused(
            f"mqtts://localhost:{broker.port}",
            "no authority that we trust signed the broker's certificate",
            ca_file=str(Authority(self.folder).file),
        )

    @inlineCallbacks
    def test_without_an_own_authority_the_systems_are_trusted_only(self) -> Any:
        broker = self.broker(certificate=Authority(self.folder).certify("localhost"))
        yield self.refused(
            f"mqtts://localhost:{broker.port}",
            "no authority that we trust signed the broker's certificate",
        )

    @inlineCallbacks
    def test_a_password_lets_us_in(self) -> Any:
        broker = self.broker(password="geheim ß")
        yield self.online(broker.url, username="boiler", password="geheim ß")

    @inlineCallbacks
    def test_a_password_file_lets_us_in(self) -> Any:
        broker = self.broker(password="geheim ß")
        file = self.folder / "password"
        file.write_text("geheim ß\n")
        yield self.online(broker.url, username="boiler", password_file=str(file))

    @inlineCallbacks
    def test_a_wrong_password_is_refused(self) -> Any:
        broker = self.broker(password="geheim")
        link = self.link(broker.url, username="boiler", password="falsch")
        yield until(lambda: link.status.state is LinkState.REFUSED)
        [line] = self.log.at(LogLevel.warn)
        self.assertIn("the broker refuses us: ", line)
        self.assertNotIn("falsch", repr(self.log.events))

    @inlineCallbacks
    def test_a_frozen_broker_costs_one_value_a_topic(self) -> Any:
        """It takes the newest of each when it goes on."""
        broker = self.broker()
        link = yield self.online(broker.url)
        broker.freeze()
        self.addCleanup(broker.thaw)
        value = 0
        while not link.waiting:
            value += 1
            for topic in range(20):
                link.publish(f"hargassner/boiler/c{topic}", f"{value:08}" * 1000)
            for _ in range(10):  # Whatever can go out is out by then.
                yield deferLater(reactor, 0)
        for _ in range(1000):
            value += 1
            for topic in range(20):
                link.publish(f"hargassner/boiler/c{topic}", f"{value:08}")
        self.assertEqual(20, link.waiting)
        broker.thaw()
        yield until(lambda: not link.waiting)
        onlooker = yield self.onlooker(broker)
        expected = {f"hargassner/boiler/c{topic}": f"{value:08}" for topic in range(20)}
        yield until(lambda: onlooker.last() == {**expected, STATUS: "online"})

    @inlineCallbacks
    def test_a_frozen_broker_does_not_hold_the_stop(self) -> Any:
        broker = self.broker()
        link = yield self.online(broker.url)
        broker.freeze()
        self.addCleanup(broker.thaw)
        while not link.waiting:
            link.publish("hargassner/boiler/c", "x" * 10_000)
            yield deferLater(reactor, 0)
        yield link.stopService()
        self.assertEqual(LinkState.STOPPED, link.status.state)


class MosquittoTests(BrokerTests, BrokerCase):
    """The link to mosquitto."""

    make_broker = Mosquitto

    @inlineCallbacks
    def test_a_flood_through_tls_is_answered(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(
            certificate=authority.certify("localhost"), lines=("max_queued_messages 0",)
        )
        url, trust = f"mqtts://localhost:{broker.port}", str(authority.file)
        link = yield self.online(url, ca_file=trust)
        sender = yield self.online(url, ca_file=trust, node="sender")
        answered: list[str] = []
        results: list[str] = []
        ready: list[str] = []

        def answer(_topic: str, what: str) -> None:
            answered.append(what)
            link.publish("p/par_4/result", what, retain=False)

        link.subscribe("p/+/set", answer)
        sender.subscribe("p/+/result", lambda _topic, what: results.append(what))
        # Who hears itself has been subscribed before.
        for each in (link, sender):
            each.subscribe(f"p/ready/{each.base}", lambda topic, _what: ready.append(topic))
            each.publish(f"p/ready/{each.base}", "", retain=False)
        yield until(lambda: len(ready) == 2)
        expected = [str(number) for number in range(3_000)]
        for first in range(0, len(expected), 200):
            for each in expected[first : first + 200]:
                sender.publish("p/par_4/set", each, retain=False)
            yield until(lambda: not sender.waiting)
        yield until(lambda: len(results) == len(expected))
        self.assertEqual((expected, expected), (answered, results))

    @inlineCallbacks
    def test_a_client_certificate_lets_us_in(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(certificate=authority.certify("localhost"), authority=authority.file)
        certificate, key = authority.certify("the bridge")
        yield self.online(
            f"mqtts://localhost:{broker.port}",
            ca_file=str(authority.file),
            client_certificate=str(certificate),
            client_key=str(key),
        )

    @inlineCallbacks
    def test_without_a_client_certificate_we_are_refused(self) -> Any:
        authority = Authority(self.folder)
        broker = self.broker(certificate=authority.certify("localhost"), authority=authority.file)
        link = self.link(f"mqtts://localhost:{broker.port}", ca_file=str(authority.file))
        yield until(lambda: link.status.state is LinkState.REFUSED)
        self.assertIn("certificate", link.status.problem)

    @inlineCallbacks
    def test_tls_to_a_port_without_tls_is_said(self) -> Any:
        broker = self.broker()
        link = self.link(f"mqtts://localhost:{broker.port}")
        yield until(lambda: link.status.state is not LinkState.CONNECTING)
        self.assertEqual(
            "the broker closed the connection instead of answering", link.status.problem
        )

    @inlineCallbacks
    def test_no_tls_to_a_port_with_tls_is_said(self) -> Any:
        broker = self.broker(certificate=Authority(self.folder).certify("localhost"))
        link = self.link(f"mqtt://localhost:{broker.port}")
        yield until(lambda: link.status.state is not LinkState.CONNECTING)
        self.assertEqual(
            "the broker closed the connection instead of answering", link.status.problem
        )


class EmbeddedBrokerTests(BrokerTests, BrokerCase):
    """The link to the demo's broker."""

    make_broker = Embedded
