"""What the page shows and how it is used, in a real browser, with more than a year of history."""

from pathlib import Path
from typing import Any

from twisted.internet import reactor

from hargassner.dialogue.events import ActiveErrors, TelemetryLine
from hargassner.monitor.traffic_log import LogLine
from hargassner.service import Bridge
from tests.web.browser import Browser
from tests.web.browser_case import LIVE, BrowserCase
from tests.web.cases import describe
from tests.web.years import fill

AXE = Path(__file__).parent / "axe" / "axe.min.js"
DAYS = 430
"""Of history: a year, and some days to compare."""

VISIBLE = "return [...document.querySelectorAll('#rows tr')].filter(e => !e.hidden).length"
FIRST = "return document.querySelector('#rows tr:not([hidden]) th').firstChild.textContent"
CLICK = "document.querySelector(arguments[0]).click()"
PRESS = """
const on = document.querySelector(arguments[0]);
on.focus();
const press = key => on.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
arguments[1].forEach(press);
return on.getAttribute('aria-valuetext');
"""
MERGING = """
const done = arguments[0];
const answer = (from, to, times, values, states, object = 'tk') => ({
  grain: 'minute', step: 60, from, to, newest: times.at(-1), times, kept: {},
  charts: [{chart: 'boiler', lines: [{object, values}]}],
  state: {values: states},
});
const known = answer(40, 260, [60, 120, 180, 240], [1, 2, 3, 4], [1, 7, 7, 7]);
const newer = answer(240, 320, [240, 300], [40, 50], [8, 8]);
const others = answer(240, 320, [240, 300], [40, 50], [8, 8], 'trg');
const later = answer(600, 660, [600], [60], [8]);
import('./merge.js').then(({follows, merged}) => {
  const all = merged(known, newer);
  done({
    times: all.times,
    lines: all.charts[0].lines[0].values,
    states: all.state.values,
    range: [all.from, all.to],
    follows: [newer, others, later].map(each => follows(known, each)),
  });
});
"""
FOUND = """
const done = arguments[0];
axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .map(each => `${each.id}: ${each.nodes.map(node => node.html.slice(0, 200)).join(' | ')}`)));
"""


LINE = b"pm 65.90 55.0 140.0 -20.0 7 "


class HouseCase(BrowserCase):
    """A bridge that knows more than a year of a house, and shows some values."""

    async def house(self) -> Bridge:
        """The bridge, with the boiler in the middle of things."""
        state = self.directory / "state"
        state.mkdir()
        fill(state, DAYS)
        bridge = self.bridge()
        self.start(bridge)
        units = {"TK": "°C", "TRL": "°C", "TRG": "°C", "TB1": "°C", "ZK": ""}
        self.tell(bridge, describe(units), TelemetryLine(LINE))
        return bridge

    async def charts(self, browser: Browser) -> None:
        """Wait until they are drawn."""
        await browser.until("return document.querySelectorAll('.chart canvas').length > 4")

    async def choose(self, browser: Browser, selector: str) -> None:
        """Click something, and wait for the charts that the page then draws."""
        await browser.run("window.drawn = document.querySelector('.chart')")
        await browser.run(CLICK, selector)
        await browser.until("return document.querySelector('.chart') !== window.drawn")
        await self.charts(browser)


class ChartTests(HouseCase):
    async def test_every_range_is_drawn_and_read_by_keyboard_with_unit_and_date(self) -> None:
        await self.house()
        browser = await self.look()
        await self.charts(browser)
        for kind in ("day", "week", "month", "year", "all"):
            await self.choose(browser, f"[data-range={kind}]")
            pressed = f"return document.querySelector('[data-range={kind}]').ariaPressed"
            self.assertEqual("true", await browser.run(pressed))
            spoken = await browser.run(PRESS, ".plot", ["End", "ArrowLeft"])
            self.assertRegex(spoken, r"\w{3}, \w{3} \d+, 20\d\d.* -?\d+(\.\d)?\u00a0°C", kind)
            self.assertRegex(await browser.text(".chart .at"), r"20\d\d")
            await browser.run("document.activeElement.blur()")
        await self.no_complaints(browser)

    async def test_the_year_before_is_beside_it_under_the_cursor(self) -> None:
        await self.house()
        browser = await self.look()
        await self.choose(browser, "[data-range=week]")
        await self.choose(browser, "#compare")
        await browser.until("return document.querySelectorAll('.legend i').length > 3")
        await browser.run(PRESS, ".plot", ["End", "PageUp"])
        self.assertRegex(await browser.text(".chart .legend i"), r"year before \d+(\.\d)?\u00a0°C")
        await self.picture(browser, "compared")

    async def test_a_mouse_shows_the_values_of_all_charts_at_one_time(self) -> None:
        await self.house()
        browser = await self.look()
        await self.charts(browser)
        place = await browser.run(
            "const box = document.querySelector('.plot .u-over').getBoundingClientRect();"
            "window.scrollTo(0, box.top - 300);"
            "const now = document.querySelector('.plot .u-over').getBoundingClientRect();"
            "return [now.left + now.width * 0.25, now.top + 40]"
        )
        await browser.command("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
        shown = "return [...document.querySelectorAll('.chart .at')].map(each => each.textContent)"
        times = await browser.until(f"const all = (() => {{ {shown} }})(); return all[1] && all")
        self.assertEqual({each.partition(" · ")[0] for each in times}, {times[1]})
        self.assertIn("·", times[0])

    async def test_a_finger_reads_them_too(self) -> None:
        await self.house()
        browser = await self.look(width=390, height=844)
        await self.charts(browser)
        x, y = await browser.run(
            "document.querySelector('.plot').scrollIntoView({block: 'center'});"
            "const box = document.querySelector('.plot .u-over').getBoundingClientRect();"
            "return [box.left + box.width / 4, box.top + 40]"
        )
        await browser.touch(x, y)
        await browser.until("return document.querySelector('.chart .at').textContent !== ''")
        self.assertRegex(await browser.text(".chart .legend b"), r"\d\u00a0°C")

    async def test_what_is_new_is_put_to_what_is_there_already(self) -> None:
        self.start(self.bridge())
        browser = await self.look()
        told = await browser.run_async(MERGING)
        self.assertEqual([120, 180, 240, 300], told["times"])
        self.assertEqual([2, 3, 40, 50], told["lines"])
        self.assertEqual([7, 7, 8, 8], told["states"])
        self.assertEqual([100, 320], told["range"])
        self.assertEqual([True, False, False], told["follows"])

    async def test_what_is_not_known_is_a_gap(self) -> None:
        await self.house()
        browser = await self.look()
        await self.charts(browser)
        # Of the eleventh hour nothing is known.
        keys = ["Home", *["PageUp"] * 5, *["ArrowRight"] * 30]
        self.assertIn("boiler temperature –", await browser.run(PRESS, ".plot", keys))
        keys = ["Home", *["PageUp"] * 7]
        self.assertRegex(await browser.run(PRESS, ".plot", keys), r"boiler temperature \d")

    async def test_numbers_are_the_readers(self) -> None:
        bridge = await self.house()
        browser = await self.look(language="de")
        await self.charts(browser)
        self.assertIn("65,90", await browser.text("#rows"))
        spoken = await browser.run(PRESS, ".plot", ["Home"])
        self.assertRegex(spoken, r"\d,\d\u00a0°C")
        # What is nothing has no sign.
        self.tell(bridge, TelemetryLine(b"pm -0.00 55.0 140.0 -20.0 7 "))
        await browser.until("return document.getElementById('rows').textContent.includes('0,00')")
        self.assertNotIn("-0,00", await browser.text("main"))

    async def test_charts_that_are_drawn_again_and_again_leave_nothing_behind(self) -> None:
        await self.house()
        browser = await self.look()
        await self.charts(browser)
        size = "return document.querySelectorAll('#charts *').length"
        await self.choose(browser, "[data-range=week]")
        before = await browser.run(size)
        for kind in ("day", "month", "week") * 3:
            await self.choose(browser, f"[data-range={kind}]")
        self.assertEqual(await browser.run(size), before)


class BarTests(HouseCase):
    async def test_months_stand_beside_those_of_the_year_before(self) -> None:
        await self.house()
        browser = await self.look()
        day = r"\w{3} \d+: \d+\u00a0kg, year before \d+\u00a0kg"
        await browser.until("return document.getElementById('bar-told').textContent !== ''")
        self.assertRegex(await browser.text("#bar-told"), day)
        await browser.run(CLICK, "[data-by=month]")
        await browser.until(
            "return document.getElementById('bar-told').textContent.includes('until yesterday')"
        )
        spoken = await browser.run(PRESS, "#bars", ["End"])
        self.assertRegex(spoken, r"\w+ 20\d\d: \d+\u00a0kg, year before \d+\u00a0kg")
        await browser.run(CLICK, "[data-by=season]")
        await browser.until(
            "return document.querySelector('#bars text:last-of-type').textContent.includes('/')"
        )
        self.assertRegex(await browser.run(PRESS, "#bars", ["End"]), r"Season 20\d\d/\d\d: ")


class FirstScreenTests(HouseCase):
    async def test_state_and_pellets_are_on_a_phones_first_screen(self) -> None:
        self.start(self.boiler(), self.bridge(), self.gateway())
        browser = await self.look(width=360, height=740)
        await browser.until("return !document.getElementById('pellets').hidden")
        bottoms = await browser.run(
            "return ['boiler-state', 'pellets'].map(each =>"
            " document.getElementById(each).getBoundingClientRect().top)"
        )
        self.assertLess(bottoms[1], 640)
        self.assertFalse(await browser.run("return document.getElementById('chain').open"))
        self.assertLessEqual(await browser.run("return document.documentElement.scrollWidth"), 360)

    async def test_a_fault_is_told_with_advice_and_in_the_tab(self) -> None:
        bridge = await self.house()
        browser = await self.look()
        icon = "return document.getElementById('icon').getAttribute('href')"
        self.assertEqual("icon.svg", await browser.run(icon))
        self.tell(bridge, ActiveErrors(("0005 Aschelade entleeren",)))
        await browser.until("return document.title.startsWith('⚠')")
        self.assertEqual("icon-fault.svg", await browser.run(icon))
        self.assertIn("Empty the ash", await browser.text("#faults .do"))
        await self.picture(browser, "fault")
        self.tell(bridge, ActiveErrors(()))
        await browser.until("return !document.title.startsWith('⚠')")
        self.assertEqual("icon.svg", await browser.run(icon))

    async def test_the_theme_is_chosen_and_kept(self) -> None:
        await self.house()
        browser = await self.look()
        theme = "return document.documentElement.dataset.theme"
        self.assertEqual("light", await browser.run(theme))
        for expected in ("light", "dark"):
            await browser.run(CLICK, "#theme")
            self.assertEqual(expected, await browser.run(theme))
        await browser.run("location.reload()")
        await browser.until(LIVE)
        self.assertEqual("dark", await browser.run(theme))


class LastSeenTests(HouseCase):
    async def test_without_its_bridge_the_page_opens_with_what_was_last_seen(self) -> None:
        bridge = await self.house()
        browser = await self.look()
        await self.charts(browser)
        await browser.until(
            "return navigator.serviceWorker.controller !== null"
            " && localStorage.getItem('hargassner-last-seen') !== null"
        )
        # A page that is loaded once more has all of its files kept.
        await browser.run("location.reload()")
        await browser.until(LIVE)
        await self.charts(browser)
        await self.stop(bridge)
        await browser.run("location.reload()")
        await browser.until("return !document.getElementById('gone').hidden")
        await browser.until("return document.getElementById('rows').textContent.includes('65.90')")
        await browser.until(
            "return document.getElementById('gone').textContent.includes('has not answered since')"
        )
        await self.charts(browser)
        await self.picture(browser, "last-seen")


class TableTests(HouseCase):
    async def test_it_is_sorted_filtered_and_shows_the_boilers_words_on_demand(self) -> None:
        await self.house()
        browser = await self.look()
        await browser.until(f"{VISIBLE} === 5")
        # It begins with what an owner looks for: the boiler's state and temperatures.
        self.assertIn(await browser.run(FIRST), ("boiler state", "boiler temperature"))
        await browser.run(CLICK, "[data-sort=value]")
        self.assertEqual("hot water tank 1", await browser.run(FIRST))
        await browser.run(CLICK, "[data-sort=value]")
        self.assertEqual("flue gas temperature", await browser.run(FIRST))
        await browser.run(CLICK, "#connected")
        self.assertEqual(4, await browser.run(VISIBLE))
        raw = "return getComputedStyle(document.querySelector('#rows td.raw')).display"
        self.assertEqual("none", await browser.run(raw))
        await browser.run(CLICK, "#raw")
        self.assertEqual("table-cell", await browser.run(raw))
        self.assertIn("full combustion", await browser.text("#rows"))

    async def test_the_hexadecimal_word_of_a_bit_is_shown_on_demand(self) -> None:
        bridge = await self.house()
        take = bridge.parts.interpreter.take
        bridge.parts.boiler.apply(describe({"TK": "°C"}, ("Störung", "BP1")), reactor.seconds())
        take([TelemetryLine(b"pm 65.90 00A2 ")])
        browser = await self.look()
        await browser.until("return document.getElementById('rows').textContent.includes('BP1')")
        self.assertNotIn("00A2", await browser.text("#rows"))
        await browser.run(CLICK, "#raw")
        self.assertIn("BP1ONbit 1 of word 0: 00A2", await browser.text("#rows"))
        take([TelemetryLine(b"pm 65.90 1A2 ")])
        await browser.until("return document.getElementById('rows').textContent.includes(': 1A2')")
        await browser.run(CLICK, "#raw")
        self.assertNotIn("1A2", await browser.text("#rows"))


class LineTests(HouseCase):
    async def test_the_log_has_levels_is_searched_and_held_still(self) -> None:
        bridge = await self.house()
        browser = await self.look()

        def log(level: str, text: str) -> None:
            bridge.parts.journal.logged(LogLine(reactor.seconds(), level, "", text))

        def shown(text: str) -> str:
            return (
                "return [...document.querySelectorAll('#log li')]"
                f".some(each => !each.hidden && each.textContent.includes('{text}'))"
            )

        log("info", "all quiet")
        log("error", "all broken")
        await browser.until(shown("all broken"))
        choose = (
            "const box = document.getElementById(arguments[0]); box.value = arguments[1];"
            "box.dispatchEvent(new Event(arguments[2]))"
        )
        await browser.run(choose, "level", "error", "change")
        self.assertFalse(await browser.run(shown("all quiet")))
        self.assertTrue(await browser.run(shown("all broken")))
        await browser.run(choose, "level", "all", "change")
        await browser.run(choose, "line-search", "QUIET", "input")
        self.assertFalse(await browser.run(shown("all broken")))
        await browser.run(choose, "line-search", "", "input")
        await browser.run(CLICK, "#pause")
        log("info", "meanwhile")
        await browser.until("return document.getElementById('pause').textContent.includes('new')")
        self.assertFalse(await browser.run(shown("meanwhile")))
        await browser.run(CLICK, "#pause")
        self.assertTrue(await browser.run(shown("meanwhile")))


class AccessibilityTests(HouseCase):
    async def findings(self, browser: Browser, width: int, scheme: str) -> list[Any]:
        """What is seriously wrong at a width, in a theme."""
        await browser.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await browser.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        await browser.until(f"return document.documentElement.dataset.theme === '{scheme}'")
        return [(width, scheme, each) for each in await browser.run_async(FOUND)]

    async def test_axe_finds_nothing_serious(self) -> None:
        """Each width and each language in both themes: nine looks of a second or two."""
        bridge = await self.house()
        self.tell(bridge, ActiveErrors(("0005 Aschelade entleeren",)))
        looks = {
            "en": [(360, "light"), (768, "dark"), (1280, "light"), (1920, "dark")],
            "de": [(360, "dark"), (1920, "light")],
            "fr": [(768, "light"), (1280, "dark")],
        }
        for language, windows in looks.items():
            browser = await self.look(language=language)
            await self.charts(browser)
            await browser.run(CLICK, "#raw")
            await browser.run(AXE.read_text())
            for width, scheme in windows:
                self.assertEqual([], await self.findings(browser, width, scheme), language)
        # What is old can still be read.
        await self.stop(bridge)
        await browser.until("return document.body.classList.contains('gone')")
        self.assertEqual([], await self.findings(browser, 1280, "light"))
