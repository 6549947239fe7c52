"""Which request gets which reply when the gateway does not wait, and the boiler is behind."""

from collections import deque
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.dialogue import Dialogue, LineState
from hargassner.dialogue.events import ActiveErrors, Event
from tests import EXAMPLES

WHAT, UPTIME, CLOCK, ERRORS, LIST, SET = (
    "$what",
    "$uptime",
    "$rtc get",
    "$erract",
    "$par get changed",
    '$par set "4;3;1"',
)
REPLIES = {
    WHAT: ((), ("$that",), ("$that", "$that")),
    UPTIME: (("$1",),),
    CLOCK: (("$2023-11-12 18:32:35",),),
    ERRORS: (("$no errors",),),
    LIST: (("$--",), ("$4;3;1;1;1;1;;1;0;0;0;x", "$--")),
    SET: (("$ack",), ("$err limit",)),
}

Step = tuple[str, tuple[str, ...]] | None
"""A request and the lines of its reply; or the boiler says its next line."""

ASK: dict[str, Step] = {request: (request, replies[0]) for request, replies in REPLIES.items()}
ASK_TWO_LINES: Step = (WHAT, ("$that", "$that"))
ASK_RECORD: Step = (LIST, REPLIES[LIST][1])
STEPS = st.one_of(
    st.none(),
    st.sampled_from(
        [(asked, each) for asked, some in REPLIES.items() if asked != ERRORS for each in some]
    ),
)
CUT_BY_REQUESTS: tuple[tuple[Step, ...], ...] = (
    (
        *(ASK_TWO_LINES, ASK[CLOCK], ASK[UPTIME], ASK[ERRORS], ASK[SET]),
        *(None, ASK[UPTIME], ASK[ERRORS], None, None, None, None),
    ),
    (ASK_TWO_LINES, ASK[ERRORS], None, ASK[ERRORS], None, None),
    (
        *(ASK_TWO_LINES, None, ASK[ERRORS], ASK[SET], ASK[CLOCK]),
        *(None, ASK[UPTIME], ASK[ERRORS], None),
    ),
    (
        *(ASK_TWO_LINES, None, ASK[UPTIME], ASK[ERRORS], None),
        *(ASK[LIST], None, ASK[ERRORS], None),
    ),
)
"""The second line of a reply comes behind requests that did not wait for it."""


class Ordered:
    """A gateway that asks at any time, and a boiler that answers all of it, in order."""

    def __init__(self) -> None:
        self.dialogue = Dialogue()
        self.events: list[Event] = []
        self._due: deque[tuple[str, deque[str]]] = deque()

    def take(self, step: Step) -> None:
        if step is not None:
            request, reply = step
            self.events += self.dialogue.gateway_sent(request.encode() + b"\r\n")
            self._due.append((request, deque(reply)))
        elif self._due:
            line = self._due[0][1].popleft()
            self.events += self.dialogue.boiler_sent(line.encode() + b"\r\n")
        while self._due and not self._due[0][1]:
            self._due.popleft()

    @property
    def owes_a_reply(self) -> bool:
        """Whether a reply is due of which everybody can know that it is."""
        return any(request != WHAT for request, _ in self._due)


class OrderTests(SynchronousTestCase):
    """The boiler answers strictly in order, and loses nothing."""

    @settings(max_examples=6 * EXAMPLES)
    @given(st.lists(STEPS, max_size=30))
    @example([ASK_TWO_LINES, None, ASK_RECORD, None, None, ASK[UPTIME], None])
    def test_the_line_is_not_free_while_a_reply_is_due(self, steps: list[Step]) -> None:
        """Active errors aside, which have no form."""
        self.look_after_each(steps)

    def test_the_rest_of_an_unknown_reply_is_not_taken_for_all_active_errors(self) -> None:
        for steps in CUT_BY_REQUESTS:
            with self.subTest(steps=steps):
                self.look_after_each(steps)

    def look_after_each(self, steps: Sequence[Step]) -> None:
        ordered = Ordered()
        for step in steps:
            ordered.take(step)
            if ordered.owes_a_reply:
                self.assertIsNot(LineState.FREE, ordered.dialogue.line_state)

    def test_a_reply_goes_on_behind_a_request_that_did_not_wait_for_it(self) -> None:
        ordered = Ordered()
        for step in (ASK_TWO_LINES, ASK[CLOCK], ASK[ERRORS], None, ASK[LIST], None):
            ordered.take(step)
        self.assertEqual((WHAT, CLOCK, ERRORS, LIST), ordered.dialogue.open_requests)

    def test_an_older_reply_shows_that_a_line_before_it_was_no_error(self) -> None:
        ordered = Ordered()
        for step in (ASK_TWO_LINES, None, ASK[UPTIME], ASK[ERRORS], None, None, None):
            ordered.take(step)
        self.assertIn(ActiveErrors(()), ordered.events)
