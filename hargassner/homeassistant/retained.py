"""What is retained at the broker, in a file across restarts so that it can be cleared again."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from hargassner.homeassistant.entities import Json
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SnapshotFile


@dataclass(slots=True)
class Retained:
    """What this life of the bridge and earlier ones have left at the broker.

    ``base`` is where its topics begin. ``states`` are the topics with a retained state.
    ``discovery`` is how entities were announced: ``device``, ``entity`` or ``off``;
    ``announcements`` are the topics on which they are, and ``components`` the payload of each, by
    its key. ``entities`` is which of them were enabled: ``standard`` or ``all``. ``faults`` were
    active, by number and text.
    """

    base: str = ""
    states: list[str] = field(default_factory=list)
    discovery: str = "off"
    entities: str = ""
    announcements: list[str] = field(default_factory=list)
    components: dict[str, Json] = field(default_factory=dict)
    faults: list[list[Any]] = field(default_factory=list)


def _read(known: Any) -> Retained:
    """The content of a file.

    Raises:
        ValueError: it is damaged.
    """
    _check_types(known, asdict(Retained()))
    retained = Retained(**known)
    if not all(isinstance(each, str) for each in retained.states + retained.announcements):
        raise ValueError("a topic is no text")
    if not all(map(_is_component, retained.components.values())):
        raise ValueError("a component is none")
    return retained


def _check_types(known: Any, expected: dict[str, Any]) -> None:
    """Raise ``ValueError`` unless all keys are there, with values of these values' types."""
    if not isinstance(known, dict) or known.keys() != expected.keys():
        raise ValueError("it has other keys than expected")
    for key, value in expected.items():
        if not isinstance(known[key], type(value)):
            raise ValueError(f"{key} is of another type than expected")


def _is_component(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(each), str) for each in ("platform", "unique_id")
    )


class RetainedSnapshot:
    """What was left, and the file of the state directory in which it is.

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
        self.known = Retained()
        self._file = SnapshotFile(directory, self.FILE, self._content, clock, in_thread)

    def load(self) -> None:
        """Read the file, which blocks for a moment; a damaged file is set aside."""
        self.known = self._file.load(_read, self.known)

    def changed(self) -> None:
        """Have what is known now written soon."""
        self._file.changed()

    def close(self) -> "Deferred[None]":
        """Write what is not written yet; the result comes when all is."""
        return self._file.close()

    def _content(self) -> bytes:
        return json.dumps(asdict(self.known), ensure_ascii=False).encode()
