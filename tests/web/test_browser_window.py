"""The one window in which all tests of a process look at the page, one after another."""

from tests.web.browser_case import BrowserCase

KEEP = "localStorage.setItem('kept', 'of the look before'); window.kept = true"
KEPT = "return [localStorage.getItem('kept'), window.kept ?? null]"
SIZE = "return [innerWidth, innerHeight, devicePixelRatio]"
READER = "return [document.documentElement.lang, document.documentElement.dataset.theme]"
COUNT = "addEventListener('touchstart', each => { window.fingers = each.touches.length; })"
FINGERS = "return window.fingers"


class WindowTests(BrowserCase):
    async def test_a_look_finds_nothing_of_the_one_before(self) -> None:
        self.start(self.bridge())
        browser = await self.look(language="de", scheme="dark", width=390, height=844, scale=2)
        self.assertEqual([390, 844, 2], await browser.run(SIZE))
        self.assertEqual(["de", "dark"], await browser.run(READER))
        await browser.run(KEEP)
        browser = await self.look()
        self.assertEqual([1280, 900, 1], await browser.run(SIZE))
        self.assertEqual(["en", "light"], await browser.run(READER))
        self.assertEqual([None, None], await browser.run(KEPT))

    async def test_a_finger_of_the_look_before_is_no_longer_on_the_page(self) -> None:
        self.start(self.bridge())
        for _ in range(2):
            browser = await self.look()
            await browser.run(COUNT)
            await browser.touch(10, 10)
            self.assertEqual(1, await browser.until(FINGERS))
        browser = await self.look()
        self.assertEqual(0, await browser.run("return navigator.maxTouchPoints"))
