"""What the bridge knows again after a restart."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.catalogue import Family
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import (
    Announced,
    BoilerDescribed,
    Identified,
    ParameterChanged,
    TelemetryLine,
)
from hargassner.discovery import Announcement, Devices, FoundGateway, ServiceList
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SAVE_AFTER
from hargassner.storage.snapshots import EQUIPMENT_FILE, IDENTITY_FILE, Found, Snapshots
from tests.doubles.documents import SMALL
from tests.telling import tell


def at_once(work: Any, *arguments: Any) -> Deferred[Any]:
    return maybeDeferred(work, *arguments)


class SnapshotsTests(SynchronousTestCase):
    """Two lives of a bridge with one state directory."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.live()

    def live(self) -> None:
        """Begin a life of the bridge."""
        self.clock = Clock()
        self.devices = Devices(self.clock)
        self.boiler = Boiler()
        directory = StateDirectory(self.path)
        self.snapshots = Snapshots(directory, self.devices, self.boiler, self.clock, at_once)
        self.snapshots.startService()

    def test_a_first_life_knows_nothing(self) -> None:
        self.assertIsNone(self.devices.gateway)
        self.assertIsNone(self.devices.boiler)
        self.assertIsNone(self.boiler.descriptor)

    def test_what_cannot_be_remembered_is_logged_and_no_more(self) -> None:
        """A thread that fails with something unforeseen harms nobody."""
        directory = StateDirectory(self.path)
        snapshots = Snapshots(
            directory, self.devices, self.boiler, Clock(), lambda *_: fail(ZeroDivisionError())
        )
        snapshots.save_descriptor(BoilerDescribed(SMALL, parse_descriptor(SMALL)))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_telemetry_is_understood_from_the_first_line_of_the_next_life(self) -> None:
        self.snapshots.save_descriptor(BoilerDescribed(SMALL, parse_descriptor(SMALL)))
        self.live()
        tell(self.boiler, TelemetryLine(b"pm 7 65.9 1 "), 1.0)
        self.assertEqual("65.9", self.boiler.channels["tk"].text)

    def test_the_gateway_and_the_boiler_are_known_in_the_next_life(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.devices.boiler_answered("198.51.100.2", ServiceList("HSV", "V14.0n3", "0BADCAFE"))
        self.snapshots.save_devices()
        self.successResultOf(self.snapshots.stopService())
        known = (self.devices.gateway, self.devices.boiler)
        self.live()
        self.assertEqual((self.devices.gateway, self.devices.boiler), known)
        self.assertEqual("198.51.100.2", self.successResultOf(self.devices.boiler_address(10)))

    def test_a_gateway_that_logged_in_is_trusted_in_the_next_life(self) -> None:
        """A stranger that announces itself after the restart does not take its place."""
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.devices.gateway_logged_in("192.0.2.7")
        self.snapshots.save_devices()
        self.successResultOf(self.snapshots.stopService())
        self.live()
        trusted = self.devices.trusted_gateway
        self.assertEqual(FoundGateway("192.0.2.7", Announcement("6.4.1", "0012345")), trusted)
        self.devices.gateway_announced("192.0.2.99", Announcement("6.4.1", "0099999"))
        self.assertEqual(self.devices.gateway, trusted)

    def test_the_file_reads_as_it_always_did(self) -> None:
        """An older bridge and a newer one know what the other has written."""
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.devices.boiler_answered("198.51.100.2", ServiceList("HSV", "V14.0n3", "0BADCAFE"))
        self.snapshots.save_devices()
        self.successResultOf(self.snapshots.stopService())
        self.assertEqual(
            {
                "gateway": {
                    "address": "192.0.2.7",
                    "software": "6.4.1",
                    "serial": "0012345",
                    "logged_in": False,
                },
                "boiler": {
                    "address": "198.51.100.2",
                    "model": "HSV",
                    "firmware": "V14.0n3",
                    "system_code": "0BADCAFE",
                },
            },
            json.loads((self.path / "neighbours.json").read_bytes()),
        )

    def test_one_that_only_announced_itself_is_not(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.snapshots.save_devices()
        self.successResultOf(self.snapshots.stopService())
        self.live()
        self.assertIsNone(self.devices.trusted_gateway)
        self.assertTrue(self.devices.may_be_gateway("192.0.2.7"))

    def test_one_of_them_alone_is_remembered_too(self) -> None:
        self.devices.boiler_answered("198.51.100.2", ServiceList("", "", ""))
        self.snapshots.save_devices()
        self.clock.advance(SAVE_AFTER)
        self.live()
        self.assertIsNone(self.devices.gateway)
        self.assertEqual("198.51.100.2", self.devices.boiler.address)

    def test_who_is_heard_again_is_not_written_again(self) -> None:
        """A storm of broadcasts costs the disk nothing, in this life or in the next."""
        answer = ("198.51.100.2", ServiceList("HSV", "V14.0n3", "0BADCAFE"))
        self.devices.boiler_answered(*answer)
        self.snapshots.save_devices()
        self.clock.advance(SAVE_AFTER)
        for _ in range(2):
            for _ in range(100):
                self.devices.boiler_answered(*answer)
                self.snapshots.save_devices()
            self.assertEqual([], self.clock.getDelayedCalls())
            self.live()

    def test_two_gateways_that_alternate_cost_a_writing_a_minute(self) -> None:
        """Each of the two files: who was found, and who the boiler and the gateway are."""
        written: list[str] = []

        def in_thread(_work: Any, name: str, *_: Any) -> Deferred[Any]:
            written.append(name)
            return succeed(None)

        directory = StateDirectory(self.path)
        snapshots = Snapshots(directory, self.devices, self.boiler, self.clock, in_thread)
        snapshots.startService()
        for second in range(600):
            serial = f"000{second % 2}"
            self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", serial))
            self.boiler.apply(Announced("192.0.2.7", "6.4.1", serial), float(second))
            snapshots.save_devices()
            self.clock.advance(1.0)
        self.assertEqual({"neighbours.json": 10, "identity.json": 10}, Counter(written))
        self.successResultOf(snapshots.stopService())

    def test_of_two_that_are_found_at_once_both_are_remembered(self) -> None:
        """Threads keep no order: what is written last must be what is known last."""
        works: list[Any] = []

        def in_thread(work: Any, *arguments: Any) -> Deferred[Any]:
            done: Deferred[Any] = Deferred()
            works.append(lambda: done.callback(work(*arguments)))
            return done

        directory = StateDirectory(self.path)
        snapshots = Snapshots(directory, self.devices, self.boiler, self.clock, in_thread)
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        snapshots.save_devices()
        self.devices.boiler_answered("198.51.100.2", ServiceList("", "", ""))
        snapshots.save_devices()
        self.clock.advance(SAVE_AFTER)
        while works:
            works.pop()()
        self.live()
        self.assertIsNotNone(self.devices.gateway)
        self.assertIsNotNone(self.devices.boiler)

    def test_who_the_boiler_is_is_known_in_the_next_life(self) -> None:
        """Its state codes mean the same from the first line on, without a new session."""
        self.boiler.apply(Identified("model", "Eco-HK 60"), 1.0)
        self.boiler.apply(Announced("192.0.2.7", "6.4.1", "0012345"), 1.0)
        self.successResultOf(self.snapshots.stopService())
        known = self.boiler.identity
        self.live()
        self.assertEqual(known, self.boiler.identity)
        self.assertIs(Family.CHIP, self.boiler.family)

    def test_what_the_boiler_has_is_known_in_the_next_life(self) -> None:
        """A circuit that rests for the summer is there in the autumn."""
        self.boiler.apply(ParameterChanged("PR013", "Zone 3", "Aus", "Auto"), 0.0)
        self.snapshots.stopService()
        self.live()
        self.assertEqual({"circuit_3"}, self.boiler.equipment.present)

    def test_damaged_equipment_is_set_aside(self) -> None:
        for damaged in (b"7", b"[7]", b"{}", b'{"groups": [7], "inputs": []}'):
            self.path.mkdir(exist_ok=True)
            (self.path / EQUIPMENT_FILE).write_bytes(damaged)
            self.live()
            self.assertFalse((self.path / EQUIPMENT_FILE).exists())

    def test_a_power_cut_costs_a_second_of_it(self) -> None:
        self.boiler.apply(Identified("model", "Eco-HK 60"), 1.0)
        self.clock.advance(SAVE_AFTER)
        self.live()
        self.assertEqual("Eco-HK 60", self.boiler.identity.model)

    def test_what_a_session_tells_counts_more(self) -> None:
        self.boiler.apply(Identified("model", "Eco-HK 60"), 1.0)
        self.clock.advance(SAVE_AFTER)
        self.live()
        self.boiler.apply(Identified("model", "HV 20"), 1.0)
        self.assertEqual("HV 20", self.boiler.identity.model)

    def test_a_damaged_identity_is_set_aside(self) -> None:
        for damaged in (b"", b"{", b"[]", b'{"model": 7}', b"7"):
            StateDirectory(self.path).save(IDENTITY_FILE, damaged)
            self.live()
            self.assertEqual("", self.boiler.identity.model)
            self.assertFalse((self.path / IDENTITY_FILE).exists(), damaged)

    def test_a_damaged_file_is_set_aside_and_lived_without(self) -> None:
        for damaged in (
            b"",
            b"{",
            b"[]",
            b'{"gateway": {"address": "nowhere"}}',
            b'{"boiler": 7}',
            b'{"boiler": 0}',
            b"[" * 99_999,
        ):
            directory = StateDirectory(self.path)
            directory.save(Found.FILE, damaged)
            self.live()
            self.assertIsNone(self.devices.gateway)
            self.assertFalse((self.path / Found.FILE).exists(), damaged)
