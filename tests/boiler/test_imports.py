"""The model gets readings, not bytes."""

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import hargassner.boiler

ALLOWED = {
    "hargassner.catalogue",
    "hargassner.dialogue.channels",
    "hargassner.dialogue.events",
    "hargassner.dialogue.identifiers",
    "hargassner.dialogue.origin",
    "hargassner.dialogue.parameters",
    "hargassner.observers",
    "hargassner.terminal",
    "twisted.logger",
}
"""Values and words; of Twisted nothing but the log."""


class ImportTests(SynchronousTestCase):
    def test_no_module_of_the_model_knows_of_bytes_sockets_or_a_clock(self) -> None:
        """Each imports values, its own room and the standard library's values."""
        room = Path(hargassner.boiler.__path__[0])
        imported = set()
        for module in room.glob("*.py"):
            for node in ast.walk(ast.parse(module.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    imported.add(node.module)
                elif isinstance(node, ast.Import):
                    imported |= {each.name for each in node.names}
        outside = {
            each
            for each in imported
            if each.startswith(("hargassner.", "twisted")) and "hargassner.boiler" not in each
        }
        self.assertLessEqual(outside, ALLOWED)
        self.assertFalse(imported & {"time", "socket", "asyncio"})
