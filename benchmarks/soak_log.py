"""What a bridge has seen and done in a session of soak_commands.py, in its own order."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zope.interface import implementer

from hargassner.proxy.observers import IExchangeObserver


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, at what time: a whole line was

    ``asked`` by the gateway or ``begun`` by the bridge: it went to the boiler;
    ``said``: it came from the boiler;
    ``passed`` to the gateway, or ``kept`` from it; of replies only.

    ``settled`` is the end of an exchange, without a line.
    """

    at: float
    what: str
    line: bytes = b""


class _Lines:
    """Bytes of one kind, which become entries line by line."""

    def __init__(self, entries: list[Entry], what: str, *, replies_only: bool = False) -> None:
        self._entries = entries
        self._what = what
        self._beginning = b"$" if replies_only else b""
        self._rest = b""

    def take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        now = time.monotonic()
        self._entries.extend(
            Entry(now, self._what, each) for each in lines if each.startswith(self._beginning)
        )


@implementer(IExchangeObserver)
class SessionLog:
    """Gathers the entries of one session: as its observer, and from the boiler's connection."""

    def __init__(self, session: Any) -> None:
        self.entries: list[Entry] = []
        self.kept = b""
        self.gateway_sent = _Lines(self.entries, "asked").take
        self.bridge_sent = _Lines(self.entries, "begun").take
        self.boiler_sent = _Lines(self.entries, "passed", replies_only=True).take
        self._kept = _Lines(self.entries, "kept", replies_only=True)
        session.on_settled(self._settled)

    def bridge_received(self, data: bytes) -> None:
        self.kept += data
        self._kept.take(data)

    def notice_follows(self, of_bridge: bool) -> None:
        """The result tells."""

    def over(self, reason: str) -> None:
        """The boiler tells."""

    def watch(self, protocol: Any) -> Any:
        """See what the boiler says on a connection before the bridge does."""
        said, taken = _Lines(self.entries, "said"), protocol.dataReceived

        def see(data: bytes) -> None:
            said.take(data)
            taken(data)

        protocol.dataReceived = see
        return protocol

    def _settled(self) -> None:
        self.entries.append(Entry(time.monotonic(), "settled"))

    def write(self, path: Path) -> None:
        """Write all of it down, a line for each entry."""
        lines = (f"{each.at:.3f} {each.what:7} {each.line!r}\n" for each in self.entries)
        path.write_text("".join(lines), "utf-8")
