"""Debian's chromium, driven headless over WebDriver."""

import base64
import io
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
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
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_POLL = 0.1


class Browser:
    """One browser window.

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
        self._http = Agent(reactor)
        self._directory = Path(tempfile.mkdtemp(prefix="hargassner-browser-"))
        self._driver: subprocess.Popen[bytes] | None = None
        self._base = ""

    async def open(self, url: str) -> None:
        """Start the browser and load a page."""
        [port] = free_ports(1)
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://127.0.0.1:{port}"
        while not await self._is_up():
            await deferLater(reactor, _POLL)
        width, height = self._size
        arguments = [
            *_ARGUMENTS,
            f"--user-data-dir={self._directory}",
            f"--lang={self._language}",
            f"--accept-lang={self._language}",
            f"--window-size={width},{height}",
        ]
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        session = await self._ask(
            "POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}
        )
        self._base += f"/session/{session['sessionId']}"
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
        await self._ask("POST", "/url", {"url": url})

    async def _is_up(self) -> bool:
        try:
            return bool((await self._ask("GET", "/status"))["ready"])
        except Exception:
            return False

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
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
        while not (found := await self.run(script, *arguments)):
            if reactor.seconds() > end:
                shown = await self.run("return document.body.innerText.slice(0, 2000)")
                raise AssertionError(f"not within {timeout} s: {script}\n{shown}")
            await deferLater(reactor, _POLL)
        return found

    async def complaints(self) -> list[str]:
        """What the browser's console has of warnings and errors since the last call."""
        entries = await self._ask("POST", "/se/log", {"type": "browser"})
        return [each["message"] for each in entries if each["level"] in ("SEVERE", "WARNING")]

    async def picture(self, path: Path, whole: bool = True) -> None:
        """A screenshot, of the whole page or of what the window shows."""
        shot = await self.command("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def close(self) -> None:
        """End the browser."""
        driver = self._driver
        if driver is not None:
            if "/session/" in self._base:
                await self._ask("DELETE", "")
            driver.terminate()
            await deferToThread(driver.wait)
        shutil.rmtree(self._directory, ignore_errors=True)
