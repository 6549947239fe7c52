"""The simulated boiler that refuses everything."""

from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.locked import LockedEngine
from hargassner.simulator.boiler.plant import Plant


class LockedEngineTests(SynchronousTestCase):
    def engine(self, *lines: bytes) -> LockedEngine:
        engine = LockedEngine(Plant(0), lambda: datetime(2024, 1, 15), lines=lines)
        self.number, _ = engine.connect()
        return engine

    def test_every_request_is_refused_the_login_too(self) -> None:
        engine = self.engine()
        for request in (b"$login token", b"$daq desc", b"$daq stop", b"$par get all"):
            [answer] = engine.received(self.number, request)
            self.assertEqual(b"$permission denied\r\n", answer.data)
        self.assertEqual(1, len(engine.telemetry()))

    def test_lines_that_are_given_are_sent_over_and_over_to_everybody(self) -> None:
        engine = self.engine(b"pm 1 \r\n", b"pm 2 \r\n")
        engine.connect()
        sent = [message.data for _ in range(3) for message in engine.telemetry()]
        self.assertEqual([b"pm 1 \r\n"] * 2 + [b"pm 2 \r\n"] * 2 + [b"pm 1 \r\n"] * 2, sent)
