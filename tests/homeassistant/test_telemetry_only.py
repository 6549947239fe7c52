"""The boiler in the home where there is no gateway: what needs one is absent."""

import json

from hargassner.config import config_from
from hargassner.dialogue.events import ParameterChanged
from tests.mqtt.cases import BASE, HomeCase, described

OF_GATEWAY = ("session", "session_start", "gateway_software")


class TelemetryOnlyTests(HomeCase):
    def begin_without_gateway(self) -> None:
        """The life that runs ends, and the next one has no gateway."""
        self.config = config_from({"gateway": {"enabled": False}, "web": {"listen": ""}})
        self.live_again()

    def read(self) -> None:
        """Telemetry arrives, and a notice of a setting that was changed at the panel."""
        self.identify()
        self.apply(described())
        self.line()
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", None, "Auto"))
        self.settle()

    def entities(self) -> list[str]:
        """What is announced, by the entities' identifiers."""
        prefix = "hargassner_boiler_"
        return [
            each["unique_id"].removeprefix(prefix)
            for message in map(json.loads, self.announced().values())
            for each in message["components"].values()
            if "unique_id" in each
        ]

    def test_no_entity_needs_a_gateway(self) -> None:
        self.begin_without_gateway()
        self.read()
        there = self.entities()
        self.assertIn("tk", there)
        self.assertIn("telemetry", there)
        wrong = [each for each in there if each in OF_GATEWAY or each.startswith("par_")]
        self.assertEqual([], wrong)

    def test_no_topic_does(self) -> None:
        self.begin_without_gateway()
        self.read()
        states = self.states()
        self.assertEqual("online", states["telemetry"])
        wrong = [each for each in states if each == "session" or each.startswith("par_")]
        self.assertEqual([], wrong)
        info = json.loads(states["info"])
        self.assertEqual([], [each for each in info if "gateway" in each or "session" in each])

    def test_no_command_is_listened_to(self) -> None:
        self.begin_without_gateway()
        self.read()
        before = len(self.broker.published)
        self.broker.deliver(f"{BASE}/par_pr011/set", "Auto")
        self.assertEqual(len(self.broker.published), before)

    def test_what_a_life_with_a_gateway_left_is_taken_back(self) -> None:
        self.everything()
        self.assertIn("session", self.states())
        self.assertIn("par_pr011", self.entities())
        self.begin_without_gateway()
        self.read()
        wrong = [each for each in self.states() if each == "session" or each.startswith("par_")]
        self.assertEqual([], wrong)
        wrong = [
            each
            for each in self.entities()
            if each in OF_GATEWAY or each.startswith(("par_", "climate_"))
        ]
        self.assertEqual([], wrong)

    def test_the_end_is_told_without_a_session(self) -> None:
        self.begin_without_gateway()
        self.read()
        self.view.stopService()
        self.assertEqual("offline", self.states()["telemetry"])
        self.assertNotIn("session", self.states())
