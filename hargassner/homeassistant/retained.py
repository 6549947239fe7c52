"""What was left at the broker, remembered across restarts so that it can be cleared again."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from hargassner.homeassistant.entities import Json
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SnapshotFile


@dataclass(slots=True)
class Remembered:
    """What this life of the bridge and earlier ones have left at the broker.

    ``base`` is where its topics begin. ``states`` are the topics with a retained state.
    ``discovery`` is how entities were announced: ``device``, ``entity`` or ``off``;
    ``announcements`` are the topics on which they are, and ``components`` what was said of each,
    by its key. ``faults`` were active, by number and text.
    """

    base: str = ""
    states: list[str] = field(default_factory=list)
    discovery: str = "off"
    announcements: list[str] = field(default_factory=list)
    components: dict[str, Json] = field(default_factory=dict)
    faults: list[list[Any]] = field(default_factory=list)


def _read(data: bytes) -> Remembered:
    """What a file says.

    Raises:
        ValueError: it is damaged.
    """
    known = json.loads(data)
    if not isinstance(known, dict) or set(known) != {each.name for each in fields(Remembered)}:
        raise ValueError("it has other keys than expected")
    remembered = Remembered(**known)
    for each in fields(Remembered):
        if not isinstance(known[each.name], type(getattr(Remembered(), each.name))):
            raise ValueError(f"{each.name} is of another type than expected")
    if not all(isinstance(each, str) for each in remembered.states + remembered.announcements):
        raise ValueError("a topic is no text")
    for component in remembered.components.values():
        if not isinstance(component, dict) or not all(
            isinstance(component.get(each), str) for each in ("platform", "unique_id")
        ):
            raise ValueError("a component is none")
    return remembered


class BrokerMemory:
    """Keeps it in a file of the state directory.

    Args:
        directory: where.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
    """

    FILE = "broker.json"

    def __init__(
        self,
        directory: StateDirectory,
        clock: IReactorTime,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        self.known = Remembered()
        self._directory = directory
        self._file = SnapshotFile(directory, self.FILE, self._content, clock, in_thread)

    def recall(self) -> None:
        """Read what was remembered, which blocks for a moment; a damaged file is set aside."""
        data = self._directory.load(self.FILE)
        if data is None:
            return
        try:
            self.known = _read(data)
        except (ValueError, TypeError, RecursionError) as wrong:
            self._directory.set_aside(self.FILE, f"{type(wrong).__name__}: {wrong}")

    def changed(self) -> None:
        """Have what is known now written soon."""
        self._file.changed()

    def close(self) -> "Deferred[None]":
        """Write what is not written yet; the result comes when all is."""
        return self._file.close()

    def _content(self) -> bytes:
        return json.dumps(asdict(self.known), ensure_ascii=False).encode()
