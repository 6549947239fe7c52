"""The demo's embedded broker, a process of its own."""

import importlib.util
import socket
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest

from hargassner.config import MqttConfig
from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.link import BrokerLink
from hargassner.simulator.broker import process as broker_process
from hargassner.simulator.broker.process import STOP_TIMEOUT, EmbeddedBroker
from tests.cases import ClockCase, DescriptorCase, until
from tests.mqtt.brokers import Onlooker

DISCONNECT = b"\xe0\x00"


class Child:
    """A process that does what the test wants."""

    def __init__(self) -> None:
        self.stdin_closed = False
        self.signals: list[str] = []

    def closeStdin(self) -> None:
        self.stdin_closed = True

    def signalProcess(self, signal: str) -> None:
        self.signals.append(signal)


class ProcessClock(Clock):
    """Time, and one process."""

    def __init__(self) -> None:
        super().__init__()
        self.child = Child()

    def spawnProcess(self, protocol: Any, executable: str, args: Any, **options: Any) -> Child:
        self.protocol, self.args, self.options = protocol, args, options
        return self.child


class StoppingTests(ClockCase):
    """However the process behaves, it is gone in the end."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.reactor = ProcessClock()
        self.broker = EmbeddedBroker(self.reactor)
        self.broker.startService()

    def test_the_child_gets_the_listening_socket(self) -> None:
        self.assertEqual(
            self.reactor.args, [sys.executable, "-m", "hargassner.simulator.broker.embedded", "3"]
        )
        self.assertIn(3, self.reactor.options["childFDs"])
        self.reactor.protocol.processEnded(Failure(ProcessDone(0)))

    def test_ends_by_itself_when_its_input_ends(self) -> None:
        stopped = self.broker.stopService()
        self.assertTrue(self.reactor.child.stdin_closed)
        self.assertNoResult(stopped)
        self.reactor.protocol.processEnded(Failure(ProcessDone(0)))
        self.successResultOf(stopped)
        self.assertEqual(([], []), (self.log.lines, self.reactor.child.signals))

    def test_is_killed_where_it_does_not(self) -> None:
        stopped = self.broker.stopService()
        self.clock.advance(STOP_TIMEOUT)
        self.assertEqual(["KILL"], self.reactor.child.signals)
        self.reactor.protocol.processEnded(Failure(ProcessTerminated(signal=9)))
        self.successResultOf(stopped)

    def test_an_unexpected_end_is_a_line_in_the_log(self) -> None:
        self.reactor.protocol.errReceived(b"Traceback:\n  File\nMemoryError: no ")
        self.reactor.protocol.errReceived(b"memory\n")
        self.reactor.protocol.processEnded(Failure(ProcessTerminated(1)))
        self.assertEqual(
            ["the embedded broker ended: MemoryError: no memory"], self.log.at(LogLevel.error)
        )
        self.successResultOf(self.broker.stopService())


class EmbeddedBrokerTests(DescriptorCase):
    """The real one."""

    def setUp(self) -> Any:
        if importlib.util.find_spec("amqtt") is None:
            raise SkipTest("amqtt is not installed")
        return super().setUp()

    @inlineCallbacks
    def onlooker(self, broker: EmbeddedBroker) -> Any:
        """Another client."""
        endpoint = HostnameEndpoint(reactor, broker.host, broker.port)
        onlooker = yield endpoint.connect(Factory.forProtocol(Onlooker))
        return onlooker

    @inlineCallbacks
    def test_whoever_is_early_waits(self) -> Any:
        """The link connects while the broker's process still starts."""
        broker = EmbeddedBroker(reactor)
        link = BrokerLink(MqttConfig(url=f"mqtt://{broker.host}:{broker.port}"), reactor)
        link.startService()
        broker.startService()
        yield until(lambda: link.status.state is LinkState.ONLINE)
        yield link.stopService()
        yield broker.stopService()
        self.assertEqual([], self.log.at(LogLevel.warn) + self.log.at(LogLevel.error))

    @inlineCallbacks
    def test_what_comes_together_with_the_goodbye_is_passed_on(self) -> Any:
        broker = EmbeddedBroker(reactor)
        broker.startService()
        onlooker = yield self.onlooker(broker)
        sender = yield self.onlooker(broker)
        sender.publish("ready", "", retain=True)
        yield until(lambda: onlooker.heard("ready") and sender.heard("ready"))
        payloads = [str(number) for number in range(100)]
        for payload in payloads:
            sender.publish("count", payload)
        sender.transport.write(DISCONNECT)
        yield until(lambda: sender.is_lost)
        yield until(lambda: len(onlooker.heard("count")) == len(payloads))
        self.assertEqual(onlooker.heard("count"), payloads)
        yield broker.stopService()

    @inlineCallbacks
    def test_what_it_was_sent_is_passed_on_before_it_ends(self) -> Any:
        broker = EmbeddedBroker(reactor)
        broker.startService()
        link = BrokerLink(MqttConfig(url=f"mqtt://{broker.host}:{broker.port}"), reactor)
        link.startService()
        onlooker = yield self.onlooker(broker)
        yield until(lambda: onlooker.heard(link.status_topic) == ["online"])
        topics = [f"hargassner/boiler/c{number}" for number in range(300)]
        for topic in topics:
            link.publish(topic, "1")
        yield link.stopService()
        yield broker.stopService()
        yield until(lambda: onlooker.is_lost)
        heard = [topic for topic, _, _ in onlooker.messages]
        self.assertEqual(heard, [link.status_topic, *topics, link.status_topic])

    @inlineCallbacks
    def test_ctrl_c_does_not_end_it(self) -> Any:
        """It reaches the whole group of processes, and the broker is needed until the last."""
        children = []

        def spawn(*arguments: Any, **options: Any) -> Any:
            children.append(spawn_process(*arguments, **options))
            return children[-1]

        spawn_process = reactor.spawnProcess
        self.patch(reactor, "spawnProcess", spawn)
        broker = EmbeddedBroker(reactor)
        broker.startService()
        children[0].signalProcess("INT")
        onlooker = yield self.onlooker(broker)
        onlooker.publish("still", "here")
        yield until(lambda: onlooker.heard("still"))
        children[0].signalProcess("INT")
        onlooker.publish("still", "there")
        yield until(lambda: onlooker.heard("still") == ["here", "there"])
        yield broker.stopService()
        self.assertEqual([], self.log.at(LogLevel.error))

    @inlineCallbacks
    def test_a_port_that_is_taken_is_left_alone(self) -> Any:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.patch(broker_process, "USUAL_PORT", taken.getsockname()[1])
            broker = EmbeddedBroker(reactor)
            self.assertNotEqual(broker.port, broker_process.USUAL_PORT)
            yield broker.stopService()

    @inlineCallbacks
    def test_a_broker_that_cannot_start_is_a_line_in_the_log(self) -> Any:
        absent = ["--certificate", "/nonexistent", "--key", "/nonexistent"]
        broker = EmbeddedBroker(reactor, arguments=absent)
        broker.startService()
        yield until(lambda: self.log.at(LogLevel.error))
        [line] = self.log.at(LogLevel.error)
        self.assertIn("No such file", line)
        yield broker.stopService()
