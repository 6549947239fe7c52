"""What is said of ports that cannot be opened, and of who holds them."""

import errno
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check import ports
from hargassner.cli.check.context import Context
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.running import LinkReport, NoAnswerError
from hargassner.config import Config
from hargassner.network.interface import CannotOpenError, NotThereYetError


def held(what: str) -> CannotOpenError:
    """A port that somebody holds."""
    problem = CannotOpenError(what)
    problem.__cause__ = OSError(errno.EADDRINUSE, "Address already in use")
    return problem


class Findings:
    """A reporter that keeps what was found."""

    def __init__(self) -> None:
        self.found_so_far: list[Finding] = []

    def found(self, finding: Finding) -> None:
        """Keep it."""
        self.found_so_far.append(finding)

    def waiting(self, what: str, seconds: float) -> None:
        """Nothing is waited for here."""


class PortsTests(SynchronousTestCase):
    def opened(
        self, *problems: Exception | None, bridges: tuple[int, ...] = (), answer: Any = None
    ) -> list[Finding]:
        """What is found where opening the ports brings these problems, in their order."""
        findings = Findings()
        context = Context(Config(), cast(Any, MemoryReactorClock()), findings)
        steps = iter([*problems, None, None, None])

        def open_(*_arguments: object) -> Any:
            problem = next(steps)
            if problem is not None:
                raise problem
            return self

        async def ask(*_arguments: object) -> dict[str, LinkReport]:
            if answer is None:
                raise NoAnswerError("its web page is switched off")
            return cast("dict[str, LinkReport]", answer)

        self.patch(ports, "listening_socket", open_)
        self.patch(ports, "bridge_processes", lambda: list(bridges))
        self.patch(ports, "ask", ask)
        self.patch(context, "open_gateway_side", open_)
        self.patch(context, "open_boiler_side", open_)
        self.successResultOf(Deferred.fromCoroutine(ports.open_ports(context)))
        self.assertEqual(context.running, answer or {})
        return findings.found_so_far

    def close(self) -> "Deferred[None]":
        """What was opened is closed."""
        return succeed(None)

    def test_all_can_be_opened(self) -> None:
        rights, other = self.opened()
        self.assertEqual("TCP 23 and UDP 35601, 50000, 50001, 50002 can be opened", rights.what)
        self.assertEqual((Outcome.OK, "none runs"), (other.outcome, other.what))

    def test_rights_that_are_missing_come_first(self) -> None:
        problem = CannotOpenError("TCP 23 cannot be opened: CAP_NET_BIND_SERVICE is missing")
        rights, _ = self.opened(held("TCP 23"), NotThereYetError("eth1"), problem)
        self.assertEqual((rights.outcome, rights.what), (Outcome.FAILED, str(problem)))
        self.assertIn("with sudo", rights.advice)

    def test_an_interface_that_is_absent_is_another_steps_matter(self) -> None:
        rights, other = self.opened(None, NotThereYetError("there is no interface eth1"))
        self.assertEqual(Outcome.SKIPPED, rights.outcome)
        self.assertEqual("there is no interface eth1", rights.what)
        self.assertEqual("none runs", other.what)

    def test_a_bridge_that_runs_is_asked(self) -> None:
        links = {"boiler": LinkReport("ok", "Online", "192.0.2.2", "")}
        rights, other = self.opened(held("TCP 23"), answer=links)
        self.assertEqual("somebody holds them already", rights.what)
        self.assertEqual("the bridge itself runs, and tells what it sees", other.what)

    def test_a_bridge_without_a_page_is_known_by_its_process(self) -> None:
        _, other = self.opened(held("TCP 23 is held (process 12)"), bridges=(12,))
        self.assertEqual(Outcome.OK, other.outcome)
        self.assertIn("and cannot be asked: its web page is switched off", other.what)

    def test_another_program_is_to_be_stopped(self) -> None:
        for bridges in ((), (13,)):
            _, other = self.opened(held("TCP 23 is held (process 12)"), bridges=bridges)
            self.assertEqual(
                (Outcome.FAILED, "TCP 23 is held (process 12)"), (other.outcome, other.what)
            )
