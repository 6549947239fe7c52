"""What the boiler's replies say, once it is known to which request each belongs."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from hargassner.dialogue.descriptor import (
    LARGEST_DOCUMENT,
    MOST_CHANNELS,
    DescriptorError,
    parse_descriptor,
)
from hargassner.dialogue.events import (
    ActiveErrors,
    BoilerDescribed,
    Clearing,
    ClockRead,
    Event,
    Identified,
    LoggedIn,
    ParameterSeen,
    Unreadable,
    UptimeRead,
)
from hargassner.dialogue.grammar import Kind, Request
from hargassner.dialogue.lines import BEGINNING, LONGEST_LINE
from hargassner.dialogue.masking import Masking
from hargassner.dialogue.parameters import ParameterError, parse_parameter

MOST_ERRORS = 64
"""Lines that are believed of a list of active errors."""

_DOCUMENT_END = b"</DAQPRJ>"

_FACTS = {
    b"KT": "model",
    b"SWV": "firmware",
    b"FWV I/O": "io_firmware",
    b"SN I/O": "io_serial",
    b"SN BCE": "controller_serial",
}
_FACT = re.compile(rb"(%b): '(.*)'" % b"|".join(_FACTS), re.DOTALL)
_WORDS = {
    Kind.API_VERSION: "api_version",
    Kind.BOOT_VERSION: "boot_version",
    Kind.SERIAL: "asnr",
}
"""What replies of one word tell."""
_ACCEPTED: Mapping[Kind, Event] = {Kind.LOGIN_KEY: LoggedIn(), Kind.CLEAR: Clearing()}
"""What it means that a request was accepted."""


class ReplyReader:
    """Reads the replies of one session.

    Args:
        masking: keeps the session's secrets out of the events.
        unreadable: makes the event for what cannot be read, and why.
    """

    __slots__ = ("_masking", "_unreadable")

    def __init__(self, masking: Masking, unreadable: Callable[[bytes, str], Unreadable]) -> None:
        self._masking = masking
        self._unreadable = unreadable

    def conclude(self, request: Request) -> Iterator[Event]:
        """What can be said of a request whose reply has not come to a known end."""
        if not request.answered:
            yield from _unanswered(request)
            return
        yield from _CONCLUSIONS.get(request.form.kind, _nothing)(self, request)

    def read(self, request: Request, reply: bytes) -> Iterator[Event]:
        """What a reply says; it sets ``complete`` if that was the end of it."""
        return _READERS.get(request.form.kind, _nothing)(self, request, reply)

    def _read_token(self, _request: Request, reply: bytes) -> Iterator[Event]:
        self._masking.remember(reply)
        return iter(())

    def _read_word(self, request: Request, reply: bytes) -> Iterator[Event]:
        yield from self._identify(_WORDS[request.form.kind], reply)

    def _read_uptime(self, _request: Request, reply: bytes) -> Iterator[Event]:
        yield UptimeRead(int(reply))

    def _accept(self, request: Request, _reply: bytes) -> Iterator[Event]:
        yield _ACCEPTED[request.form.kind]

    def _accept_gateway(self, request: Request, _reply: bytes) -> Iterator[Event]:
        yield Identified("gateway_serial", request.subject)

    def _identify(self, name: str, reply: bytes) -> Iterator[Event]:
        value = self._masking.text(reply)
        if value:
            yield Identified(name, value)

    def _read_fact(self, _request: Request, reply: bytes) -> Iterator[Event]:
        fact = _FACT.fullmatch(reply)
        if fact is None:
            yield self._unreadable(reply, "the boiler told a fact that is not known")
        else:
            yield from self._identify(_FACTS[fact[1]], fact[2])

    def _read_clock(self, _request: Request, reply: bytes) -> Iterator[Event]:
        try:
            yield ClockRead(datetime.fromisoformat(reply.decode("ascii")))
        except ValueError:
            yield self._unreadable(reply, "this is no date and time")

    def _read_errors(self, request: Request, reply: bytes) -> Iterator[Event]:
        if reply in (b"no errors", b"--"):
            request.complete = True
            yield from _errors(request)
        elif reply.strip() and len(request.errors) < MOST_ERRORS:
            request.errors.append(self._masking.excerpt(reply))

    def _read_descriptor(self, request: Request, reply: bytes) -> Iterator[Event]:
        seen = max(0, len(request.held) - len(_DOCUMENT_END))
        request.held += reply[2:-2]
        complete = _DOCUMENT_END in request.held[seen:]
        if complete:
            request.complete = True
            if not request.spoilt:
                yield from self._described(bytes(request.held))
        elif len(request.held) > LARGEST_DOCUMENT:
            yield from _spoil(request)

    def _described(self, document: bytes) -> Iterator[Event]:
        try:
            descriptor = parse_descriptor(document)
        except DescriptorError as wrong:
            yield self._unreadable(document, self._masking.text(str(wrong)))
            return
        yield BoilerDescribed(document, descriptor)
        if descriptor.truncated:
            reason = f"more than {MOST_CHANNELS} channels are described; the others are left out"
            yield self._unreadable(document, reason)

    def _read_parameters(self, request: Request, reply: bytes) -> Iterator[Event]:
        if not reply.startswith(b"<<"):
            yield from self._read_held(request)
            yield from self._read_record(reply)
            return
        *records, rest = (bytes(request.held) + reply[2:-2]).split(b"\n")
        request.held[:] = rest
        for record in records:
            yield from self._read_record(record)
        if len(request.held) > LONGEST_LINE:
            yield self._unreadable(bytes(request.held[:BEGINNING]), "the line is too long")
            request.held.clear()

    def _read_held(self, request: Request) -> Iterator[Event]:
        record = bytes(request.held)
        request.held.clear()
        yield from self._read_record(record)

    def _read_record(self, record: bytes) -> Iterator[Event]:
        record = record.strip(b"\r\n")
        if record in (b"", b"--"):
            return
        try:
            yield ParameterSeen(parse_parameter(record))
        except ParameterError as wrong:
            yield self._unreadable(record, str(wrong))


def _nothing(*_: object) -> Iterator[Event]:
    return iter(())


def _unanswered(request: Request) -> Iterator[Event]:
    if request.form.kind is not Kind.UNKNOWN and not request.refused:
        yield Unreadable(request.sender, request.text, "no reply to this request came")


def _spoil(request: Request) -> Iterator[Event]:
    # Its end is still waited for, so that the blocks up to there belong to it.
    del request.held[: -len(_DOCUMENT_END)]
    if not request.spoilt:
        request.spoilt = True
        yield Unreadable("boiler", request.text, "the reply to this request is too long")


def _broken_off(request: Request) -> Iterator[Event]:
    yield Unreadable(request.sender, request.text, "the reply to this request broke off")


def _errors(request: Request) -> Iterator[Event]:
    yield ActiveErrors(tuple(request.errors))


# Tables of the class, as each session has a reader.
_READERS: Mapping[Kind, Callable[[ReplyReader, Request, bytes], Iterator[Event]]] = {
    Kind.LOGIN_TOKEN: ReplyReader._read_token,
    Kind.GATEWAY: ReplyReader._accept_gateway,
    **dict.fromkeys(_ACCEPTED, ReplyReader._accept),
    **dict.fromkeys(_WORDS, ReplyReader._read_word),
    Kind.DESCRIPTOR: ReplyReader._read_descriptor,
    Kind.PARAMETERS_CHANGED: ReplyReader._read_parameters,
    Kind.PARAMETERS_ALL: ReplyReader._read_parameters,
    Kind.PARAMETER: ReplyReader._read_parameters,
    Kind.ERRORS: ReplyReader._read_errors,
    Kind.INFO: ReplyReader._read_fact,
    Kind.CLOCK: ReplyReader._read_clock,
    Kind.UPTIME: ReplyReader._read_uptime,
}
_CONCLUSIONS: Mapping[Kind, Callable[[ReplyReader, Request], Iterator[Event]]] = {
    Kind.ERRORS: lambda _reader, request: _errors(request),
    Kind.PARAMETERS_ALL: ReplyReader._read_held,
    Kind.DESCRIPTOR: lambda _reader, request: _broken_off(request),
    Kind.PARAMETERS_CHANGED: lambda _reader, request: _broken_off(request),
}
