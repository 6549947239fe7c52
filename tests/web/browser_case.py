"""A bridge with its page before a real browser, for the tests that look at it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.tcp import Server
from twisted.trial.unittest import TestCase

from hargassner.config import (
    BoilerConfig,
    Config,
    DiscoveryConfig,
    GatewayConfig,
    MqttConfig,
    StateConfig,
    WebConfig,
)
from hargassner.service import Bridge
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.gateway import SimulatedGateway
from tests.cases import free_ports, loopback_addresses
from tests.constants import Constant, shorten
from tests.telling import tell
from tests.web.browser import MISSING, Browser

GATEWAY, TO_GATEWAY, TO_BOILER, BOILER = loopback_addresses(4)

LEVEL = (
    "return document.querySelector(`[data-node=${arguments[0]}]`).classList.contains(arguments[1])"
)
STATE = "return document.querySelector(`[data-node=${arguments[0]}]`).dataset.state"
METRICS = "return fetch('metrics').then(answer => answer.text())"
LIVE = "return !document.getElementById('connection').classList.contains('lost')"
TILE = "return [...document.querySelectorAll('#tiles dd')].map(each => each.textContent).join()"


class BrowserCase(TestCase):
    """A bridge with its page, and a browser to look at it."""

    skip = MISSING
    timeout = 180

    def setUp(self) -> None:
        # When the page is told is tested with a clock.
        shorten(self, Constant.PAGE_PERIOD, 0.2)
        shorten(self, Constant.PAGE_RETRY, 500)
        self.directory = Path(self.mktemp())
        self.directory.mkdir(parents=True)
        self.running: list[Any] = []
        self._browser: Browser | None = None
        self.web_port, self.telnet_port, *discovery = free_ports(6)
        self.discovery = DiscoveryConfig(*discovery)

    def start(self, *services: Any) -> None:
        for each in services:
            self.running.append(each)
            each.startService()

    async def stop(self, service: Any) -> None:
        self.running.remove(service)
        await (service.stopService() or deferLater(reactor, 0))

    async def tearDown(self) -> None:
        await self._close()
        for service in reversed(self.running[:]):
            await self.stop(service)
        # What was closed is gone as soon as the reactor sees it.
        while any(isinstance(each, Server) for each in reactor.getReaders()):
            await deferLater(reactor, 0.05)

    def bridge(self, mqtt_port: int = 0) -> Bridge:
        """A bridge whose page listens."""
        config = Config(
            gateway=GatewayConfig(
                address=TO_GATEWAY, telnet_port=self.telnet_port, broadcast=GATEWAY
            ),
            boiler=BoilerConfig(address=TO_BOILER, telnet_port=self.telnet_port, broadcast=BOILER),
            discovery=self.discovery,
            mqtt=MqttConfig(url=f"mqtt://127.0.0.1:{mqtt_port}" if mqtt_port else ""),
            web=WebConfig(listen=f"tcp:{self.web_port}:interface=127.0.0.1"),
            state=StateConfig(directory=str(self.directory / "state")),
        )
        bridge = Bridge(config, reactor)
        # The bridge's way with signals is for a process of its own.
        [clean_exit] = [each for each in bridge.services if each.name == "clean exit"]
        clean_exit.disownServiceParent()
        return bridge

    def boiler(self) -> SimulatedBoiler:
        return SimulatedBoiler(
            reactor,
            address=BOILER,
            telnet_port=self.telnet_port,
            **asdict(self.discovery),
            speed=30,
        )

    def gateway(self) -> SimulatedGateway:
        return SimulatedGateway(
            reactor,
            address=GATEWAY,
            broadcast=TO_GATEWAY,
            telnet_port=self.telnet_port,
            **asdict(self.discovery),
            pace=0.02,
        )

    async def look(self, **window: Any) -> Browser:
        """A browser that has the page open; one that was looked at before is closed."""
        await self._close()
        self._browser = browser = Browser(**window)
        await browser.open(f"http://127.0.0.1:{self.web_port}/")
        await browser.until(LIVE)
        return browser

    async def _close(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.close()

    async def picture(self, browser: Browser, name: str) -> None:
        """A screenshot, where somebody wants to have it."""
        kept = os.environ.get("HARGASSNER_SCREENSHOTS")
        if kept is not None:
            await browser.picture(Path(kept) / f"{name}.png")

    def tell(self, bridge: Bridge, *events: Any) -> None:
        """Put events into the model as they come over the wire."""
        for event in events:
            tell(bridge.parts.boiler, event, reactor.seconds())

    async def no_complaints(self, browser: Browser) -> None:
        """The browser had nothing to complain of, such as the page's own policy."""
        self.assertEqual([], await browser.complaints())
