"""Which reply belongs to which request.

Requests and replies are paired as docs/protocol.md, section 3, has them; the replies come in the
order of the requests, but some requests have none and nobody can know the end of some replies. So
a reply is given to the first of these that there is:

1. the oldest open request of which the grammar has such a reply, refusals included,
2. the last request that has got its reply, or expects none, if it can have this one as well,
3. the oldest open request to which any line may belong: one that is not known, or the list of
   active errors.

A request that the first rule passes over has lost its reply; an unknown one that it passes over
may have had none, and is over, and so is one that a notice has refused: a refusal may follow, and
another reply only if no other request can have it. One that the third rule serves is over when the
next request comes after a line of the reply, as the gateway has waited for it then; but not if
another one was open by then, as the gateway did not wait. A line that no request is open for is
unreadable.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from operator import attrgetter

from hargassner.dialogue.grammar import Kind, Request

MOST_OPEN = 64
"""Requests. The gateway sends two without waiting."""


class Pairing:
    """The requests whose reply may still come or go on, oldest first."""

    __slots__ = ("_open", "_recent")

    def __init__(self) -> None:
        # A list, as a deque takes 760 bytes when nothing is in it.
        self._open: list[Request] = []
        # At most one, that has got its reply or expects none, and may have the next one as well.
        self._recent: tuple[Request, ...] = ()

    def __iter__(self) -> Iterator[Request]:
        """Every open request."""
        return iter(self._open)

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def token_due(self) -> bool:
        """Whether a login token is expected."""
        return any(each.form.kind is Kind.LOGIN_TOKEN for each in self._open)

    @property
    def reply_due(self) -> bool:
        """Whether a reply is due that can be told to have come to its end."""
        return not all(each.end_unknown for each in self._open)

    def open(self, request: Request) -> Sequence[Request]:
        """A request was sent; those that there is no room for any more."""
        if request.form.silent:
            self._recent = (request,)
        else:
            self._open.append(request)
        return (self._open.pop(0),) if len(self._open) > MOST_OPEN else ()

    def waited_for(self) -> Sequence[Request]:
        """The last request is over if its reply has begun, as the gateway has waited for it.

        To be called before the next one is sent. If a reply is due that has an end, none is over:
        the gateway does not wait for what a boiler is late with. The next line of a request that
        was closed would be taken for the reply to one behind it, and the next reply of that form
        would pass over all between.
        """
        if not self._open or not self._open[-1].answered or self.reply_due:
            return ()
        request = self._open.pop()
        if request.form.kind is Kind.PARAMETERS_ALL:
            # Blocks that come late are still read.
            self._recent = (request,)
        return (request,)

    def expecting(self, reply: bytes) -> Request | None:
        """The oldest open request of which the grammar has this reply.

        So has one whose list of errors has begun: it may be that this was no error.
        """
        return next(filter(lambda each: _expects(each, reply), self._open), None)

    def pass_over(self, request: Request) -> Iterator[Request]:
        """The older requests than this one, which has got a reply: theirs are lost.

        No younger one has begun to be answered then, whatever a line was taken for.
        """
        while self._open[0] is not request:
            yield self._open.pop(0)
        self._recent = ()
        request.misread = False
        for each in self._open[1:]:
            each.answered = False
            each.errors.clear()

    def admitting(self, reply: bytes) -> Request | None:
        """Whose a reply may be that no open request expects."""
        recent = filter(lambda each: each.expects(reply), self._recent)
        refused = filter(lambda each: each.is_refuted_by(reply), self._open)
        loosely = filter(lambda each: each.admits(reply), self._open)
        request = next(chain(recent, refused, loosely), None)
        if request is None and self._open:
            self._open[0].misread = True
        return request

    def end(self, request: Request) -> None:
        """No more of the reply is waited for; what comes all the same may still be read."""
        with suppress(ValueError):
            self._open.remove(request)
        goes_on = request.form.kind is Kind.INFO and request.answered
        self._recent = (request,) if goes_on else ()

    def refused_out_of_order(self) -> None:
        """One of the open settings is refused by a notice, and nobody knows which."""
        for request in self.settings():
            request.misread = True

    def settings(self) -> Iterator[Request]:
        """The open requests to set a parameter that no notice has refused, oldest first."""
        return filter(attrgetter("is_awaited_setting"), self._open)


def _expects(request: Request, reply: bytes) -> bool:
    return request.expects(reply) or (request.answered and request.ends_with(reply))
