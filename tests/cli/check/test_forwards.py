"""The step that looks at the ports that are to be forwarded, against a socket on loopback."""

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, inlineCallbacks

from hargassner.cli.check.context import Context
from hargassner.cli.check.forwards import look_at_forwards
from hargassner.cli.check.report import Finding, Outcome
from hargassner.config import config_from
from tests.cases import DescriptorCase, free_ports


class Findings:
    """A reporter that keeps what it gets."""

    def __init__(self) -> None:
        self.all: list[tuple[Outcome, str]] = []

    def found(self, finding: Finding) -> None:
        self.all.append((finding.outcome, finding.what))

    def waiting(self, what: str, seconds: float) -> None:
        """Nothing is waited for."""


class ForwardsTests(DescriptorCase):
    """What is found of each port."""

    @inlineCallbacks
    def found(self, host: str, *ports: int) -> Any:
        """What is found of these ports of a boiler."""
        findings = Findings()
        config = config_from({"gateway": {"forward": list(ports)}})
        yield ensureDeferred(look_at_forwards(Context(config, reactor, findings), host))
        return findings.all

    @inlineCallbacks
    def test_each_port_is_tried(self) -> Any:
        [closed] = free_ports(1)
        with socket.create_server(("127.0.0.1", 0)) as boiler:
            served = boiler.getsockname()[1]
            found = yield self.found("127.0.0.1", served, closed)
        self.assertEqual(
            [
                (Outcome.OK, f"port {served} of the boiler answers at 127.0.0.1"),
                (Outcome.FAILED, f"port {closed} of the boiler: connection refused"),
            ],
            found,
        )

    @inlineCallbacks
    def test_where_the_boiler_is_not_known_nothing_is_tried(self) -> Any:
        found = yield self.found("", 80)
        self.assertEqual(
            [(Outcome.SKIPPED, "port 80 of the boiler: its address is not known")], found
        )

    @inlineCallbacks
    def test_nothing_is_said_where_nothing_is_forwarded(self) -> Any:
        self.assertEqual([], (yield self.found("127.0.0.1")))
