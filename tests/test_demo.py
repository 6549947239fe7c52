"""The demo's command line."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import ConfigError, MqttConfig
from hargassner.demo import demo_config, named_broker


class NamedBrokerTests(SynchronousTestCase):
    """``MQTT_URL`` names another broker than the embedded one."""

    def test_a_url_may_have_user_and_password(self) -> None:
        self.assertEqual(named_broker("mqtt://host:1884"), MqttConfig(url="mqtt://host:1884"))
        self.assertEqual(
            named_broker("mqtts://user:p%40ss:word@host"),
            MqttConfig(url="mqtts://host", username="user", password="p@ss:word"),
        )

    def test_whatever_is_no_url_is_refused(self) -> None:
        for url in ("host", "http://host", "mqtt://", "mqtt://user@"):
            self.assertRaises(ConfigError, named_broker, url)

    def test_the_bridge_uses_it(self) -> None:
        mqtt = MqttConfig(url="mqtt://host:1884")
        self.assertEqual(demo_config("/state", mqtt, 8080).mqtt, mqtt)
