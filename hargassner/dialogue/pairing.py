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

from hargassner.dialogue.grammar import Kind, Request

MOST_OPEN = 64
"""Requests. The gateway sends two without waiting."""


class Pairing:
    """The requests whose reply may still come or go on, oldest first."""

    def __init__(self) -> None:
        # A list, as a deque takes 760 bytes when nothing is in it.
        self._open: list[Request] = []
        # The one that has got its reply, or expects none, and may have the next one as well.
        self._recent: Request | None = None

    def __iter__(self) -> Iterator[Request]:
        """Every open request."""
        return iter(self._open)

    @property
    def token_due(self) -> bool:
        """Whether a login token is expected."""
        return any(each.form.kind is Kind.LOGIN_TOKEN for each in self._open)

    def close_begun(self) -> Sequence[Request]:
        """The next request came: the last one is over if its reply has begun and no end is known.

        It is not if another one is open, as the gateway does not wait for what a boiler is late
        with. Its next line would be taken for the reply to one behind it, and the next reply of
        that form would pass over all between.
        """
        if not all(each.end_unknown for each in self._open):
            return ()
        begun = [each for each in self._open[-1:] if each.answered]
        for request in begun:
            self._open.remove(request)
            if request.form.kind is Kind.PARAMETERS_ALL:
                # Blocks that come late are still read.
                self._recent = request
        return begun

    def open(self, request: Request) -> Request | None:
        """A request was sent; the oldest one if there are too many now, which is then over."""
        if request.form.silent:
            self._recent = request
            return None
        self._open.append(request)
        return self._open.pop(0) if len(self._open) > MOST_OPEN else None

    def expecting(self, reply: bytes) -> Request | None:
        """The oldest open request of which the grammar has this reply.

        So has one whose list of errors has begun: it may be that this was no error.
        """
        return next((each for each in self._open if _expects(each, reply)), None)

    def pass_over(self, request: Request) -> Iterator[Request]:
        """The older requests than this one, which has got a reply: theirs are lost.

        No younger one has begun to be answered then, whatever a line was taken for.
        """
        while self._open[0] is not request:
            yield self._open.pop(0)
        self._recent = None
        request.misread = False
        for each in self._open[1:]:
            each.answered = False
            each.errors.clear()

    def admitting(self, reply: bytes) -> Request | None:
        """Whose a reply may be that no open request expects."""
        if self._recent is not None and self._recent.expects(reply):
            return self._recent
        request = self._refused(reply) or self._loosely(reply)
        if request is None and self._open:
            self._open[0].misread = True
        return request

    def _refused(self, reply: bytes) -> Request | None:
        """The oldest request that a notice has refused, if it has got this reply all the same."""
        refused = (each for each in self._open if each.refused)
        return next((each for each in refused if each.form.reply.fullmatch(reply)), None)

    def _loosely(self, reply: bytes) -> Request | None:
        """The oldest request to which this line may belong although no grammar says so."""
        return next((each for each in self._open if each.admits(reply)), None)

    def end(self, request: Request) -> None:
        """No more of the reply is waited for; what comes all the same may still be read."""
        if request in self._open:
            self._open.remove(request)
        self._recent = request if request.form.kind is Kind.INFO and request.answered else None

    def setting(self) -> Request | None:
        """The oldest request to set a parameter that is open, and that no notice has refused."""
        settings = (each for each in self._open if each.form.kind is Kind.SET_PARAMETER)
        return next((each for each in settings if not each.refused), None)


def _expects(request: Request, reply: bytes) -> bool:
    return request.expects(reply) or (request.answered and request.ends_with(reply))
