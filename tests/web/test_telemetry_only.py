"""The page and the figures where there is no gateway: what needs one is absent."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import Config, GatewayConfig
from hargassner.parts import Parts
from hargassner.web.status import Facts, Level, status_of
from tests.web.cases import PageCase, show


class TelemetryOnlyTests(PageCase):
    def changed(self, parts: Parts) -> Parts:
        """They have no gateway."""
        config = Config(gateway=GatewayConfig(enabled=False))
        return replace(parts, gateway=None, config=config)

    def test_there_is_no_gateway_in_the_chain(self) -> None:
        self.assertEqual(["bridge", "boiler", "broker"], [*self.get("/api/state").json["chain"]])

    def test_there_are_no_figures_of_sessions_and_commands(self) -> None:
        show(self.boiler, {"TK": ("65.90", "°C")})
        text = self.get("/metrics").body.decode()
        for name in ("session", "bytes", "command", "refused", "unreachable"):
            self.assertNotIn(f"hargassner_{name}", text)
        self.assertIn('hargassner_channel{name="TK"', text)

    def test_the_bridge_is_well_where_the_boilers_side_is_open(self) -> None:
        self.assertEqual({"status": "ok"}, self.get("/healthz").json)


class StatusTests(SynchronousTestCase):
    def test_a_boiler_that_is_not_found_is_looked_for_by_the_bridge_itself(self) -> None:
        facts = Facts(now=1000.0, started=0.0, with_gateway=False)
        status = status_of(facts)
        self.assertIsNone(status.gateway)
        self.assertEqual(
            (Level.BROKEN, "boiler.lost.alone.advice"),
            (status.boiler.level, status.boiler.advice),
        )
