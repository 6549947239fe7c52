"""The demo: the bridge between a simulated gateway and a simulated boiler.

python -m hargassner.cli.demo
"""

import argparse
import os
import sys
import tempfile
from typing import Any
from urllib.parse import unquote, urlsplit

from twisted.application.service import IService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import globalLogBeginner, textFileLogObserver

from hargassner.cli.page_port import PAGE_ADDRESS, PAGE_PORT, free_port
from hargassner.cli.reactor import evenly_running_reactor
from hargassner.config import (
    BoilerConfig,
    Config,
    ConfigError,
    GatewayConfig,
    MqttConfig,
    StateConfig,
    WebConfig,
    config_from,
)
from hargassner.service import Bridge
from hargassner.services import MultiService, Service
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.broker.process import EmbeddedBroker
from hargassner.simulator.gateway.gateway import SimulatedGateway

# Four hosts on one machine: on Linux every address of 127.0.0.0/8 is there.
GATEWAY = "127.0.10.2"
BRIDGE_TO_GATEWAY = "127.0.10.1"
BRIDGE_TO_BOILER = "127.0.20.1"
BOILER = "127.0.20.2"
TELNET_PORT = 2323

_WHERE_TO_LOOK = f"""
The demo runs four hosts on this machine:

    gateway {GATEWAY}  ──  {BRIDGE_TO_GATEWAY} bridge {BRIDGE_TO_BOILER}  ──  boiler {BOILER}

The log below tells what happens: the gateway announces itself, finds the boiler through the
bridge, logs in, asks every few seconds, and starts over every {{minutes:g}} minutes.
Look at the page

    http://{PAGE_ADDRESS}:{{web_port}}/

and at the boiler's telemetry through the bridge with

    nc {BRIDGE_TO_GATEWAY} {TELNET_PORT}

Watch what it publishes to the broker {{url}} with

    mosquitto_sub -h {{host}} -p {{port}} -v -t 'hargassner/#' -t 'homeassistant/#'

or let Home Assistant's MQTT integration use that broker. Ctrl-C ends the demo.
"""


def named_broker(url: str) -> MqttConfig:
    """The broker that a URL names, such as ``mqtt://user:password@host:1883``.

    Raises:
        ConfigError: it is no such URL.
    """
    scheme, _, rest = url.partition("://")
    user, _, place = rest.rpartition("@")
    username, _, password = user.partition(":")
    return config_from(
        {
            "mqtt": {
                "url": f"{scheme}://{place}",
                "username": unquote(username),
                "password": unquote(password),
            }
        }
    ).mqtt


def demo_config(state: str, mqtt: MqttConfig, web_port: int) -> Config:
    """The bridge's configuration in the demo.

    Args:
        state: a directory for what survives a restart.
        mqtt: the broker.
        web_port: where the page is.
    """
    return Config(
        gateway=GatewayConfig(
            address=BRIDGE_TO_GATEWAY,
            telnet_port=TELNET_PORT,
            allow=("igw", "127.0.0.0/8"),
            broadcast=GATEWAY,
        ),
        boiler=BoilerConfig(address=BRIDGE_TO_BOILER, telnet_port=TELNET_PORT, broadcast=BOILER),
        mqtt=mqtt,
        web=WebConfig(listen=f"tcp:{web_port}:interface={PAGE_ADDRESS}"),
        state=StateConfig(directory=state),
    )


def demo_service(
    reactor: Any,
    state: str,
    mqtt: MqttConfig,
    session_length: float,
    speed: float,
    web_port: int,
) -> MultiService:
    """The bridge and both simulators.

    Args:
        reactor: runs them.
        state: a directory for what survives a restart.
        mqtt: the broker.
        session_length: seconds between two starts of the gateway.
        speed: how much faster than a real one the simulated boiler burns.
        web_port: where the page is.
    """
    bridge = Bridge(demo_config(state, mqtt, web_port), reactor)
    boiler = SimulatedBoiler(reactor, address=BOILER, telnet_port=TELNET_PORT, speed=speed)
    gateway = SimulatedGateway(
        reactor,
        address=GATEWAY,
        broadcast=BRIDGE_TO_GATEWAY,
        telnet_port=TELNET_PORT,
        session_length=session_length,
        pace=0.2,
    )
    return MultiService([bridge, boiler, gateway])


async def stop_in_turn(house: IService, broker: IService) -> None:
    """Stop the house, then the broker, which has to take the bridge's ``offline``."""
    try:
        await maybeDeferred(house.stopService)
    finally:
        await maybeDeferred(broker.stopService)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hargassner.cli.demo",
        description="Run the bridge between a simulated gateway and a simulated boiler.",
    )
    parser.add_argument(
        "--session-length",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="the gateway starts over after this time (default: %(default)g)",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=20.0,
        metavar="FACTOR",
        help="the simulated boiler's time runs so much faster (default: %(default)g)",
    )
    return parser.parse_args()


def _broker(reactor: Any) -> tuple[MqttConfig, IService]:
    """The broker that ``$MQTT_URL`` names, else one of the demo's own, and what runs that.

    Raises:
        SystemExit: there is neither.
    """
    url = os.environ.get("MQTT_URL", "")
    try:
        if url:
            return named_broker(url), Service()
        embedded = EmbeddedBroker(reactor)
        return named_broker(f"mqtt://{embedded.host}:{embedded.port}"), embedded
    except (ConfigError, OSError) as wrong:
        raise SystemExit(f"demo: {wrong}") from None


def _where_to_look(mqtt: MqttConfig, session_length: float, web_port: int) -> str:
    broker = urlsplit(mqtt.url)
    return _WHERE_TO_LOOK.format(
        minutes=session_length / 60,
        url=mqtt.url,
        host=broker.hostname,
        port=broker.port or 1883,
        web_port=web_port,
    )


def main() -> None:
    """Run the demo until it is interrupted."""
    options = _options()
    reactor = evenly_running_reactor()
    web_port = free_port(PAGE_PORT)
    mqtt, embedded = _broker(reactor)
    print(_where_to_look(mqtt, options.session_length, web_port), flush=True)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    with tempfile.TemporaryDirectory(prefix="hargassner-demo-") as state:
        house = demo_service(reactor, state, mqtt, options.session_length, options.speed, web_port)
        embedded.startService()
        house.startService()
        reactor.addSystemEventTrigger(
            "before", "shutdown", lambda: Deferred.fromCoroutine(stop_in_turn(house, embedded))
        )
        reactor.run()


if __name__ == "__main__":
    main()
