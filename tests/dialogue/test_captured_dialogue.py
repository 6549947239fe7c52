"""Whole starts of a session: an invented one, and one that was captured at a real boiler."""

import json
from datetime import datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import (
    BoilerDescribed,
    ClockRead,
    Event,
    Identified,
    LoggedIn,
    Notice,
    ParameterSeen,
    TelemetryLine,
    UptimeRead,
)
from hargassner.dialogue.parameters import ChoiceParameter
from tests.shared import CAPTURED, INVENTED, shared_file

CHOICES = {
    "PR001": ("Mode", ("Manu", "Arr", "Ballon", "Auto", "Arr combustion")),
    "PR011": ("Zone 1 Mode", ("Arr", "Auto", "Réduire", "Confort", "1x Confort", "Refroid.")),
}


def seen(id_: str, value: int) -> ParameterSeen:
    """The event of one of the two parameters."""
    name, texts = CHOICES[id_]
    return ParameterSeen(ChoiceParameter(id_, name, value, texts, 1))


class DialogueCase(SynchronousTestCase):
    """The first seconds of a session."""

    def recording(self) -> Path:
        raise NotImplementedError

    def setUp(self) -> None:
        """Read the segments of the gateway's connection."""
        text = self.recording().read_text("utf-8")
        self.segments = [
            (step["from"], step["data"].encode("latin-1"))
            for step in json.loads(text)["steps"]
            if step.get("connection") == "gateway"
        ]

    def events(self, segments: list[tuple[str, bytes]]) -> tuple[list[Event], Dialogue]:
        """What the dialogue makes of segments, and the dialogue."""
        dialogue = Dialogue()
        events: list[Event] = []
        for who, data in segments:
            sent = dialogue.gateway_sent if who == "gateway" else dialogue.boiler_sent
            events += sent(data)
        return events, dialogue

    def told_in_any_segmentation(self) -> None:
        """Byte by byte and turn by turn the events are the same."""
        expected, _ = self.events(self.segments)
        bytewise = [(who, bytes([each])) for who, data in self.segments for each in data]
        turns: list[tuple[str, bytes]] = []
        for who, data in self.segments:
            if turns and turns[-1][0] == who:
                turns[-1] = (who, turns[-1][1] + data)
            else:
                turns.append((who, data))
        self.assertEqual(expected, self.events(bytewise)[0])
        self.assertEqual(expected, self.events(turns)[0])

    def told_without(self, *secrets: str) -> None:
        """They were said, and are in no event."""
        shown = repr(self.events(self.segments)[0])
        said = b"".join(data for _, data in self.segments)
        for secret in secrets:
            self.assertIn(secret.encode(), said)
            self.assertNotIn(secret, shown)


class InventedDialogueTests(DialogueCase):
    """One that everybody has."""

    def recording(self) -> Path:
        return INVENTED

    def test_gives_exactly_these_events(self) -> None:
        """Everything that was said is understood, and nothing is told twice."""
        events, dialogue = self.events(self.segments)
        [described] = [event for event in events if isinstance(event, BoilerDescribed)]
        descriptor = described.descriptor
        self.assertEqual((15, 7), (len(descriptor.analog), len(descriptor.digital)))
        self.assertEqual((15, 2), (descriptor.analog_values, descriptor.words))
        telemetry = [event for event in events if isinstance(event, TelemetryLine)]
        self.assertEqual([b"10.0", b"10.3", b"9.9"], [event.line.split()[2] for event in telemetry])
        self.assertEqual(
            events,
            [
                Notice("zclient login (4321)"),
                LoggedIn(),
                Identified("api_version", "1.0.1"),
                Identified("gateway_serial", "0076543"),
                described,
                telemetry[0],
                Identified("boot_version", "V2.18"),
                Identified("model", "Nano.2(.3) 20"),
                Identified("firmware", "V14.0x1"),
                Identified("io_firmware", "V1.2.9"),
                Identified("io_serial", "7000002"),
                Identified("controller_serial", "7000003"),
                UptimeRead(86461),
                telemetry[1],
                telemetry[2],
                ClockRead(datetime(2024, 2, 29, 6, 30, 15)),
                seen("PR001", 3),
                seen("PR011", 1),
            ],
        )
        self.assertEqual((), dialogue.open_requests)
        self.assertFalse(dialogue.gateway_midline or dialogue.boiler_midline)

    def test_gives_them_in_any_segmentation(self) -> None:
        self.told_in_any_segmentation()

    def test_tells_neither_token_nor_key(self) -> None:
        self.told_without("5EED5EED", "0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A")


class CapturedDialogueTests(DialogueCase):
    """One of a Nano-PK with firmware V14.0n3."""

    def recording(self) -> Path:
        return shared_file(CAPTURED)

    def test_gives_exactly_these_events(self) -> None:
        """Everything that was said is understood, and nothing is told twice."""
        events, dialogue = self.events(self.segments)

        # The long ones are looked at by themselves.
        [described] = [event for event in events if isinstance(event, BoilerDescribed)]
        descriptor = described.descriptor
        self.assertEqual(len(described.document), 9317 + len(b"\r\n"))
        self.assertTrue(described.document.endswith(b"</DIGITAL></DAQPRJ>\r\n"))
        self.assertEqual(parse_descriptor(described.document), descriptor)
        self.assertEqual((103, 109), (len(descriptor.analog), len(descriptor.digital)))
        self.assertEqual((103, 8), (descriptor.analog_values, descriptor.words))
        telemetry = [event for event in events if isinstance(event, TelemetryLine)]
        self.assertEqual([372, 374, 369], [len(event.line) for event in telemetry])
        self.assertEqual([112, 112, 112], [len(event.line.split()) for event in telemetry])
        self.assertEqual(
            [b"60.6", b"60.4", b"60.3"], [event.line.split()[6] for event in telemetry]
        )

        self.assertEqual(
            events,
            [
                Notice("zclient login (1234)"),
                LoggedIn(),
                Identified("api_version", "1.0.1"),
                Identified("gateway_serial", "0012345"),
                described,
                telemetry[0],
                Identified("boot_version", "V2.18"),
                Identified("model", "Nano.2(.3) 15"),
                Identified("firmware", "V14.0n3"),
                Identified("io_firmware", "V1.2.8"),
                Identified("io_serial", "2000002"),
                Identified("controller_serial", "2000003"),
                UptimeRead(666151),
                telemetry[1],
                telemetry[2],
                ClockRead(datetime(2023, 11, 12, 18, 32, 35)),
                seen("PR001", 1),
                seen("PR011", 0),
            ],
        )
        self.assertEqual((), dialogue.open_requests)
        self.assertFalse(dialogue.gateway_midline or dialogue.boiler_midline)

    def test_gives_them_in_any_segmentation(self) -> None:
        self.told_in_any_segmentation()

    def test_tells_neither_token_nor_key(self) -> None:
        self.told_without("0A1B2C3D", "1300112233445566778899AABBCCDDEEFF")
