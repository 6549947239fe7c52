"""What many tests need: a clock that must end empty, a log to look into, descriptors to count."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase


def open_descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Log:
    """What was logged while a test ran."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self._observer = EventLoggingObserver.createWithCleanup(case, globalLogPublisher)

    @property
    def events(self) -> list[LogEvent]:
        """The events, in order; those of Twisted's own are left out."""
        return [each for each in self._observer if each["log_namespace"].startswith("hargassner.")]

    @property
    def lines(self) -> list[str]:
        """The events as their readers see them."""
        return [formatEvent(each) for each in self.events]

    def at(self, level: LogLevel) -> list[str]:
        """The lines of one level."""
        return [formatEvent(each) for each in self.events if each["log_level"] is level]


class ClockCase(SynchronousTestCase):
    """A test with a clock of its own; it fails when a timer is left at the end."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.log = Log(self)
        self.addCleanup(self._no_timer_is_left)

    def _no_timer_is_left(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DescriptorCase(TestCase):
    """A test on the real reactor; it fails when a file descriptor is left open at the end."""

    timeout = 30

    def setUp(self) -> None:
        self.log = Log(self)
        self._before = open_descriptors()
        self.addCleanup(self._no_descriptor_is_left)

    def _no_descriptor_is_left(self) -> None:
        self.assertEqual(open_descriptors(), self._before)
