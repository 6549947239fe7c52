"""Handing what has passed over to the observers, when nothing waits to be passed.

What observers do with some bytes takes longer than passing them on. So it waits until the bytes
that are under way have passed too: each session has a ``Backlog``, and ``Handover`` goes round
those in which something waits, in slices, between which the reactor looks at its sockets. Where
bytes pass all the time, all that waits is handed over every now and then: a message meets that
seldom, and none is held up by what follows from the one before. Whoever decides something by what
observers know has the backlog caught up with first.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from hargassner.proxy.observers import Guard

WAIT = 0.002
"""Seconds for which what passed waits at least: the rest of a message has mostly come by then."""
SLICE = 0.0001
"""Seconds that are spent on handing over before the reactor looks at its sockets."""
QUIET = 0.001
"""Seconds in which nothing has passed: nothing is under way, as it seems."""
LONGEST_WAIT = 0.06
"""Seconds after which what waits is handed over even while bytes are passing."""
ENOUGH = 6000
"""Bytes that are not waited with any longer, as so much of a dialogue takes some milliseconds."""
MUCH = 1 << 14
"""Bytes that are no dialogue any more: they are handed over in slices, even while bytes pass."""
MOST_WAITING = 1 << 17
"""Bytes of a session that wait at most; what is over is handed over at once."""
LONGEST_PIECE = 1 << 11
"""Bytes that are handed over together; a single read may bring far more."""

_Segment = tuple[Callable[[Guard, Any], None], Any, float]
"""What passed at once: how a guard takes it, what it is, and when it passed."""


class Backlog:
    """What has passed in one session and its observers have not got yet.

    Observers get it in the order in which it passed, whichever side it came from. Segments that
    follow each other from one side are joined, except for those who want each by itself.

    Args:
        handover: hands it over in time.
        observers: those of the session.
    """

    __slots__ = (
        "_handing",
        "_handover",
        "_observers",
        "_of_segments",
        "_over",
        "_waiting",
        "at_once",
        "moment",
        "size",
    )

    def __init__(self, handover: "Handover", observers: Sequence[Guard] = ()) -> None:
        self.size = 0
        """How many bytes wait."""
        self.at_once = False
        """Whether an observer waits for something that the next bytes may bring."""
        self.moment = 0.0
        """When that passed which the observers are getting now, or got last."""
        self._handover = handover
        self._observers = tuple(each for each in observers if not each.by_segment)
        self._of_segments = tuple(each for each in observers if each.by_segment)
        self._waiting: deque[_Segment] = deque()
        self._handing = False
        self._over = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    @property
    def since(self) -> float:
        """Since when the first waits of what waits."""
        return self._waiting[0][2]

    def passed(self, call: Callable[[Guard, bytes], None], data: bytes, now: float) -> None:
        """Bytes have passed: ``call`` hands them over to an observer, before long."""
        size = len(data)
        if size <= LONGEST_PIECE:
            self._waiting.append((call, data, now))
        else:
            self._waiting.extend((call, each, now) for each in _pieces(data))
        self.size += size
        self._handover.put(self, now)
        while self.size > MOST_WAITING and not self._handing:
            self._hand_over([self._take()])
        if self.at_once:
            self.catch_up()

    def tell(self, call: Callable[[Guard, bytes], None], data: bytes = b"") -> None:
        """Have observers called at once, after what waits."""
        self._waiting.append((call, data, self._handover.seconds()))
        self.size += len(data)
        self.catch_up()

    def over(self, reason: str) -> None:
        """The session is over: nothing follows."""
        self._waiting.append((Guard.over, reason, self._handover.seconds()))
        self.size += len(reason)
        self._over = True
        self.catch_up()

    def hand_over(self) -> None:
        """Hand over the first of what waits."""
        self._hand_over([self._take()])
        if self._over:
            self.catch_up()

    def catch_up(self) -> None:
        """Hand over all that waits, now: to one observer after the other, which is quicker.

        Called by an observer it does nothing: the others have to get first what this one got.
        """
        while self._waiting and not self._handing:
            self._hand_over([*self._take_all()])

    def _hand_over(self, pieces: list[list[_Segment]]) -> None:
        joined = [*map(_joined, pieces)]
        self.size -= sum([len(data) for _, data, _ in joined])
        self._handing = True
        try:
            for observer in self._observers:
                for call, data, self.moment in joined:
                    call(observer, data)
            for observer in self._of_segments:
                for call, data, self.moment in chain.from_iterable(pieces):
                    call(observer, data)
        finally:
            self._handing = False
            if not self._waiting:
                self._handover.remove(self)

    def _take_all(self) -> Iterator[list[_Segment]]:
        while self._waiting:
            yield self._take()

    def _take(self) -> list[_Segment]:
        """The first of what waits, and what can be joined with it."""
        waiting = self._waiting
        first = waiting.popleft()
        segments, call, room = [first], first[0], LONGEST_PIECE - len(first[1])
        while waiting and waiting[0][0] is call and len(waiting[0][1]) <= room:
            room -= len(waiting[0][1])
            segments.append(waiting.popleft())
        return segments


def _joined(segments: list[_Segment]) -> _Segment:
    """Segments of one side as one, which passed when the first of them did."""
    call, data, moment = segments[0]
    if len(segments) > 1:
        data = b"".join([each for _, each, _ in segments])
    return call, data, moment


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + LONGEST_PIECE] for at in range(0, len(data), LONGEST_PIECE))


class Handover:
    """Goes round the sessions in which something waits for the observers.

    Args:
        clock: time.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.seconds = clock.seconds
        self._clock = clock
        self._waiting: OrderedDict[Backlog, None] = OrderedDict()
        self._last_passed = 0.0
        self._timer: IDelayedCall | None = None

    def put(self, backlog: Backlog, now: float) -> None:
        """Something has just passed that waits in this backlog."""
        self._waiting[backlog] = None
        self._last_passed = now
        if self._timer is None:
            self._schedule(WAIT)

    def remove(self, backlog: Backlog) -> None:
        """Nothing waits in this backlog any more."""
        self._waiting.pop(backlog, None)
        if self._timer is not None and not self._waiting:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, delay: float) -> None:
        self._timer = self._clock.callLater(delay, self._go_on)

    def _go_on(self) -> None:
        """Hand over while nothing passes, or when something has waited long."""
        now = self.seconds()
        size = sum(each.size for each in self._waiting)
        if size > MUCH or now - self._last_passed >= QUIET:
            self._hand_over(now + SLICE)
        elif size > ENOUGH or self._has_waited_long(now):
            self._hand_over_all()
        else:
            self._schedule(QUIET)

    def _has_waited_long(self, now: float) -> bool:
        return now - min(each.since for each in self._waiting) >= LONGEST_WAIT

    def _hand_over_all(self) -> None:
        self._timer = None
        for backlog in tuple(self._waiting):
            backlog.catch_up()

    def _hand_over(self, end: float) -> None:
        """Hand over one thing of each session in turn until ``end``, and go on if any is left."""
        self._timer = None
        while self._waiting:
            backlog, _ = self._waiting.popitem(last=False)
            backlog.hand_over()
            if not backlog.is_empty:
                self._waiting[backlog] = None
            if self.seconds() >= end:
                break
        if self._waiting:
            # The reactor looks at its sockets in between.
            self._schedule(0)
