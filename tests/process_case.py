"""The bridge as a process of its own, started as its users start it."""

import socket
from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cases import free_ports, loopback_addresses
from tests.processes import ForkedRunning, Running, program, wait_until

TAC = str(Path(__file__).resolve().parents[1] / "hargassner.tac")
ON_LOOPBACK = """
[gateway]
address = "{gateway}"
telnet_port = {ports[0]}
allow = ["any"]
broadcast = "{gateway}"

[boiler]
address = "{boiler}"
host = "{boiler}"
telnet_port = {ports[1]}
broadcast = "{boiler}"
direct_telemetry = false

[discovery]
boiler_port = {ports[2]}
gateway_port = {ports[3]}
boiler_diagnostics_port = {ports[4]}
gateway_diagnostics_port = {ports[5]}

[web]
listen = ""

[state]
directory = "state"
"""
STARTS = (
    ("twist", "--log-format=text", "hargassner", "--config=hargassner.toml"),
    ("twistd", "--nodaemon", "--pidfile=", "hargassner", "--config=hargassner.toml"),
    ("twistd", "--nodaemon", "--pidfile=", "-y", TAC),
)


class ProcessCase(SynchronousTestCase):
    """The bridge as a process of its own, on addresses and ports of its own."""

    timeout = 120

    def setUp(self) -> None:
        self.gateway, self.boiler = loopback_addresses(2)
        self.ports = free_ports(6)
        self.config = ON_LOOPBACK.format(gateway=self.gateway, boiler=self.boiler, ports=self.ports)

    def run_(
        self,
        *command: str,
        config: str | None = None,
        prefix: tuple[str, ...] = (),
        constants: Mapping[str, object] | None = None,
        anew: bool = False,
    ) -> Running:
        """Start the bridge.

        Args:
            command: a program's name and its arguments.
            config: the text of the configuration.
            prefix: words before the command, which has it started anew.
            constants: what ``Running`` takes.
            anew: whether a new Python imports everything, as it does with users.
        """
        running = (Running if anew or prefix else ForkedRunning)(
            [*prefix, program(command[0]), *command[1:]],
            files={"hargassner.toml": self.config if config is None else config},
            constants=constants,
        )
        self.addCleanup(running.clean_up)
        return running

    def connected(self) -> tuple[socket.socket, socket.socket]:
        """A client of the bridge, and its connection at the boiler's end."""
        listener = socket.create_server((self.boiler, self.ports[1]))
        self.addCleanup(listener.close)
        listener.settimeout(30)
        clients: list[socket.socket] = []

        def connect() -> bool:
            try:
                target = (self.gateway, self.ports[0])
                clients.append(socket.create_connection(target, timeout=30))
            except ConnectionRefusedError:
                return False
            return True

        wait_until(connect, 30, "the telnet port")
        [client] = clients
        self.addCleanup(client.close)
        boiler, _ = listener.accept()
        self.addCleanup(boiler.close)
        boiler.settimeout(30)
        return client, boiler
