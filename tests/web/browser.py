"""Debian's chromium, driven headless over WebDriver."""

import atexit
import base64
import io
import json
import shutil
import subprocess
import tempfile
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.web.client import Agent, FileBodyProducer, readBody
from twisted.web.http_headers import Headers

from tests.cases import free_ports

MISSING = (
    None
    if shutil.which("chromium") and shutil.which("chromedriver")
    else "chromium and chromium-driver are not installed"
)

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--in-process-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    # A page that was left is gone, and nothing is started or held for one that may come, nor for
    # what somebody may type into the address bar, which takes half of the start.
    "--disable-features=Translate,OptimizationHints,MediaRouter,SpareRendererForSitePerProcess,"
    "PaintHolding,BackForwardCache,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    "--process-per-site",
    "--hide-scrollbars",
)
_EMPTY = "about:blank"
_LONGEST = 120_000
"""Milliseconds for a script or for a page."""
_POLL = 0.05
_IN_PAGE = 2.0
"""Seconds that a script looks again and again by itself, before it is asked anew."""
# A script that looks until it finds something; the page looks, which costs nobody a request.
_LOOKING = """
const done = arguments[arguments.length - 1];
const given = [...arguments].slice(0, -2);
const end = performance.now() + 1000 * arguments[arguments.length - 2];
const look = function () {{ {script} }};
const again = () => {{
  const found = look.apply(null, given);
  if (found || performance.now() > end) done(found);
  else setTimeout(again, 20);
}};
again();
"""
_RELOADED = "document unloaded"
"""What WebDriver says of a script whose page went away meanwhile."""


class Chromium:
    """A running browser, and its driver."""

    def __init__(self) -> None:
        self._http = Agent(reactor)
        self._directory = Path(tempfile.mkdtemp(prefix="hargassner-browser-"))
        [port] = free_ports(1)
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://127.0.0.1:{port}"
        atexit.register(self.end)

    async def start(self) -> None:
        """Start the browser; it has an empty window, in which everything is looked at."""
        while not await self._is_up():
            await deferLater(reactor, _POLL)
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": [*_ARGUMENTS, f"--user-data-dir={self._directory}"],
            },
            "goog:loggingPrefs": {"browser": "ALL"},
            # A machine that has much else to do may take long for what takes a second.
            "timeouts": {"script": _LONGEST, "pageLoad": _LONGEST},
        }
        session = await self.ask(
            "POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}
        )
        self._base += f"/session/{session['sessionId']}"

    async def _is_up(self) -> bool:
        try:
            return bool((await self.ask("GET", "/status"))["ready"])
        except Exception:
            return False

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Have the driver do something.

        Raises:
            AssertionError: it did not.
        """
        producer = None
        if body is not None:
            producer = FileBodyProducer(io.BytesIO(json.dumps(body).encode()))
        headers = Headers({"content-type": ["application/json"]})
        uri = (self._base + path).encode()
        answer = await self._http.request(method.encode(), uri, headers, producer)
        value = json.loads(await readBody(answer))["value"]
        if answer.code != 200:
            raise AssertionError(f"{path}: {value['error']}: {value['message'][:500]}")
        return value

    def end(self) -> None:
        """End both, without a reactor."""
        atexit.unregister(self.end)
        if "/session/" in self._base:
            request = urllib.request.Request(self._base, method="DELETE")
            # It may have ended by itself.
            with suppress(OSError):
                urllib.request.urlopen(request, timeout=10).close()
        self._driver.terminate()
        self._driver.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


_running: list[Chromium] = []
"""The browser of this process, once a test wanted one: its start takes two seconds of a core."""


async def _chromium() -> Chromium:
    if not _running:
        _running.append(Chromium())
        await _running[0].start()
    return _running[0]


class Browser:
    """The browser's window, as empty as that of a browser that nobody has used yet.

    There is one, which each look empties and leaves: a window of its own for each would be a
    process of its own, whose start takes more than all that a test looks at.

    Args:
        language: what it asks for.
        scheme: "light" or "dark".
        width: of the page, in pixels.
        height: of the window, in pixels.
        scale: device pixels in a pixel.
    """

    def __init__(
        self,
        language: str = "en",
        scheme: str = "light",
        width: int = 1280,
        height: int = 900,
        scale: float = 1,
    ) -> None:
        self._language = language
        self._scheme = scheme
        self._size = (width, height)
        self._scale = scale
        self._origin = ""
        self._undo: list[tuple[str, dict[str, Any]]] = []

    async def open(self, url: str) -> None:
        """Have the window as it is wanted, and load a page."""
        self._chromium = await _chromium()
        self._ask = self._chromium.ask
        await self.complaints()
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        await self._forget()
        width, height = self._size
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=self._scale,
            mobile=width < 600,
        )
        await self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": self._scheme}],
        )
        await self.command("Emulation.setLocaleOverride", locale=self._language)
        await self.command(
            "Emulation.setUserAgentOverride",
            userAgent=await self.run("return navigator.userAgent"),
            acceptLanguage=self._language,
        )
        await self._ask("POST", "/url", {"url": url})

    async def _forget(self) -> None:
        """Forget what the page's origin keeps in the browser."""
        await self.command("Storage.clearDataForOrigin", origin=self._origin, storageTypes="all")

    async def command(self, name: str, **parameters: Any) -> Any:
        """Have the browser do something that WebDriver has no word for."""
        return await self._ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    async def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return await self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    async def run_async(self, script: str, *arguments: Any) -> Any:
        """What a script gives to the function that is its last argument."""
        body = {"script": script, "args": list(arguments)}
        return await self._ask("POST", "/execute/async", body)

    async def text(self, selector: str) -> str:
        """What an element says, empty if there is none."""
        found = await self.run(
            "return document.querySelector(arguments[0])?.textContent ?? ''", selector
        )
        return str(found)

    async def until(self, script: str, *arguments: Any, timeout: float = 60) -> Any:
        """What a script returns, as soon as that is true."""
        end = reactor.seconds() + timeout
        while not (found := await self._look(script, *arguments)):
            if reactor.seconds() > end:
                shown = await self.run("return document.body.innerText.slice(0, 2000)")
                raise AssertionError(f"not within {timeout} s: {script}\n{shown}")
        return found

    async def _look(self, script: str, *arguments: Any) -> Any:
        """What a script returns, once that is true or a moment is over; of a reload, nothing."""
        try:
            return await self.run_async(_LOOKING.format(script=script), *arguments, _IN_PAGE)
        except AssertionError as failure:
            if _RELOADED not in str(failure):
                raise
            return None

    async def touch(self, x: float, y: float) -> None:
        """Put a finger on the page, which stays there."""
        await self.command("Emulation.setTouchEmulationEnabled", enabled=True)
        points = [{"x": x, "y": y}]
        await self.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=points)
        self._undo += [
            ("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}),
            ("Emulation.setTouchEmulationEnabled", {"enabled": False}),
        ]

    async def complaints(self) -> list[str]:
        """What the browser's console has of warnings and errors since the last call."""
        entries = await self._ask("POST", "/se/log", {"type": "browser"})
        return [each["message"] for each in entries if each["level"] in ("SEVERE", "WARNING")]

    async def picture(self, path: Path, whole: bool = True) -> None:
        """A screenshot, of the whole page or of what the window shows."""
        shot = await self.command("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def close(self) -> None:
        """Leave the page; a browser that does not is ended."""
        try:
            for name, parameters in self._undo:
                await self.command(name, **parameters)
            await self._ask("POST", "/url", {"url": _EMPTY})
            await self._forget()
        except Exception:
            _running.remove(self._chromium)
            self._chromium.end()
            raise
