"""Who observes a session, and in which order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hargassner.clock import IClock
from hargassner.control.queue import Control
from hargassner.discovery import Devices
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.traffic_log import Journal
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.web.timing import Timing

if TYPE_CHECKING:
    from hargassner.recording.writer import RecordingWriter


@dataclass(frozen=True, slots=True)
class SessionObservers:
    """Makes those who observe a session.

    ``recordings`` is None where nothing is recorded.
    """

    clock: IClock
    timing: Timing
    interpreter: Interpreter
    journal: Journal
    recordings: "RecordingWriter | None"
    devices: Devices
    direct: DirectTelemetry
    control: Control

    def observe(self, session: Session) -> list[ISessionObserver]:
        """The observers of a session that begins, in the order in which they see what passes."""
        interpreter = self.interpreter.observe(session)
        # The first one times what all the others need.
        observers: list[ISessionObserver] = [
            self.timing.observer(),
            interpreter,
            self.journal.observe(session),
        ]
        if self.recordings is not None:
            from hargassner.monitor.recorded import Recorded

            now, date = self.clock.seconds(), self.clock.wall()
            recorder = self.recordings.session(session.number, session.address, now, date)
            observers.append(Recorded(recorder, lambda: session.passed_at))
        is_gateway = self.devices.is_gateway(session.address)
        observers.append(self.direct.observe(session, is_gateway=is_gateway))
        # What the last one sends comes after what the others have seen.
        observers.append(self.control.observe(session, interpreter))
        return observers
