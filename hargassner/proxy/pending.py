"""A request that the boiler may still answer: which replies and notices it can have."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from functools import lru_cache

from hargassner.dialogue.grammar import Form, Kind, Request, recognise, refuses
from hargassner.dialogue.notices import changed_value
from hargassner.dialogue.parameters import tells_one, type_is_known

LOST = 1
"""What it costs an explanation that a reply is lost."""
LOST_AFTER_NOTICE = 2
"""What it costs that it is lost although a notice has just said that the request is carried out."""
NO_FORM = 1
"""What it costs that a line is the text of an active error: nobody knows what these look like, so
whoever has such a reply by its form comes first.
"""
CONTRADICTION = 10
"""What it costs that the boiler contradicts itself: a notice that names what a request sets has
nothing to do with it, a reply says other than a notice did, or one of several lines has no end.
"""

_SETTING = re.compile(rb'(?is)\$par\s+set\s+"?([^";]+);([^";]*);([^";]*).*')
_REMEMBERED = 256


class Progress(Enum):
    """How far a request has come."""

    OPEN = auto()
    BEGUN = auto()
    """A line of its reply has come."""
    CARRIED_OUT = auto()
    """A notice has just named the value that it sets: its reply is the next one."""
    DONE = auto()
    """A notice has named that value, and something else was asked since."""
    REFUSED = auto()
    """A notice has refused it: a reply may follow."""


_OPEN_END = (Kind.UNKNOWN, Kind.ERRORS, Kind.PARAMETERS_ALL, Kind.DESCRIPTOR)
"""Nobody can know whether more of such a reply comes, once it has begun."""
_COST_OF_NONE: dict[Progress, tuple[int, tuple[Kind, ...]]] = {
    Progress.OPEN: (LOST, (Kind.UNKNOWN, Kind.RENEW)),
    Progress.BEGUN: (CONTRADICTION, _OPEN_END),
    Progress.CARRIED_OUT: (LOST_AFTER_NOTICE, ()),
    Progress.DONE: (LOST, ()),
    Progress.REFUSED: (0, ()),
}
"""What it costs that no more of a reply comes, and for which kinds it costs nothing."""
_COST_OF_REPLY = {
    Progress.CARRIED_OUT: (0, CONTRADICTION),
    Progress.DONE: (0, CONTRADICTION),
    Progress.REFUSED: (CONTRADICTION, 0),
}
"""What it costs after a notice that a reply does not refuse, and that it does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was sent.

    ``subject`` is the parameter that it asks for; ``sets``, ``type`` and ``value`` are those of one
    that sets something. ``text`` is how the boiler writes that value, empty where it isn't known.
    """

    form: Form
    subject: str = ""
    sets: str = ""
    type: str = ""
    value: str = ""
    text: str = ""
    by_bridge: bool = False

    @classmethod
    def read(cls, line: bytes, *, text: str = "", by_bridge: bool = False) -> "Asked":
        """The request in a line, given without its end."""
        form, subject = recognise(line)
        found = _SETTING.fullmatch(line) if form.kind is Kind.SET_PARAMETER else None
        sets, type_, value = (each.decode("latin-1") for each in found.groups()) if found else "   "
        return cls(form, subject, sets.casefold(), type_, value, text, by_bridge)

    def is_set_by(self, notice: bytes) -> bool:
        """Whether a notice names what this request sets, and the value if that can be known."""
        id_, value = changed_value(notice.decode("latin-1")) or ("", "")
        return bool(id_) and id_.casefold() == self.sets and self._is_value(value)

    def _is_value(self, text: str) -> bool:
        if self.type != "3":
            # An option is asked for by its index, and named by its text.
            return self.text in ("", text)
        try:
            return Decimal(text) == Decimal(self.value)
        except InvalidOperation:
            return False


@dataclass(frozen=True, slots=True)
class After:
    """What a reply leaves: the request, if more of its reply may come; and what that costs."""

    rest: "tuple[Pending, ...]" = ()
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that may still be answered."""

    request: Asked
    progress: Progress = Progress.OPEN

    @property
    def cost_of_none(self) -> int:
        """What it costs that no more of its reply comes."""
        cost, free = _COST_OF_NONE[self.progress]
        return 0 if self.request.form.kind in free else cost

    def ends_with(self, reply: bytes) -> bool:
        """Whether this reply would be all that the request waits for."""
        after = self.replied(reply, loosely=False)
        return after is not None and not after.rest and self.progress is not Progress.REFUSED

    def overtaken(self) -> "Pending":
        """What this is when something else has been asked: the reply is not the next thing now."""
        just_now = self.progress is Progress.CARRIED_OUT
        return replace(self, progress=Progress.DONE) if just_now else self

    def replied(self, reply: bytes, *, loosely: bool) -> After | None:
        """What a reply leaves of this request; None if it cannot have that reply.

        Args:
            reply: what follows the ``$``, without its line end; or any block, as ``<<>>``.
            loosely: whether a reply counts that has another form than is known.
        """
        return _replied(self, reply, loosely)

    def noticed(self, notice: bytes) -> "Pending | None":
        """What a notice makes of this request; None if it has nothing to do with it."""
        if self.progress is not Progress.OPEN:
            return None
        if notice.startswith(b"zERR"):
            of_it, progress = self.request.form.kind is Kind.SET_PARAMETER, Progress.REFUSED
        else:
            of_it, progress = self.request.is_set_by(notice), Progress.CARRIED_OUT
        return replace(self, progress=progress) if of_it else None


@lru_cache(maxsize=_REMEMBERED)
def _replied(pending: Pending, reply: bytes, loosely: bool) -> After | None:
    asked, begun = pending.request, pending.progress is Progress.BEGUN
    if asked.form.kind is Kind.UNKNOWN:
        # Any number of lines is as good as none.
        return None if loosely else After((pending,))
    request = Request(asked.form, "", asked.subject, answered=begun)
    if loosely != _is_loose(request, reply):
        return None
    if request.expects(reply) and _ends(request, reply):
        return After(cost=_COST_OF_REPLY.get(pending.progress, (0, 0))[refuses(reply)])
    begun_now = (Pending(asked, Progress.BEGUN),)
    if request.expects(reply):
        return After(begun_now)
    return After(begun_now, NO_FORM) if request.admits(reply) else None


def _is_loose(request: Request, reply: bytes) -> bool:
    """Whether a parameter line ends as if it answered a request of the other kind."""
    if not type_is_known(reply):
        return False
    others = {Kind.PARAMETER: False, Kind.PARAMETERS_CHANGED: True}
    return tells_one(reply) is others.get(request.form.kind)


def _ends(request: Request, reply: bytes) -> bool:
    return request.ends_with(reply) or not request.form.reply.fullmatch(reply)
