"""The page in a real browser, before real sockets, a simulated boiler and a real broker."""

import shutil
import signal
import subprocess
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from hargassner.dialogue.events import ActiveErrors, ParameterChanged, TelemetryLine
from hargassner.monitor.traffic_log import LogLine
from hargassner.simulator.boiler.layout import standard_layout
from hargassner.simulator.boiler.server import SimulatedBoiler
from tests.cases import free_ports, until
from tests.constants import Constant, shorten
from tests.processes import ForkedRunning, Running, program
from tests.web.browser import Browser
from tests.web.browser_case import BOILER, GATEWAY, LEVEL, LIVE, METRICS, STATE, TILE, BrowserCase
from tests.web.cases import describe

UNFOLDED = "return document.getElementById('chain').open"


class Broker:
    """A mosquitto of the test's own."""

    def __init__(self, directory: Path) -> None:
        [self.port] = free_ports(1)
        self._configuration = directory / "mosquitto.conf"
        self._configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class ChainTests(BrowserCase):
    if shutil.which("mosquitto") is None:
        skip = "mosquitto is not installed"

    async def test_the_chain_shows_what_breaks_and_what_comes_back(self) -> None:
        for constant in (Constant.MODEL_TICK, Constant.HISTORY_LOOKS, Constant.DIRECT_RETRY):
            shorten(self, constant, 0.5)
        broker = Broker(self.directory)
        broker.start()
        self.addCleanup(broker.kill)
        boiler, bridge, gateway = self.boiler(), self.bridge(broker.port), self.gateway()
        self.start(boiler, bridge, gateway)
        # A page that finds no history looks again a quarter of a minute later.
        history = bridge.parts.history
        assert history is not None
        await until(lambda: history.consumed)
        browser = await self.look()

        for node in ("gateway", "bridge", "boiler", "broker"):
            await browser.until(LEVEL, node, "ok")
        self.assertEqual("", await browser.text("#advice"))
        self.assertFalse(await browser.run(UNFOLDED))
        self.assertIn(BOILER, await browser.text("[data-node=boiler]"))
        self.assertIn(GATEWAY, await browser.text("[data-node=gateway]"))

        # The boiler is there, and its values move.
        await browser.until("return document.querySelectorAll('#tiles dd').length === 4")
        before = await browser.run(TILE)
        await browser.until(f"{TILE} !== arguments[0]", before)
        await browser.until("return document.querySelectorAll('.chart canvas').length > 5")
        await browser.until("return document.querySelectorAll('#dialogue li').length > 5")
        await self.no_complaints(browser)
        await self.picture(browser, "well")

        # What passed was counted and timed.
        figures = await browser.run(METRICS)
        self.assertRegex(figures, r'hargassner_lines_total{from="boiler"} [1-9]')
        self.assertRegex(figures, r"hargassner_turn_seconds_count [1-9]")
        self.assertIn("hargassner_broker_online 1.0", figures)
        self.assertIn('hargassner_commands_total{outcome="ok"} 0.0', figures)

        broker.kill()
        await browser.until(LEVEL, "broker", "broken")
        self.assertIn("broker", (await browser.text("#advice")).lower())
        self.assertTrue(await browser.run(UNFOLDED))
        await self.picture(browser, "no-broker")
        broker.start()
        await browser.until(LEVEL, "broker", "ok")
        self.assertEqual("", await browser.text("#advice"))
        await browser.until(f"return !(() => {{ {UNFOLDED} }})()")

        await self.stop(gateway)
        await browser.until(LEVEL, "gateway", "wait")
        self.assertEqual("gateway.waiting", await browser.run(STATE, "gateway"))

        await self.stop(boiler)
        shorten(self, Constant.TELEMETRY, 2.0)
        await browser.until(LEVEL, "boiler", "broken")
        self.assertEqual("boiler.away", await browser.run(STATE, "boiler"))
        self.assertTrue(await browser.run("return !document.getElementById('stale').hidden"))
        await browser.until(
            "return document.getElementById('advice').textContent.includes('refused')"
        )
        await self.picture(browser, "boiler-away")
        self.start(boiler)
        await browser.until(LEVEL, "boiler", "ok")
        # Without a gateway, the bridge reads over a connection of its own.
        figures = await browser.run(METRICS)
        self.assertRegex(figures, r"hargassner_direct_connections_total [1-9]")

    async def test_a_page_comes_back_by_itself_after_a_restart_of_the_bridge(self) -> None:
        self.start(self.boiler())
        bridge = self.bridge()
        self.start(bridge)
        browser = await self.look()
        await self.stop(bridge)
        await browser.until(f"return !(() => {{ {LIVE} }})()")
        bridge = self.bridge()
        self.start(bridge)
        bridge.parts.boiler.apply(
            ParameterChanged("PR001", "Mode", None, "Anew"), reactor.seconds()
        )
        await browser.until(LIVE)
        await browser.until("return document.getElementById('rows').textContent.includes('Anew')")


class GoneTests(BrowserCase):
    """The bridge is a process of its own, and reads the boiler without a gateway."""

    SHOWN = "return !document.getElementById('gone').hidden"
    STYLE = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"

    def process(self, boiler: SimulatedBoiler) -> Running:
        config = (
            "[gateway]\nenabled = false\n"
            f'[boiler]\nhost = "{BOILER}"\ntelnet_port = {boiler.telnet_port_number}\n'
            f'[web]\nlisten = "tcp:{self.web_port}:interface=127.0.0.1"\n'
            '[state]\ndirectory = "."\n'
        )
        command = [program("twist"), "hargassner", "--config=hargassner.toml"]
        # The boiler describes itself to nobody without a login: an earlier life remembers it.
        described = standard_layout().document().decode("latin-1")
        files = {"hargassner.toml": config, "descriptor.xml": described}
        running = ForkedRunning(command, files, {Constant.TELEMETRY: 3.0})
        self.addCleanup(running.clean_up)
        return running

    async def begin(self) -> tuple[SimulatedBoiler, Running, Browser]:
        """A boiler, a bridge and a page that shows the boiler's values."""
        boiler = self.boiler()
        self.start(boiler)
        bridge = self.process(boiler)
        await deferToThread(bridge.wait_for, "telemetry arrives")
        browser = await self.look()
        await browser.until(LEVEL, "boiler", "ok")
        return boiler, bridge, browser

    async def test_a_page_whose_bridge_was_killed_says_so_all_over(self) -> None:
        _, bridge, browser = await self.begin()
        self.assertFalse(await browser.run(self.SHOWN))
        self.assertEqual("none", await browser.run(self.STYLE, "main", "filter"))
        bridge.process.kill()
        await browser.until(self.SHOWN)
        self.assertIn("has not answered since", await browser.text("#gone"))
        self.assertEqual("grayscale(1)", await browser.run(self.STYLE, "main", "filter"))
        await self.picture(browser, "gone")

    async def test_values_that_are_not_current_look_old(self) -> None:
        boiler, _, browser = await self.begin()
        self.assertEqual("normal", await browser.run(self.STYLE, "#rows", "fontStyle"))
        boiler.silence()
        await browser.until("return document.getElementById('table').matches('.is-stale')")
        self.assertEqual("italic", await browser.run(self.STYLE, "#rows", "fontStyle"))
        self.assertFalse(await browser.run(self.SHOWN))

    async def test_a_chain_without_a_gateway_has_none(self) -> None:
        _, _, browser = await self.begin()
        hidden = await browser.run(
            "return [...document.querySelectorAll('[data-node], [data-link]')]"
            ".filter(each => each.hidden).map(each => each.dataset.node || each.dataset.link)"
        )
        self.assertEqual(["gateway", "gateway"], hidden)
        self.assertEqual("", await browser.text("#advice"))
        await self.picture(browser, "telemetry-only")


class PhoneTests(BrowserCase):
    async def test_it_is_good_on_a_phone_in_the_dark_in_german(self) -> None:
        bridge = self.bridge()
        self.start(self.boiler(), bridge, self.gateway())
        browser = await self.look(language="de", scheme="dark", width=390, height=844, scale=2)
        await browser.until(LEVEL, "gateway", "ok")
        await browser.until("return document.querySelectorAll('#tiles dd').length === 4")
        self.assertEqual("Verlauf", await browser.text("section.history > h2"))
        self.assertEqual("Verbunden", await browser.text("[data-node=gateway] .state"))
        await self.picture(browser, "phone-dark")
        wide = await browser.run("return document.documentElement.scrollWidth")
        self.assertLessEqual(wide, 390)
        ground = await browser.run("return getComputedStyle(document.body).backgroundColor")
        self.assertEqual("rgb(21, 23, 26)", ground)
        await self.no_complaints(browser)

    async def test_other_widths_and_colours_do_not_overflow_either(self) -> None:
        self.start(self.boiler(), self.bridge(), self.gateway())
        for number, window in enumerate(
            (
                {"scheme": "dark", "language": "fr"},
                {"width": 320, "height": 640, "language": "fr"},
                {"width": 820, "height": 1180, "language": "de"},
            )
        ):
            browser = await self.look(**window)
            await browser.until("return document.querySelectorAll('#tiles dd').length === 4")
            await self.picture(browser, f"window-{number}")
            room = "return document.documentElement.scrollWidth - innerWidth"
            self.assertLessEqual(await browser.run(room), 0, window)
            dark = window.get("scheme") == "dark"
            ground = await browser.run("return getComputedStyle(document.body).backgroundColor")
            self.assertEqual(ground == "rgb(21, 23, 26)", dark)


class WireTests(BrowserCase):
    """What comes over the wire, put into the model as it comes."""

    EVIL = (
        "<script>window.hit=1</script>",
        "<img src=x onerror='window.hit=1'>",
        '"><svg onload=window.hit=1>',
        "__proto__",
        "constructor",
    )

    async def test_names_that_look_like_markup_do_nothing(self) -> None:
        bridge = self.bridge()
        self.start(bridge)
        self.tell(
            bridge,
            describe(dict.fromkeys(self.EVIL, "<b>u</b>") | {"ZK": ""}),
            TelemetryLine(b"pm 1 2 3 4 5 7 "),
            ActiveErrors(self.EVIL[:2]),
            *(ParameterChanged(f"X{at}", evil, None, evil) for at, evil in enumerate(self.EVIL)),
        )
        browser = await self.look()
        for evil in self.EVIL:
            bridge.parts.journal.said(1, "boiler", evil)
        await browser.until(
            "return document.getElementById('dialogue').textContent.includes('__proto__')"
        )
        shown = await browser.text("#rows")
        for evil in self.EVIL:
            self.assertIn(evil, shown)
        self.assertIn(self.EVIL[0], await browser.text("#faults"))
        self.assertIn("<b>u</b>", shown)
        self.assertIsNone(await browser.run("return window.hit"))
        kinds = "return ['script', 'img', 'main b:not(dd b, p b, .legend b)', 'svg[onload]']"
        counts = await browser.run(f"{kinds}.map(each => document.querySelectorAll(each).length)")
        self.assertEqual([3, 1, 0, 0], counts)
        await self.no_complaints(browser)

    async def test_the_table_is_searched_and_follows_the_boiler(self) -> None:
        bridge = self.bridge()
        self.start(bridge)
        self.tell(bridge, describe({"TK": "°C", "TRG": "°C", "Taus": "°C"}))
        self.tell(bridge, TelemetryLine(b"pm 65.90 140.0 -20.0 "))
        browser = await self.look()
        visible = "return [...document.querySelectorAll('#rows tr')].filter(e => !e.hidden).length"
        await browser.until(f"{visible} === 3")
        self.assertIn("65.90", await browser.text("#rows"))
        self.assertEqual(
            1, await browser.run("return document.querySelectorAll('.unconnected').length")
        )
        await browser.run(
            "const box = document.getElementById('search'); box.value = 'FLUE gas';"
            "box.dispatchEvent(new Event('input'))"
        )
        self.assertEqual(1, await browser.run(visible))
        self.assertEqual("1 of 3", await browser.text("#count"))
        self.tell(bridge, describe({"TK": "°C"}))
        await browser.until("return document.querySelectorAll('#rows tr').length === 1")

    async def test_a_page_that_stays_open_does_not_grow(self) -> None:
        bridge = self.bridge()
        self.start(bridge)
        self.tell(bridge, describe({"TK": "°C"}))
        browser = await self.look()
        size = "return document.querySelectorAll('*').length"
        sizes = []
        for turn in range(8):
            for number in range(300):
                bridge.parts.journal.said(1, "boiler", f"{turn} {number}")
                bridge.parts.journal.logged(LogLine(reactor.seconds(), "info", "", "a line"))
                self.tell(bridge, TelemetryLine(b"pm %d " % number))
            await browser.until(
                "return document.getElementById('dialogue').textContent.includes(arguments[0])",
                f"{turn} 299",
            )
            sizes.append(await browser.run(size))
        # A page that grew would have some hundred elements more each time; an advice has a few.
        self.assertLess(sizes[-1] - sizes[-3], 100, sizes)
        lines = await browser.run("return document.querySelectorAll('#dialogue li').length")
        self.assertLessEqual(lines, 300)
