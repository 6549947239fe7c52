"""Which request can have which reply (docs/protocol.md, section 3).

A reply is what follows the ``$`` of a boiler's line; a block is a reply too, ``<<`` and ``>>``
included. Replies don't name their request, so this is all there is to know whose they are.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache

from hargassner.dialogue.events import Direction

REFUSAL = re.compile(rb"(?is)(?:permission denied|unknown command|err).*")
"""The reply to whatever is not allowed, not known or not possible."""

_LONGEST_REMEMBERED = 80
"""Bytes of a request whose form is remembered."""

_BLOCK = rb"<<.*>>"
_PARAMETER = rb"[^;<\s]*;[^;]*;.*"
_NOTHING = rb"(?!)"
_CLOCK = rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_FACT = rb"[A-Z][^:;]*: '.*'"
_SWITCHED = rb"daq (?:stopped|started)|logging (?:disabled|enabled)"
_NO_ERROR = b"|".join((rb"<<.*", rb"(?:[0-9]+ )?ack", _PARAMETER, _CLOCK, _FACT, _SWITCHED))
"""What other requests have for a reply is no text of an error."""


class Kind(Enum):
    """What a request is about."""

    LOGIN_TOKEN = auto()
    LOGIN_KEY = auto()
    API_VERSION = auto()
    SERIAL = auto()
    GATEWAY = auto()
    CLEAR = auto()
    RENEW = auto()
    DESCRIPTOR = auto()
    BOOT_VERSION = auto()
    INFO = auto()
    UPTIME = auto()
    CLOCK = auto()
    PARAMETERS_CHANGED = auto()
    PARAMETERS_ALL = auto()
    PARAMETER = auto()
    SET_PARAMETER = auto()
    ERRORS = auto()
    FORMALITY = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One kind of request and its reply.

    ``last`` matches the line that ends the reply, and nothing where that shows otherwise or is not
    known. ``loose`` matches what the reply may have in it although nobody knows such a form, and
    nothing if its form is known. ``endless`` says that nobody can know if more comes of a reply
    that has begun. ``silent`` says that no reply is expected, though the request can be refused.
    """

    kind: Kind
    request: re.Pattern[bytes]
    reply: re.Pattern[bytes]
    last: re.Pattern[bytes]
    loose: re.Pattern[bytes]
    endless: bool
    silent: bool


def _form(
    kind: Kind,
    request: bytes,
    reply: bytes,
    last: bytes = _NOTHING,
    *,
    loose: bytes = _NOTHING,
    endless: bool = False,
    silent: bool = False,
) -> Form:
    return Form(
        kind,
        # The boiler takes requests in any case.
        re.compile(rb"(?is)\$" + request.replace(b" ", rb"\s+") + rb"\s*"),
        re.compile(reply, re.DOTALL),
        re.compile(last, re.DOTALL),
        re.compile(loose, re.DOTALL),
        endless,
        silent,
    )


def _single(kind: Kind, request: bytes, reply: bytes) -> Form:
    return _form(kind, request, reply, reply)


FORMS = (
    _single(Kind.LOGIN_TOKEN, rb"login token", rb"[0-9A-Fa-f]{4,64}"),
    _single(Kind.LOGIN_KEY, rb"login key .*", rb"ack"),
    _single(Kind.API_VERSION, rb"apiversion", rb"[0-9]+(?:\.[0-9A-Za-z]+)+"),
    _single(Kind.FORMALITY, rb"setkomm", rb"[0-9]+ ack"),
    # Seen empty only; capitals and digits leave `$ack` to the request that follows.
    _single(Kind.SERIAL, rb"asnr get", rb"[0-9A-Z./-]*"),
    _single(Kind.GATEWAY, rb"igw set (?P<subject>\S{1,64})", rb"ack"),
    _single(Kind.CLEAR, rb"igw clear", rb"ack"),
    _single(Kind.FORMALITY, rb"daq stop", rb"daq stopped"),
    _single(Kind.FORMALITY, rb"daq start", rb"daq started"),
    _single(Kind.FORMALITY, rb"logging disable", rb"logging disabled|ack"),
    _single(Kind.FORMALITY, rb"logging enable", rb"logging enabled|ack"),
    _form(Kind.DESCRIPTOR, rb"daq desc", _BLOCK),
    _single(Kind.BOOT_VERSION, rb"bootversion", rb"V\S+|[0-9]+\.\S+"),
    _form(Kind.INFO, rb"info", _FACT, rb"SN BCE:.*"),
    _single(Kind.UPTIME, rb"uptime", rb"[0-9]{1,18}"),
    _single(Kind.CLOCK, rb"rtc get", _CLOCK),
    _form(Kind.PARAMETERS_CHANGED, rb"par get changed.*", _PARAMETER + rb"|--", rb"--"),
    _form(
        Kind.PARAMETERS_ALL,
        rb"par get all",
        _BLOCK + rb"|" + _PARAMETER + rb"|--",
        rb"--",
        endless=True,
    ),
    _single(Kind.PARAMETER, rb'par get "?(?P<subject>[^\s";]{1,64})"?', _PARAMETER),
    _single(Kind.SET_PARAMETER, rb"par set .*", rb"ack"),
    _form(
        Kind.ERRORS,
        rb"erract",
        rb"no errors",
        rb"no errors",
        loose=rb"(?!(?:" + _NO_ERROR + rb")\Z).*",
        endless=True,
    ),
    _form(Kind.RENEW, rb"dhcp renew", _NOTHING, silent=True),
)

UNKNOWN = _form(Kind.UNKNOWN, rb".*", _NOTHING, loose=rb".*")
"""Any other request: nothing can be known of its reply."""


@dataclass(slots=True, eq=False)
class Request:
    """A request that passed, and what came of it so far.

    ``text`` can be shown to anybody. ``subject`` is the parameter or serial number it names, and
    ``sender`` who asked.
    ``held`` is the part of a reply that can only be read with what follows, ``errors`` what has
    been listed; ``spoilt`` says that the reply got too long to be read, ``complete`` that what was
    read of it was its end. ``refused`` says that a notice has refused the request already, so that
    a reply may follow or not; ``misread`` that there was a reply which may have been the one to
    this request, although it could not be read as such, or a notice which may have refused it.
    """

    form: Form
    text: str
    subject: str
    sender: Direction = "gateway"
    answered: bool = False
    refused: bool = False
    spoilt: bool = False
    complete: bool = False
    misread: bool = False
    held: bytearray = field(default_factory=bytearray)
    errors: list[str] = field(default_factory=list)

    def expects(self, reply: bytes) -> bool:
        """Whether the grammar has this reply for this request, as things stand."""
        if self.refused:
            return refuses(reply)
        if self.form.reply.fullmatch(reply):
            return self._goes_on_with(reply)
        return self.is_refused_by(reply)

    def _goes_on_with(self, reply: bytes) -> bool:
        """Whether a reply of the right form is this one's, and comes when it can."""
        if self.form.kind is Kind.PARAMETER:
            asked = self.subject.encode("latin-1").lower()
            return reply.partition(b";")[0].strip().lower() == asked
        # A list of errors does not end by saying that there are none.
        return not (self.form.kind is Kind.ERRORS and self.answered)

    def is_refused_by(self, reply: bytes) -> bool:
        """Whether this reply, which has another form, refuses it."""
        if self.answered or self.form.reply.fullmatch(reply):
            return False
        return refuses(reply)

    def admits(self, reply: bytes) -> bool:
        """Whether this reply may belong to this request although no grammar says so."""
        return self.form.loose.fullmatch(reply) is not None

    @property
    def end_unknown(self) -> bool:
        """Whether nobody can know if more of the reply comes, or any of it."""
        may_be_over = self.misread or self.refused or (self.answered and self.form.endless)
        return may_be_over or self.form.kind is Kind.UNKNOWN

    @property
    def is_awaited_setting(self) -> bool:
        """Whether it sets something, and no notice has refused that."""
        return self.form.kind is Kind.SET_PARAMETER and not self.refused

    def is_refuted_by(self, reply: bytes) -> bool:
        """Whether a notice has refused it, and this is its reply all the same."""
        return self.refused and self.form.reply.fullmatch(reply) is not None

    def ends_with(self, reply: bytes) -> bool:
        """Whether nothing more belongs to this request after this reply."""
        return self.form.last.fullmatch(reply) is not None


def refuses(reply: bytes) -> bool:
    """Whether a reply refuses a request."""
    return REFUSAL.fullmatch(reply) is not None


def recognise(line: bytes) -> tuple[Form, str]:
    """The form of a request line, and what it names; anything may be asked of it."""
    return _recognise_again(line) if len(line) <= _LONGEST_REMEMBERED else _recognise(line)


def _recognise(line: bytes) -> tuple[Form, str]:
    for form in FORMS:
        found = form.request.fullmatch(line)
        if found:
            return form, found.groupdict().get("subject", b"").decode("latin-1")
    return UNKNOWN, ""


_recognise_again = lru_cache(maxsize=64)(_recognise)
"""A gateway asks the same few things, again and again."""
