"""Programs that are forked rather than started: what they must have in common with the others."""

import re
import signal
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.constants import Constant
from tests.processes import ForkedRunning, program


class ForkedTests(SynchronousTestCase):
    timeout = 120

    def run_(self, *words: str, **options: object) -> ForkedRunning:
        running = ForkedRunning([program("hargassner"), *words], **options)  # type: ignore[arg-type]
        self.addCleanup(running.clean_up)
        return running

    def test_what_it_says_and_its_status_are_the_programs(self) -> None:
        said = self.run_("--help")
        self.assertEqual(0, said.wait())
        self.assertIn("usage: hargassner", said.log())
        wrong = self.run_("nonsense")
        self.assertEqual(2, wrong.wait())
        self.assertIn("nonsense", wrong.errors())

    def test_a_signal_that_ends_it_is_its_status(self) -> None:
        running = self.run_(
            "simulate", "boiler", "--address=127.0.0.1", "--telnet-port=0", "--no-discovery"
        )
        running.wait_for("simulated boiler on")
        self.assertEqual(-signal.SIGKILL, running.stop(signal.SIGKILL))

    def test_root_may_do_without_its_rights(self) -> None:
        running = self.run_(
            *("simulate", "boiler", "--address=127.0.0.1", "--telnet-port=0", "--no-discovery"),
            unprivileged=True,
        )
        running.wait_for("simulated boiler on")
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        held = dict(re.findall(r"^Cap(Prm|Eff|Inh):\s+(\w+)$", status, re.MULTILINE))
        self.assertEqual(dict.fromkeys(("Inh", "Prm", "Eff"), "0" * 16), held)

    def test_a_constant_that_is_not_there_ends_it(self) -> None:
        name = f"{Constant.START_OVER}_OF_NOBODY"
        running = self.run_("--help", constants={name: 1})
        self.assertEqual(1, running.wait())
        self.assertEqual(f"there is no {name}\n", running.errors())
