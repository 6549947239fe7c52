"""What a page that stays open takes, minute by minute: in the browser, and of the bridge.

    python benchmarks/soak_page.py --minutes 30

The bridge is a process of its own, with more than a year of history, between a simulated boiler
whose values change every second and a simulated gateway that asks at a real one's pace.  One page
is open in a headless chromium.  Once a minute the browser collects its garbage, then the script
prints what is left: JavaScript's heap and objects, nodes of the document, listeners; and the
bridge's memory.  The heap has compiled code in it as well, which grows for half an hour; objects
are what a page could leave behind.  The last lines say by how much each grew from the first third
to the last one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

sys.path.insert(0, str(Path(__file__).parents[1]))

from hargassner.clock import run_evenly
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.gateway import SimulatedGateway
from tests.cases import free_ports
from tests.web.browser import MISSING, Browser
from tests.web.years import fill

GATEWAY, TO_GATEWAY, TO_BOILER, BOILER = (f"127.0.72.{number}" for number in (2, 1, 11, 12))
DAYS = 430
CONFIGURATION = """
[gateway]
address = "{to_gateway}"
telnet_port = {telnet}
broadcast = "{gateway}"
[boiler]
address = "{to_boiler}"
telnet_port = {telnet}
broadcast = "{boiler}"
[discovery]
boiler_port = {udp[0]}
gateway_port = {udp[1]}
boiler_diagnostics_port = {udp[2]}
gateway_diagnostics_port = {udp[3]}
[web]
listen = "tcp:{web}:interface=127.0.0.1"
[state]
directory = "{state}"
"""
LIVE = "return !document.getElementById('connection').classList.contains('lost')"
METRICS = {
    "JSHeapUsedSize": ("heap kB", 1024),
    "Nodes": ("nodes", 1),
    "JSEventListeners": ("listeners", 1),
}
RESIDENT = "bridge kB"


def resident(process: "subprocess.Popen[bytes]") -> int:
    """kB of memory that a process has."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def listens(port: int) -> None:
    """Wait until the page can be asked for."""
    end = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    while True:
        with suppress(ConnectError):
            (await end.connect(Factory.forProtocol(Protocol))).transport.abortConnection()
            return
        await deferLater(reactor, 0.5)


async def objects(browser: Browser) -> int:
    """How many objects JavaScript has."""
    group = {"objectGroup": "soak"}
    root = await browser.command("Runtime.evaluate", expression="Object.prototype", **group)
    prototype = root["result"]["objectId"]
    found = await browser.command("Runtime.queryObjects", prototypeObjectId=prototype, **group)
    counted = await browser.command(
        "Runtime.callFunctionOn",
        objectId=found["objects"]["objectId"],
        functionDeclaration="function() { return this.length; }",
    )
    await browser.command("Runtime.releaseObjectGroup", **group)
    return int(counted["result"]["value"])


async def look(browser: Browser, bridge: "subprocess.Popen[bytes]") -> dict[str, int]:
    """What there is now, after the garbage is gone."""
    count = await objects(browser)
    await browser.command("HeapProfiler.collectGarbage")
    told = (await browser.command("Performance.getMetrics"))["metrics"]
    found = {each["name"]: each["value"] for each in told}
    row = {name: int(found[key] // unit) for key, (name, unit) in METRICS.items()}
    return {**row, "objects": count, RESIDENT: resident(bridge)}


async def watch(port: int, bridge: "subprocess.Popen[bytes]", minutes: int) -> None:
    """Have the page open, and print a line a minute."""
    browser = Browser()
    try:
        await browser.open(f"http://127.0.0.1:{port}/")
        await browser.until(LIVE)
        await browser.command("Performance.enable")
        rows = []
        for minute in range(minutes + 1):
            rows.append(await look(browser, bridge))
            cells = (f"{value:8} {name}" for name, value in rows[-1].items())
            print(f"{minute:3}", *cells, flush=True)
            await deferLater(reactor, 60)
        third = max(1, len(rows) // 3)
        for name in rows[0]:
            first, last = (
                statistics.median(row[name] for row in part)
                for part in (rows[1 : third + 1], rows[-third:])
            )
            print(f"{name}: {first:g} to {last:g} ({(last - first) / first:+.1%})")
        print("complaints:", await browser.complaints() or "none")
    finally:
        await browser.close()


async def run(directory: Path, minutes: int) -> None:
    """Start everything, watch, and end it."""
    web, telnet, *udp = free_ports(6)
    state = directory / "state"
    state.mkdir(mode=0o700)
    fill(state, DAYS)
    configuration = directory / "hargassner.toml"
    configuration.write_text(
        CONFIGURATION.format(
            to_gateway=TO_GATEWAY,
            gateway=GATEWAY,
            to_boiler=TO_BOILER,
            boiler=BOILER,
            telnet=telnet,
            udp=udp,
            web=web,
            state=state,
        )
    )
    names = ("boiler", "gateway", "boiler_diagnostics", "gateway_diagnostics")
    ports: dict[str, Any] = {f"{name}_port": port for name, port in zip(names, udp, strict=True)}
    services = [
        SimulatedBoiler(reactor, address=BOILER, telnet_port=telnet, speed=30, **ports),
        SimulatedGateway(
            reactor, address=GATEWAY, broadcast=TO_GATEWAY, telnet_port=telnet, **ports
        ),
    ]
    with (directory / "log").open("wb") as log:
        bridge = subprocess.Popen(
            [str(Path(sys.executable).with_name("twist")), "hargassner", "--config", configuration],
            stdout=log,
            stderr=log,
        )
    try:
        for each in services:
            each.startService()
        await listens(web)
        await watch(web, bridge, minutes)
    finally:
        for each in services:
            await (each.stopService() or deferLater(reactor, 0))
        bridge.terminate()
        bridge.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30, help="how long the page is open")
    options = parser.parse_args()
    if MISSING:
        sys.exit(MISSING)
    run_evenly(reactor)
    with tempfile.TemporaryDirectory(prefix="hargassner-page-") as name:
        began = time.monotonic()

        def begin() -> None:
            running = Deferred.fromCoroutine(run(Path(name), options.minutes))
            running.addErrback(lambda why: why.printTraceback(sys.stderr))
            running.addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(begin)
        reactor.run()
        print(f"{(time.monotonic() - began) / 60:.0f} minutes in all")


if __name__ == "__main__":
    main()
