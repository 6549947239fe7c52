"""The diagnostics: what a maintainer needs, and no secrets."""

from dataclasses import replace
from unittest.mock import patch

from hargassner.config import Config, ManholeConfig, MqttConfig
from hargassner.dialogue.events import Announced, Identified
from hargassner.monitor.traffic_log import LogLine
from hargassner.storage.snapshots import DescriptorSnapshot
from hargassner.web.reports import REPORT
from tests.doubles.documents import document
from tests.web.cases import PageCase, show

PASSWORD, CONSOLE, TOKEN, KEY = "hunter-2-broker", "hunter-2-console", "51B47A09", "0E98D1C2A7"
SERIALS = {
    "io_serial": "4411223",
    "controller_serial": "5566778",
    "gateway_serial": "0012345",
    "asnr": "99887766",
    "system_code": "0BADCAFE",
}


class DiagnosticsTests(PageCase):
    def report(self, **headers: str) -> str:
        return self.get("/api/diagnostics", **headers).body.decode()

    def plant(self) -> None:
        """Put every secret wherever one could be."""
        for name, value in SERIALS.items():
            self.boiler.apply(Identified(name, value), 0.0)
        self.boiler.apply(Announced("192.0.2.7", "6.4.1", SERIALS["gateway_serial"]), 0.0)
        for line in (
            "$login token",
            f"$login key {KEY}",
            f"$'{TOKEN}'",
            f"$info SN: {SERIALS['io_serial']}",
            f"$igw set {SERIALS['gateway_serial']}",
            f"$ {SERIALS['asnr']} ack",
        ):
            self.journal.said(1, "gateway" if "login" in line else "boiler", line)
        everything = (PASSWORD, CONSOLE, *SERIALS.values())
        self.journal.logged(LogLine(0.0, "warn", "x", f"it was {' '.join(everything)}"))
        content = document([(each, "°C") for each in everything], ())
        DescriptorSnapshot(self.directory).save(content)

    def configured(self, config: Config) -> None:
        """Have the page know another configuration than it was built with."""
        object.__setattr__(self.parts, "config", config)

    def test_no_secret_is_in_it_wherever_it_was(self) -> None:
        self.configured(
            replace(
                Config(),
                mqtt=MqttConfig("mqtt://192.0.2.9", "alice-the-user", PASSWORD),
                manhole=ManholeConfig("tcp:1:interface=127.0.0.1", "bob", CONSOLE),
            )
        )
        self.plant()
        report = self.report()
        for secret in (PASSWORD, CONSOLE, TOKEN, KEY, *SERIALS.values(), "alice-the-user"):
            self.assertNotIn(secret, report)
        self.assertIn("mqtt://192.0.2.9", report)
        self.assertIn("password = …", report)

    def test_the_password_that_is_in_a_file_is_not_in_it(self) -> None:
        file = self.directory.path / "password"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{PASSWORD}\n")
        self.configured(
            replace(Config(), mqtt=MqttConfig("mqtt://192.0.2.9", password_file=str(file)))
        )
        self.plant()
        self.assertNotIn(PASSWORD, self.report())

    def test_it_has_what_a_maintainer_asks_for(self) -> None:
        show(self.boiler, {"TK": ("65.90", "°C")}, "Störung", at=self.clock.seconds())
        DescriptorSnapshot(self.directory).save(document([("TK", "°C")], ()))
        self.journal.said(1, "gateway", "$par get all")
        self.journal.logged(LogLine(0.0, "warn", "x", "something was odd"))
        self.boiler_opening.stopService()
        report = self.report()
        for each in (
            "== Versions ==",
            "Twisted",
            "SQLite",
            "== What the bridge sees ==",
            "closed     the boiler's discovery",
            "fault      - fault",
            "== Configuration ==",
            "== Log ==",
            "something was odd",
            "$par get all",
            "65.90 °C",
            "<DAQPRJ",
        ):
            self.assertIn(each, report)

    def test_it_is_a_file_to_be_saved_and_never_kept_on_the_way(self) -> None:
        headers = self.get("/api/diagnostics").headers
        self.assertEqual(f'attachment; filename="{REPORT}"', headers["content-disposition"])
        self.assertEqual("no-store", headers["cache-control"])
        self.assertEqual("text/plain; charset=utf-8", headers["content-type"])

    def test_the_page_offers_it(self) -> None:
        self.assertIn(b'href="api/diagnostics" download', self.get("/").body)

    def test_only_who_asks_for_this_machine_gets_it(self) -> None:
        answer = self.get("/api/diagnostics", host="evil.example")
        self.assertEqual(421, answer.code)
        self.assertNotIn(b"Versions", answer.body)

    def test_a_failure_is_one_line_and_in_the_log(self) -> None:
        with patch("hargassner.web.reports.diagnostics", side_effect=ZeroDivisionError):
            answer = self.get("/api/diagnostics")
        self.assertEqual(503, answer.code)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
