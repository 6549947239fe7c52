"""Takes in what a broker sends, slice by slice.

A broker can send faster than anything can be done about it, and the reactor has a gateway's session
to serve. So what came is taken in slice by slice, one in a turn of the reactor, and nothing more is
read meanwhile: the rest waits where TCP has it wait, at the broker.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, IReactorTime

from hargassner.delayed import Delayed
from hargassner.mqtt.events import Event

SLICE = 1024
"""Bytes of the broker's that are taken in in one turn of the reactor."""
MOST_AT_ONCE = 20
"""Events among them that are handled in one turn."""


class Intake:
    """What came on one connection and is not handled yet.

    Args:
        clock: gives the turns.
        source: sends; it is paused while anything waits here.
        parse: makes events of a slice.
        handle: is called with each event.
        is_ready: whether more may come; when it may again, ``go_on`` is to be called.
    """

    def __init__(
        self,
        clock: IReactorTime,
        source: IPushProducer,
        parse: Callable[[bytes], list[Event]],
        handle: Callable[[Event], None],
        is_ready: Callable[[], bool],
    ) -> None:
        self._source = source
        self._parse = parse
        self._handle = handle
        self._is_ready = is_ready
        self._unread = bytearray()
        self._events: deque[Event] = deque()
        self._turn = Delayed(clock, 0, self._take_in)
        self._reading = True
        self._closed = False

    def received(self, data: bytes) -> None:
        """Take in the first slice at once, unless others wait."""
        if not self._closed:
            behind = self._is_behind
            self._unread += data
            if not behind:
                self._take_in()

    def go_on(self) -> None:
        """More may come."""
        if self._is_behind and not self._closed:
            self._turn.start()

    def close(self) -> None:
        """Handle nothing any more."""
        self._closed = True
        self._unread.clear()
        self._events.clear()
        self._turn.cancel()

    def discard(self) -> None:
        """Read on, and handle nothing any more."""
        self.close()
        self._read(True)

    @property
    def _is_behind(self) -> bool:
        """Whether anything waits to be taken in."""
        return not self._reading or self._turn.is_waiting or self._waits

    @property
    def _waits(self) -> bool:
        return bool(self._unread or self._events)

    def _take_in(self) -> None:
        """Take in one slice of what came; the next one has its turn later."""
        if not self._events:
            piece = bytes(self._unread[:SLICE])
            del self._unread[:SLICE]
            self._accept(self._parse(piece))
        for _ in range(MOST_AT_ONCE):
            # Closing leaves none.
            if self._events:
                self._handle(self._events.popleft())
        if not self._closed:
            self._rest()

    def _accept(self, events: list[Event]) -> None:
        # Parsing may have closed the connection.
        if not self._closed:
            self._events.extend(events)

    def _rest(self) -> None:
        """Read on, or leave what waits to another turn."""
        ready, waits = self._is_ready(), self._waits
        self._read(ready and not waits)
        if ready and waits:
            self._turn.start()

    def _read(self, reading: bool) -> None:
        if reading is not self._reading:
            self._reading = reading
            if reading:
                self._source.resumeProducing()
            else:
                self._source.pauseProducing()
