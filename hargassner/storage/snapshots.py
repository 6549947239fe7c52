"""What the bridge knows across a restart: the boiler's descriptor, who was found, and who it is.

The gateway broadcasts only before a new dialogue, and the boiler answers, describes itself and says
who it is only then.  After a restart in between, the gateway may still connect, and the boiler be
read and understood; the next dialogue replaces what is remembered.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.boiler.model import Boiler, BoilerObserver, Identity
from hargassner.dialogue.events import BoilerDescribed, Identified
from hargassner.discovery import (
    Announcement,
    Devices,
    FoundBoiler,
    FoundGateway,
    ServiceList,
)
from hargassner.services import Service
from hargassner.storage.directory import DescriptorCache, StateDirectory
from hargassner.storage.file import KeptFile

log = Logger()

SAVE_EVERY = 60.0
"""Seconds between two writings of a file at least: who was found changes at a stranger's word."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who was found: the gateway, whether it had logged in and is trusted, and the boiler."""

    gateway: FoundGateway | None = None
    logged_in: bool = False
    boiler: FoundBoiler | None = None

    @classmethod
    def of(cls, devices: Devices) -> "Found":
        """Who is to be remembered: the trusted gateway, else the candidate that is shown."""
        trusted = devices.trusted_gateway
        return cls(trusted or devices.gateway, trusted is not None, devices.boiler)


class DevicesSnapshot:
    """The gateway and the boiler that were found last.

    Like everything of the state directory it blocks for as long as the disk takes.
    """

    FILE = "neighbours.json"

    def __init__(self, directory: StateDirectory) -> None:
        self._directory = directory

    def recall(self) -> Found:
        """What was remembered; a damaged file is set aside."""
        data = self._directory.load(self.FILE)
        if data is None:
            return Found()
        try:
            known = json.loads(data)
            gateway, boiler = known.get("gateway"), known.get("boiler")
            found_gateway = found_boiler = None
            logged_in = False
            if gateway is not None:
                found_gateway = FoundGateway(
                    str(IPv4Address(gateway["address"])),
                    Announcement(str(gateway["software"]), str(gateway["serial"])),
                )
                logged_in = gateway.get("logged_in") is True
            if boiler is not None:
                found_boiler = FoundBoiler(
                    str(IPv4Address(boiler["address"])),
                    ServiceList(
                        str(boiler["model"]), str(boiler["firmware"]), str(boiler["system_code"])
                    ),
                )
            return Found(found_gateway, logged_in, found_boiler)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            self._directory.set_aside(self.FILE, f"{type(wrong).__name__}: {wrong}")
            return Found()


def _devices_file(found: Found) -> bytes:
    known: dict[str, dict[str, str | bool]] = {}
    if found.gateway is not None:
        known["gateway"] = {
            "address": found.gateway.address,
            "software": found.gateway.announcement.software,
            "serial": found.gateway.announcement.serial,
            "logged_in": found.logged_in,
        }
    if found.boiler is not None:
        known["boiler"] = {
            "address": found.boiler.address,
            "model": found.boiler.services.model,
            "firmware": found.boiler.services.firmware,
            "system_code": found.boiler.services.system_code,
        }
    return json.dumps(known, indent=1).encode()


class IdentityCache:
    """Who the boiler and the gateway said they are.

    Like everything of the state directory it blocks for as long as the disk takes.
    """

    FILE = "identity.json"

    def __init__(self, directory: StateDirectory) -> None:
        self._directory = directory

    def recall(self) -> list[Identified]:
        """What was remembered, as the events that told of it; a damaged file is set aside."""
        data = self._directory.load(self.FILE)
        if data is None:
            return []
        try:
            known = json.loads(data)
            if not all(isinstance(each, str) for each in known.values()):
                raise ValueError("a fact is no text")
        except (ValueError, AttributeError, RecursionError) as wrong:
            self._directory.set_aside(self.FILE, f"{type(wrong).__name__}: {wrong}")
            return []
        return [Identified(name, value) for name, value in known.items() if value]


class Memory(Service, BoilerObserver):
    """Recalls at the start what the bridge knew when it stopped, and remembers what changes.

    Args:
        directory: where it is kept.
        devices: who was found.
        boiler: the model, to be told of the remembered descriptor.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
    """

    name = "memory"

    def __init__(
        self,
        directory: StateDirectory,
        devices: Devices,
        boiler: Boiler,
        clock: IReactorTime,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        self._descriptors = DescriptorCache(directory)
        self._found = DevicesSnapshot(directory)
        self._identities = IdentityCache(directory)
        self._identity = KeptFile(
            directory,
            IdentityCache.FILE,
            lambda: json.dumps(asdict(boiler.identity), indent=1).encode(),
            clock,
            in_thread,
            SAVE_EVERY,
        )
        self._devices_file = KeptFile(
            directory,
            DevicesSnapshot.FILE,
            lambda: _devices_file(Found.of(devices)),
            clock,
            in_thread,
            SAVE_EVERY,
        )
        self._remembered = Found()
        self._devices = devices
        self._boiler = boiler
        self._clock = clock
        self._in_thread = in_thread
        self._stop_observing: Callable[[], None] = lambda: None

    def startService(self) -> None:
        """Recall; it blocks for a moment, and nothing waits yet."""
        super().startService()
        now = self._clock.seconds()
        for identified in self._identities.recall():
            self._boiler.apply(identified, now)
        described = self._descriptors.recall()
        if described is not None:
            self._boiler.apply(described, now)
        found = self._remembered = self._found.recall()
        self._devices.recall(found.gateway, found.boiler, logged_in=found.logged_in)
        self._stop_observing = self._boiler.observe(self)

    def stopService(self) -> "Deferred[None]":
        """Remember what is not written yet."""
        super().stopService()
        self._stop_observing()
        closed = self._identity.close()
        return closed.addCallback(lambda _: self._devices_file.close())

    def identity_changed(self, identity: Identity) -> None:
        """Keep who the boiler and the gateway are."""
        self._identity.changed()

    def remember_descriptor(self, described: BoilerDescribed) -> None:
        """Keep the descriptor that the boiler sent."""
        self._in_thread(self._descriptors.remember, described.document).addErrback(_failed)

    def remember_devices(self) -> None:
        """Keep who was found; they say so again and again, and are mostly the same."""
        found = Found.of(self._devices)
        if found != self._remembered:
            self._remembered = found
            self._devices_file.changed()


def _failed(why: Failure) -> None:
    log.failure("remembering failed", why)
