"""What the benchmarks compare, each run as a process of its own.

    python benchmarks/proxies.py portforward|bridge|understanding|control BOILER_PORT
    python benchmarks/proxies.py published BOILER_PORT BROKER_URL PAUSE

prints the port that it listens on.
"""

import sys
from collections.abc import Callable
from typing import Any

import invented
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.protocols.portforward import ProxyFactory as PortForward

from hargassner.boiler.model import Boiler
from hargassner.config import MqttConfig
from hargassner.control.queue import Control
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described
from hargassner.discovery import Devices
from hargassner.monitor.interpreter import Interpreter
from hargassner.mqtt.link import BrokerLink
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.session import Session

HOST = "127.0.0.1"


def port_forward(boiler_port: int) -> Any:
    """Twisted's own example of a proxy."""
    factory = PortForward(HOST, boiler_port)
    factory.noisy = False
    return factory


def bridge(
    boiler_port: int, observers_of: Callable[[Session], list[Any]] = lambda _session: []
) -> ProxyFactory:
    """The bridge's proxy."""
    return ProxyFactory(
        reactor,
        TCP4ClientEndpoint(reactor, HOST, boiler_port).connect,
        Access(["any"], Devices(reactor, HOST)),
        observers_of,
    )


def understood() -> Interpreter:
    """What passes, understood."""
    boiler = Boiler()
    boiler.apply(Described(parse_descriptor(invented.document())), 0.0)
    return Interpreter(boiler, reactor, lambda _described: None)


def interpreter(boiler_port: int) -> ProxyFactory:
    """The bridge's proxy, with what passes understood."""
    spectator = understood()
    return bridge(boiler_port, lambda session: [spectator.observe(session)])


def control(boiler_port: int) -> ProxyFactory:
    """The same, ready for commands."""
    spectator = understood()
    commands = Control(spectator.boiler, reactor, ["PR001", "4"], 5.0)

    def observers_of(session: Session) -> list[Any]:
        interpreter = spectator.observe(session)
        return [interpreter, commands.observe(session, interpreter)]

    return bridge(boiler_port, observers_of)


class Published:
    """Has 25 topics published every ``pause`` seconds; a boiler sends a line a second."""

    def __init__(self, link: BrokerLink, pause: float) -> None:
        self._link = link
        self._pause = pause
        self._due = 0.0
        self._passed = 0

    def gateway_sent(self, data: bytes) -> None:
        """Nothing that the gateway says is published."""

    def boiler_sent(self, data: bytes) -> None:
        """What the boiler said passed."""
        now = reactor.seconds()
        if now < self._due:
            return
        self._due = now + self._pause
        self._passed += 1
        for number in range(25):
            self._link.publish(f"hargassner/boiler/c{number}", str(self._passed))

    def over(self, reason: str) -> None:
        """The session is over."""


def published(boiler_port: int) -> ProxyFactory:
    """The bridge's proxy, with everything that passes published to the broker of the URL."""
    link = BrokerLink(MqttConfig(url=sys.argv[3]), reactor)
    link.startService()
    pause = float(sys.argv[4])
    return bridge(boiler_port, lambda _session: [Published(link, pause)])


def main() -> None:
    """Serve until killed."""
    kind, boiler_port = sys.argv[1], int(sys.argv[2])
    kinds = {
        "portforward": port_forward,
        "bridge": bridge,
        "understanding": interpreter,
        "control": control,
        "published": published,
    }
    factory = kinds[kind](boiler_port)
    port = reactor.listenTCP(0, factory, backlog=600, interface=HOST)
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
