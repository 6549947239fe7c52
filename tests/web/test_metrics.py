"""The figures for Prometheus."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import hargassner
from hargassner.mqtt.interfaces import LinkState, LinkStatus
from hargassner.network.interface import NetworkInterface
from hargassner.proxy.forwarding import ForwardAccess, ForwardCounters, ForwardFactory
from hargassner.web.metrics import forwarded
from tests.web.cases import PageCase, show


@dataclass
class Outcomes:
    confirmed: int = 3
    refused: int = 1


class MetricsTests(PageCase):
    def figures(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and labels, read as Prometheus reads it."""
        answer = self.get("/metrics")
        self.assertTrue(answer.headers["content-type"].startswith("text/plain; version="))
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.body.decode())
            for sample in family.samples
        }

    def figure(self, metric: str, /, **labels: str) -> float | None:
        """One of them."""
        return self.figures().get((metric, tuple(sorted(labels.items()))))

    def test_what_the_proxy_counts_is_there(self) -> None:
        counters = self.proxy.counters
        counters.sessions, counters.refused, counters.unreachable = 4, 5, 6
        counters.bytes_from_gateway, counters.bytes_from_boiler = 700, 8000
        self.assertEqual(4, self.figure("hargassner_sessions_total"))
        self.assertEqual(5, self.figure("hargassner_refused_connections_total"))
        self.assertEqual(6, self.figure("hargassner_boiler_unreachable_total"))
        self.assertEqual(700, self.figure("hargassner_bytes_total", **{"from": "gateway"}))
        self.assertEqual(8000, self.figure("hargassner_bytes_total", **{"from": "boiler"}))

    def test_lines_are_counted_by_direction(self) -> None:
        observer = self.parts.timing.observer()
        observer.gateway_sent(b"$daq stop\r\n$logging disable\r\n")
        observer.boiler_sent(b"$daq stop")
        observer.boiler_sent(b"ped\r\n")
        self.assertEqual(2, self.figure("hargassner_lines_total", **{"from": "gateway"}))
        self.assertEqual(1, self.figure("hargassner_lines_total", **{"from": "boiler"}))

    def test_it_is_told_how_the_values_are_understood(self) -> None:
        """By whom, and how many channels cannot be told."""
        name = "hargassner_telemetry_understood"
        self.assertEqual(0, self.figure(name, source="unknown", layout=""))
        show(self.boiler, {"TK": ("65.90", "°C")})
        self.assertEqual(1, self.figure(name, source="boiler", layout=""))
        self.assertEqual(0, self.figure("hargassner_unknown_channels"))

    def test_every_connected_channel_is_a_gauge(self) -> None:
        name = 'say "hi"\\'
        analog = {"TK": ("65.90", "°C"), "TPm": ("-20.0", "°C"), name.replace('"', "'"): ("7", "")}
        show(self.boiler, analog, "Störung")
        labels = {"object": "tk", "name": "TK", "unit": "°C", "role": "boiler_temperature"}
        self.assertEqual(65.9, self.figure("hargassner_channel", **labels))
        labels = {"object": "stoerung", "name": "Störung", "unit": "", "role": "fault"}
        self.assertEqual(1, self.figure("hargassner_channel", **labels))
        names = {
            dict(labels)["name"] for each, labels in self.figures() if each.endswith("_channel")
        }
        self.assertEqual({"TK", "Störung", "say 'hi'\\"}, names)

    def test_each_fault_is_there_while_the_boiler_reports_it(self) -> None:
        show(self.boiler, {"Störungs Nr": ("5", "")}, "Störung")
        text = self.boiler.faults[0].text.en
        self.assertEqual(1, self.figure("hargassner_fault", number="5", text=text))
        show(self.boiler, {"Störungs Nr": ("0", "")})
        self.assertIsNone(self.figure("hargassner_fault", number="5", text=text))

    def test_the_version_that_runs_is_there(self) -> None:
        self.assertEqual(1, self.figure("hargassner_build_info", version=hargassner.__version__))

    def test_values_that_are_not_current_are_not_there(self) -> None:
        show(self.boiler, {"TK": ("65.90", "°C")})
        self.assertEqual(1, self.figure("hargassner_telemetry_online"))
        self.boiler.tick(2000.0)
        self.assertEqual(0, self.figure("hargassner_telemetry_online"))
        self.assertEqual([], [each for each, _ in self.figures() if each.endswith("_channel")])

    def test_commands_are_there_by_outcome(self) -> None:
        self.assertIsNone(self.figure("hargassner_commands_total", outcome="confirmed"))
        self.command_counters = Outcomes()
        self.assertEqual(3, self.figure("hargassner_commands_total", outcome="confirmed"))
        self.assertEqual(1, self.figure("hargassner_commands_total", outcome="refused"))

    def test_the_brokers_link_is_there_if_there_is_one(self) -> None:
        self.assertIsNone(self.figure("hargassner_broker_online"))
        for state, online in ((LinkState.ONLINE, 1), (LinkState.WAITING, 0)):
            self.broker_status = LinkStatus(state, 0.0, "mqtt://broker", connections=9)
            self.assertEqual(self.figure("hargassner_broker_online"), online)
        self.assertEqual(9, self.figure("hargassner_broker_connections_total"))

    def test_what_the_bridge_adds_is_a_histogram(self) -> None:
        self.parts.timing.observer().boiler_sent(b"pm 1 \r\n")
        self.clock.advance(0)
        self.assertEqual(1, self.figure("hargassner_turn_seconds_count"))
        self.assertIsNotNone(self.figure("hargassner_reactor_lateness_seconds_count"))

    def test_the_process_is_there(self) -> None:
        self.assertGreater(self.figure("process_resident_memory_bytes") or 0, 1e6)


class ForwardedTests(SynchronousTestCase):
    """The ports of the boiler that are forwarded."""

    def test_each_has_its_connections_and_bytes(self) -> None:
        access = ForwardAccess(["any"], NetworkInterface())
        factory = ForwardFactory(80, lambda _factory: Deferred(), access)
        factory.counters = ForwardCounters(3, 2, 1, 700, 9000)
        samples = {
            tuple(sample.labels.values()): sample.value
            for metric in forwarded([factory])
            for sample in metric.samples
        }
        self.assertEqual(
            {
                ("80", "accepted"): 3,
                ("80", "refused"): 2,
                ("80", "unreachable"): 1,
                ("80", "client"): 700,
                ("80", "boiler"): 9000,
            },
            samples,
        )

    def test_there_are_none_without_such_ports(self) -> None:
        self.assertEqual([], list(forwarded([])))
