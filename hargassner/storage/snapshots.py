"""What the bridge knows across a restart: the boiler's descriptor, who was found, and who it is.

So is what the boiler has shown to have, circuits and tanks, which may rest for months.

The gateway broadcasts only before a new dialogue, and the boiler answers, describes itself and says
who it is only then.  After a restart in between, the gateway may still connect, and the boiler be
read and understood; the next dialogue replaces what was loaded.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.boiler.equipment import Proven
from hargassner.boiler.model import Boiler, BoilerObserver, Identity
from hargassner.dialogue.descriptor import DescriptorError, parse_descriptor
from hargassner.dialogue.events import BoilerDescribed, Described, Identified
from hargassner.dialogue.origin import Origin, Source
from hargassner.discovery import (
    Announcement,
    Devices,
    FoundBoiler,
    FoundGateway,
    ServiceList,
)
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SnapshotFile, json_bytes

log = Logger()

SAVE_EVERY = 60.0
"""Seconds between two writings of a file at least: who was found changes at a stranger's word."""


class DescriptorSnapshot:
    """The boiler's last descriptor, so that after a restart the first telemetry line is understood.

    The file is the document as the boiler sent it, which other tools can read too; it is checked
    by parsing it. Everything here blocks for as long as the disk takes.
    """

    FILE = "descriptor.xml"

    def __init__(self, directory: StateDirectory) -> None:
        self._directory = directory

    def save(self, document: bytes) -> None:
        """Keep a descriptor in place of the one before.

        The boiler sends it at every login, so that one that is there already is not written again.
        """
        if self._directory.load(self.FILE) != document:
            self._directory.save(self.FILE, document)

    def load(self) -> BoilerDescribed | None:
        """The descriptor that was saved, as the event that it was.

        None if there is none, or if it is damaged; a damaged one is set aside.
        """
        document = self._directory.load(self.FILE)
        if document is None:
            return None
        try:
            return BoilerDescribed(document, parse_descriptor(document))
        except DescriptorError as wrong:
            self._directory.set_aside(self.FILE, str(wrong))
            return None


@dataclass(frozen=True, slots=True)
class Found:
    """Who was found: the gateway, whether it had logged in and is trusted, and the boiler."""

    FILE = "neighbours.json"

    gateway: FoundGateway | None = None
    logged_in: bool = False
    boiler: FoundBoiler | None = None

    @classmethod
    def of(cls, devices: Devices) -> "Found":
        """Who is to be saved: the trusted gateway, else the candidate that is shown."""
        trusted = devices.trusted_gateway
        return cls(trusted or devices.gateway, trusted is not None, devices.boiler)

    @classmethod
    def of_json(cls, known: Any) -> "Found":
        """Who a file names.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is damaged.
        """
        gateway = known.get("gateway", {})
        return cls(
            _gateway_of_json(gateway) if "gateway" in known else None,
            gateway.get("logged_in") is True,
            _boiler_of_json(known["boiler"]) if "boiler" in known else None,
        )

    def json(self) -> dict[str, dict[str, str | bool]]:
        """What the file has."""
        known: dict[str, dict[str, str | bool]] = {}
        if self.gateway is not None:
            known["gateway"] = {
                "address": self.gateway.address,
                **asdict(self.gateway.announcement),
                "logged_in": self.logged_in,
            }
        if self.boiler is not None:
            known["boiler"] = {"address": self.boiler.address, **asdict(self.boiler.services)}
        return known


def _gateway_of_json(known: Any) -> FoundGateway:
    announcement = Announcement(str(known["software"]), str(known["serial"]))
    return FoundGateway(str(IPv4Address(known["address"])), announcement)


def _boiler_of_json(known: Any) -> FoundBoiler:
    services = ServiceList(str(known["model"]), str(known["firmware"]), str(known["system_code"]))
    return FoundBoiler(str(IPv4Address(known["address"])), services)


IDENTITY_FILE = "identity.json"
"""Who the boiler and the gateway said they are."""


EQUIPMENT_FILE = "equipment.json"
"""Which circuits, tanks, sensors and the like have shown that they exist."""


def equipment_of_json(known: Any) -> Proven:
    """What a file says to exist.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    return Proven(_texts(known["groups"]), _texts(known["inputs"]))


def _texts(known: Any) -> frozenset[str]:
    if not isinstance(known, list):
        raise ValueError("not a list of texts")
    _check_texts(known)
    return frozenset(known)


def _check_texts(values: Iterable[Any]) -> None:
    if not all(isinstance(each, str) for each in values):
        raise ValueError("a fact is no text")


def identity_of_json(known: Any) -> list[Identified]:
    """What a file says of the boiler and the gateway, as the events that it was.

    Raises:
        ValueError, AttributeError: it is damaged.
    """
    _check_texts(known.values())
    return [Identified(name, value) for name, value in known.items() if value]


class Snapshots(Service, BoilerObserver):
    """Loads at the start what the bridge knew when it stopped, and saves what changes.

    Args:
        directory: where the files are.
        devices: who was found.
        boiler: the model, which gets the saved descriptor and identity.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
    """

    name = "snapshots"

    def __init__(
        self,
        directory: StateDirectory,
        devices: Devices,
        boiler: Boiler,
        clock: IReactorTime,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        def file(name: str, content: Callable[[], object]) -> SnapshotFile:
            return SnapshotFile(
                directory, name, lambda: json_bytes(content()), clock, in_thread, SAVE_EVERY
            )

        self._descriptor = DescriptorSnapshot(directory)
        self._identity = file(IDENTITY_FILE, lambda: asdict(boiler.identity))
        self._equipment = file(EQUIPMENT_FILE, lambda: _equipment(boiler))
        self._found = file(Found.FILE, lambda: Found.of(devices).json())
        self._last_found = Found()
        self._devices = devices
        self._boiler = boiler
        self._clock = clock
        self._in_thread = in_thread
        self._stop_observing: Callable[[], None] = lambda: None

    def startService(self) -> None:
        """Load; it blocks for a moment, and nothing waits yet."""
        super().startService()
        now = self._clock.seconds()
        nothing: list[Identified] = []
        for identified in self._identity.load(identity_of_json, nothing):
            self._boiler.apply(identified, now)
        self._boiler.equipment.add(self._equipment.load(equipment_of_json, Proven()))
        described = self._descriptor.load()
        if described is not None:
            self._boiler.apply(Described(described.descriptor, Origin(Source.REMEMBERED)), now)
        found = self._last_found = self._found.load(Found.of_json, Found())
        self._devices.recall(found.gateway, found.boiler, logged_in=found.logged_in)
        self._stop_observing = self._boiler.observe(self)

    def stopService(self) -> "Deferred[None]":
        """Save what is not written yet; the result comes when it is."""
        super().stopService()
        self._stop_observing()
        closed = self._identity.close()
        closed.addCallback(lambda _: self._equipment.close())
        return closed.addCallback(lambda _: self._found.close())

    def identity_changed(self, identity: Identity) -> None:
        """Save who the boiler and the gateway are."""
        self._identity.changed()

    def equipment_changed(self, proven: Proven) -> None:
        """Save what exists."""
        self._equipment.changed()

    def save_descriptor(self, described: BoilerDescribed) -> None:
        """Save the descriptor that the boiler sent."""
        self._in_thread(self._descriptor.save, described.document).addErrback(_failed)

    def save_devices(self) -> None:
        """Save who was found; they announce themselves again and again, and mostly the same."""
        found = Found.of(self._devices)
        if found != self._last_found:
            self._last_found = found
            self._found.changed()


def _equipment(boiler: Boiler) -> dict[str, list[str]]:
    proven = boiler.equipment.proven
    return {"groups": sorted(proven.groups), "inputs": sorted(proven.inputs)}


def _failed(why: Failure) -> None:
    log.failure("remembering failed", why)
