"""Hosts that send datagrams by themselves while a test does something else."""

import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

from tests.network_case import EVERYBODY, GET_SERVICES, SERVICES
from tests.processes import wait_until

Saying = tuple[bytes, tuple[str, int]]


class Talker:
    """Sends one datagram after the other until the ``with`` block is left.

    Args:
        sock: sends them.
        sayings: payloads and where they go, over and over.
        rate: datagrams a second.
    """

    def __init__(self, sock: socket.socket, sayings: Iterable[Saying], rate: float) -> None:
        self.said = 0
        self._sock = sock
        self._sayings = itertools.cycle(sayings)
        self._rate = rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Talker":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def wait_until_it_has_spoken(self, times: int = 1) -> None:
        """Wait until it has sent so many more."""
        count = self.said + times
        wait_until(lambda: self.said >= count, 10 + times / self._rate, "the talker")

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.is_set():
            self._sock.sendto(*next(self._sayings))
            self.said += 1
            self._over.wait(began + self.said / self._rate - time.monotonic())


def hear(sock: socket.socket, matches: Callable[[bytes], bool]) -> tuple[bytes, tuple[str, int]]:
    """The next datagram that matches; others are ignored.

    Raises:
        TimeoutError: it does not come within the socket's timeout.
    """
    timeout = sock.gettimeout()
    assert timeout is not None
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        data, source = sock.recvfrom(65536)
        if matches(data):
            return data, source
    raise TimeoutError("nothing of the kind came")


def answered(gateway: socket.socket, boiler: socket.socket, count: int) -> int:
    """How many of a gateway's questions have an answer within a second.

    The boiler answers whoever asks.
    """
    answers = 0
    for _ in range(count):
        gateway.sendto(GET_SERVICES, (EVERYBODY, 35601))
        deadline = time.monotonic() + 1
        waiting = True
        while waiting and time.monotonic() < deadline:
            for ready in select.select([boiler, gateway], [], [], 0.05)[0]:
                data, source = ready.recvfrom(65536)
                if ready is boiler and data == GET_SERVICES:
                    boiler.sendto(SERVICES, source)
                elif ready is gateway and data == SERVICES:
                    answers += 1
                    waiting = False
    return answers
