"""The demo's command line, and its end."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.demo import demo_config, named_broker, stop_in_turn
from hargassner.config import ConfigError, MqttConfig


class NamedBrokerTests(SynchronousTestCase):
    """``MQTT_URL`` names another broker than the embedded one."""

    def test_a_url_may_have_user_and_password(self) -> None:
        self.assertEqual(MqttConfig(url="mqtt://host:1884"), named_broker("mqtt://host:1884"))
        self.assertEqual(
            MqttConfig(url="mqtts://host", username="user", password="p@ss:word"),
            named_broker("mqtts://user:p%40ss:word@host"),
        )

    def test_whatever_is_no_url_is_refused(self) -> None:
        for url in ("host", "http://host", "mqtt://", "mqtt://user@"):
            self.assertRaises(ConfigError, named_broker, url)

    def test_the_bridge_uses_it(self) -> None:
        mqtt = MqttConfig(url="mqtt://host:1884")
        self.assertEqual(demo_config("/state", mqtt, 8080).mqtt, mqtt)


class Stopping(Service):
    """A service that takes its time to stop."""

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()
        self.startService()

    def stopService(self) -> "Deferred[None]":
        super().stopService()
        return self.stopped


class EndTests(SynchronousTestCase):
    """The bridge says ``offline`` to the broker that the demo brings along."""

    def setUp(self) -> None:
        self.house, self.broker = Stopping(), Stopping()
        self.end = Deferred.fromCoroutine(stop_in_turn(self.house, self.broker))

    def test_the_broker_runs_until_the_house_has_stopped(self) -> None:
        self.assertEqual((0, 1), (self.house.running, self.broker.running))
        self.house.stopped.callback(None)
        self.assertFalse(self.broker.running)
        self.assertNoResult(self.end)
        self.broker.stopped.callback(None)
        self.successResultOf(self.end)

    def test_the_broker_stops_even_if_the_house_fails_to(self) -> None:
        self.house.stopped.errback(ValueError())
        self.assertFalse(self.broker.running)
        self.broker.stopped.callback(None)
        self.failureResultOf(self.end, ValueError)
