"""What an exchange is tried with: a relay that gathers what passes, and a reactor's turns."""

from twisted.internet.task import Clock
from zope.interface import implementer

from hargassner.proxy.exchange_states import IRelay


@implementer(IRelay)
class Relay:
    """Gathers what passes."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, bytes]] = []

    def pass_to_boiler(self, data: bytes) -> None:
        self.passed.append(("boiler", data))

    def pass_to_client(self, data: bytes) -> None:
        self.passed.append(("client", data))

    def keep(self, data: bytes) -> None:
        self.passed.append(("bridge", data))

    def notice_follows(self, *, of_bridge: bool) -> None:
        self.passed.append(("refused" if of_bridge else "overtaking", b""))

    def pause_client(self) -> None:
        """Little waits here."""

    resume_client = pause_client

    def all_to(self, whom: str) -> bytes:
        """All bytes that went to somebody."""
        return b"".join(data for to, data in self.passed if to == whom)


class TurningClock(Clock):
    """A clock that makes the calls of one turn, as a reactor does before it reads its sockets.

    What is asked for in a turn, be it at once, belongs to the next one.
    """

    def advance(self, amount: float) -> None:
        self.rightNow += amount
        for call in [each for each in self.getDelayedCalls() if each.getTime() <= self.rightNow]:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)
