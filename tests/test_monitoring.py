"""What those who run many bridges get: Prometheus' configuration and rules, Grafana's dashboard."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.catalogue import Catalogue

ROOT = Path(__file__).parent.parent
MONITORING = ROOT / "packaging" / "monitoring"


def documented_metrics() -> set[str]:
    """The metrics that docs/web.md names, with what Prometheus makes of a histogram."""
    names = set(re.findall(r"`(hargassner_\w+)", (ROOT / "docs" / "web.md").read_text()))
    return names | {f"{each}_bucket" for each in names}


class RulesTests(SynchronousTestCase):
    """The alerts and what they are made of."""

    def promtool(self, *arguments: str, cwd: Path = MONITORING) -> None:
        """Have Prometheus' own tool judge something."""
        tool = shutil.which("promtool")
        if tool is None:
            raise SkipTest("prometheus is not installed")
        judged = subprocess.run(
            [tool, *arguments], cwd=cwd, capture_output=True, text=True, check=False
        )
        self.assertEqual(0, judged.returncode, judged.stdout + judged.stderr)

    def test_every_alert_fires_and_rests_when_it_should(self) -> None:
        self.promtool("test", "rules", "rules_test.yml", "weeks_test.yml")

    def test_every_alert_has_a_test_in_which_it_fires(self) -> None:
        alerts = set(re.findall(r"- alert: (\w+)", (MONITORING / "rules.yml").read_text()))
        cases = "".join(each.read_text() for each in MONITORING.glob("*_test.yml"))
        fires = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", cases))
        self.assertEqual(alerts, fires)

    def test_the_configuration_is_one_that_prometheus_takes(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        for name in ("rules", "targets"):
            shutil.copy(MONITORING / f"{name}.yml", directory / f"hargassner-{name}.yml")
        text = (MONITORING / "prometheus.yml").read_text()
        (directory / "prometheus.yml").write_text(text.replace("/etc/prometheus/", ""))
        self.promtool("check", "config", "prometheus.yml", cwd=directory)


class NamesTests(SynchronousTestCase):
    """Rules and dashboard ask for what the bridge has."""

    def setUp(self) -> None:
        panels = self.dashboard()["panels"]
        targets = [each["expr"] for panel in panels for each in panel["targets"]]
        rules = (MONITORING / "rules.yml").read_text()
        self.asked = "\n".join([rules, *targets])

    def dashboard(self) -> Any:
        """Grafana's dashboard."""
        return json.loads((MONITORING / "grafana-dashboard.json").read_text())

    def test_every_metric_is_a_documented_one(self) -> None:
        asked = set(re.findall(r"hargassner_\w+", self.asked))
        self.assertEqual(set(), asked - documented_metrics())

    def test_every_figure_of_the_dashboard_is_recorded_by_a_rule(self) -> None:
        recorded = set(re.findall(r"record: (\S+)", (MONITORING / "rules.yml").read_text()))
        self.assertEqual(set(), set(re.findall(r"hargassner:[\w:]+", self.asked)) - recorded)

    def test_every_role_is_one_of_the_catalogue(self) -> None:
        roles = set(Catalogue.load().roles)
        asked = set("|".join(re.findall(r'role=~"([^"]+)"', self.asked)).split("|"))
        self.assertEqual(set(), asked - roles)

    def test_panels_do_not_cover_each_other(self) -> None:
        covered: set[tuple[int, int]] = set()
        for panel in self.dashboard()["panels"]:
            at = panel["gridPos"]
            area = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            self.assertEqual(set(), covered & area, panel["title"])
            covered |= area
