"""What the open pages have not been sent yet, as events in each language."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from twisted.logger import Logger

from hargassner import __version__
from hargassner.boiler.model import BoilerObserver, Channel, Setting
from hargassner.clock import dates
from hargassner.monitor.traffic_log import DialogueLine, JournalLine
from hargassner.parts import Parts
from hargassner.web.document import Date, Json, channel_picture, setting_picture

log = Logger()

Picture = Callable[[str, Date], dict[str, Json]]
"""What is compared as a whole, in a language: all but the channels and the parameters."""

LINES_SENT = 200
"""Lines of dialogue and of log at the beginning, each, and in one change together."""


class Changes(BoilerObserver):
    """Collects what changes between two events.

    Args:
        parts: have the model, the lines of dialogue and log, and the time.
        picture: gives everything else.
        needed: whether a page is open; without one nothing is collected.
    """

    def __init__(self, parts: Parts, picture: Picture, needed: Callable[[], bool]) -> None:
        self._boiler = parts.boiler
        self._journal = parts.journal
        self._clock = parts.clock
        self._whole = picture
        self._needed = needed
        self._date = dates(parts.clock)
        self._sent: dict[str, dict[str, Json]] = {}
        self._stale: dict[str, Channel | Setting | None] = {}
        self._lines: deque[JournalLine] = deque(maxlen=LINES_SENT)
        self._stops: list[Callable[[], None]] = []

    def start(self) -> None:
        """Observe the model and the lines."""
        self._stops = [self._boiler.observe(self), self._journal.on_line(self._add_line)]

    def stop(self) -> None:
        """Observe nothing any more."""
        for stop in self._stops:
            stop()

    # What happens meanwhile.

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """Other channels than before."""
        if self._needed():
            self._stale |= dict.fromkeys(map(_key, gone))
            self._stale |= zip(map(_key, channels), channels, strict=True)

    def channels_changed(self, channels: Sequence[Channel]) -> None:
        """Channels show something else."""
        if self._needed():
            self._stale |= zip(map(_key, channels), channels, strict=True)

    def setting_changed(self, setting: Setting) -> None:
        """A parameter is set otherwise."""
        if self._needed():
            self._stale[_key(setting)] = setting

    def _add_line(self, line: JournalLine) -> None:
        if self._needed():
            self._lines.append(line)

    # Events.

    def follow_wall_clock(self) -> bool:
        """Make dates by the wall clock as it is set now; whether it was set meanwhile."""
        date = dates(self._clock)
        was_set = date(0.0) != self._date(0.0)
        self._date = date
        return was_set

    def collected(self, languages: Iterable[str]) -> dict[str, bytes]:
        """The event of what changed since the last call, in each language; empty if nothing did."""
        stale, self._stale = self._stale, {}
        lines = [_line_picture(each, self._date) for each in self._lines]
        self._lines.clear()
        self._sent = {each: self._sent.get(each, {}) for each in languages}
        changes = {}
        for language in self._sent:
            with log.failuresHandled("reckoning what changed for the open pages"):
                changes[language] = self._change(language, stale, lines)
        return changes

    def _change(
        self,
        language: str,
        stale: Mapping[str, Channel | Setting | None],
        lines: Sequence[Json],
    ) -> bytes:
        values = self._changed(language)
        values |= {key: self._picture(thing, language) for key, thing in stale.items()}
        return self._event("change", values=values, lines=lines) if values or lines else b""

    def _changed(self, language: str) -> dict[str, Json]:
        """What is compared as a whole, and is something else than what was sent."""
        sent, small = self._sent[language], self._whole(language, self._date)
        self._sent[language] = small
        return {key: value for key, value in small.items() if sent.get(key) != value}

    def state(self, language: str) -> bytes:
        """The event of everything."""
        values = self._whole(language, self._date)
        everything: tuple[Channel | Setting, ...] = (
            *self._boiler.channels.values(),
            *self._boiler.settings.values(),
        )
        values |= {_key(each): self._picture(each, language) for each in everything}
        return self._event("state", version=__version__, values=values, lines=self._last_lines())

    def alive(self) -> bytes:
        """The event that shows that the stream is alive."""
        return self._event("alive")

    def _last_lines(self) -> list[Json]:
        newest: list[JournalLine] = [*self._journal.dialogue[-LINES_SENT:]]
        newest += self._journal.lines[-LINES_SENT:]
        # What waits for the next change is sent then.
        waiting = {id(each) for each in self._lines}
        return [_line_picture(each, self._date) for each in newest if id(each) not in waiting]

    def _picture(self, thing: Channel | Setting | None, language: str) -> Json:
        match thing:
            case Channel():
                return channel_picture(self._boiler, thing, language, self._date)
            case Setting():
                return setting_picture(thing, language, self._date)
        return None

    def _event(self, name: str, **fields: Json) -> bytes:
        now = self._date(self._clock.seconds())
        data = json.dumps({"now": now, **fields}, separators=(",", ":"))
        return f"event: {name}\ndata: {data}\n\n".encode()


def _key(thing: Channel | Setting) -> str:
    """What a channel or a parameter is called in an event."""
    return f"channel/{thing.object}" if isinstance(thing, Channel) else f"setting/{thing.id}"


def _line_picture(line: JournalLine, date: Date) -> Json:
    """One line; a page shows dialogue and log apart, so that each is in its own order."""
    if isinstance(line, DialogueLine):
        return {
            "kind": "dialogue",
            "at": date(line.at),
            "from": line.direction,
            "session": line.session,
            "text": line.text,
        }
    return {"kind": "log", "at": date(line.at), "level": line.level, "text": line.text}
