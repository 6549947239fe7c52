"""The command ``hargassner decode``."""

import argparse
import csv
import io
import json
import os
import sys
from itertools import islice
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli import decode
from hargassner.dialogue.descriptor import MOST_CHANNELS
from hargassner.monitor.layouts import known_layouts
from tests.doubles.lines import lines_of
from tests.shared import INVENTED, session_starts

DOCUMENT = """<DAQPRJ><ANALOG>
<CHANNEL id='0' name='ZK' dop='0'/><CHANNEL id='1' name='TK' unit='°C'/>
</ANALOG><DIGITAL><CHANNEL id='0' bit='3' name='Störung'/></DIGITAL></DAQPRJ>""".encode("latin-1")

LINES = b"pm 7 65.70 8 \r\nzPuffer Aus\r\npm 7 65.70 8 \r\npm 7 66.00 0 \r\n"

SD_CARD = (
    b"<HISDAQ-V0.1;COMPRESSION(TOKEN-ESC(4B, 0x10, 6, 13, 13))>\r\n"
    + DOCUMENT.replace(b"\n", b"")
    + b"\r\n2019-10-07_16:52:01 KT=Nano.2 25\r\n2019-10-07_16:52:02 pm 7 65.70 8 \r\n"
)


def recording(*segments: tuple[float, str, bytes]) -> bytes:
    """A recorded session of these segments: time, sender and bytes."""
    lines: list[dict[str, object]] = [{"format": "hargassner-recording", "version": 1}]
    for time, direction, data in segments:
        lines.append({"time": time, "direction": direction, "data": data.decode("latin-1")})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


SESSION = recording(
    (0.5, "boiler", b"pm 1 20.00 0 \r\n"),
    (1.0, "gateway", b"$daq desc\r\n"),
    (1.5, "boiler", b"$<<" + DOCUMENT + b"\r\n>>\r\n"),
    (2.0, "boiler", b"pm 7 65.7"),
    (2.25, "boiler", b"0 8 \r\n"),
)


class Terminal(io.StringIO):
    """An output that somebody looks at."""

    def isatty(self) -> bool:
        return True


class DecodeTests(SynchronousTestCase):
    """The command reads a descriptor and lines and prints what they mean."""

    def setUp(self) -> None:
        """A folder for files, and nothing printed yet."""
        self.output = io.StringIO
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.patch(os, "environ", {"LANG": "C.UTF-8"})
        self.parser = argparse.ArgumentParser()
        decode.configure(self.parser)

    def file(self, name: str, content: bytes) -> str:
        """Make a file; its path."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def run_command(self, *arguments: str, status: int = 0, given: bytes = b"") -> tuple[str, str]:
        """Run it with standard input given; what it printed, and its complaints."""
        out, complaints = self.output(), io.StringIO()
        self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", complaints)
        self.assertEqual(decode.run(self.parser.parse_args(arguments)), status)
        return out.getvalue(), complaints.getvalue()

    def test_the_table_shows_everything_and_then_changes(self) -> None:
        """Channel, name, value and unit; a line without change is left out."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, complaints = self.run_command("--descriptor", descriptor, self.file("l", LINES))
        self.assertEqual(
            [
                ["line", "1"],
                ["channel", "name", "value", "unit"],
                ["zk", "ZK", "7", "full", "combustion"],
                ["tk", "TK", "65.70", "°C"],
                ["stoerung", "Störung", "ON"],
                ["line", "3"],
                ["tk", "TK", "66.00", "°C"],
                ["stoerung", "Störung", "OFF"],
            ],
            [line.split() for line in printed.splitlines()],
        )
        self.assertEqual("", complaints)

    def test_a_state_is_told_in_the_language_of_the_environment(self) -> None:
        """Beside its code, which stays."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        for language, words in (
            ("C", "full combustion"),
            ("de_AT.UTF-8", "Leistungsbrand"),
            ("fr_FR.UTF-8", "combustion"),
        ):
            self.patch(os, "environ", {"LANG": language})
            printed, _ = self.run_command("--descriptor", descriptor, given=LINES)
            [row] = [line for line in printed.splitlines() if " ZK " in line]
            self.assertRegex(row, rf" 7  {words}")

    def test_a_terminal_gets_colours_unless_its_owner_wants_none(self) -> None:
        descriptor = self.file("boiler.xml", DOCUMENT)
        self.output = Terminal
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            self.patch(os, "environ", environment)
            printed, _ = self.run_command("--descriptor", descriptor, given=LINES)
            self.assertEqual("\x1b[" in printed, coloured)

    def test_a_descriptor_in_utf8_needs_no_declaration(self) -> None:
        """As somebody's editor saved it."""
        latin = self.file("latin.xml", DOCUMENT)
        utf8 = self.file("utf8.xml", DOCUMENT.decode("latin-1").encode())
        for descriptor in (latin, utf8):
            printed, _ = self.run_command("--descriptor", descriptor, given=LINES)
            self.assertIn("Störung", printed)

    def test_a_descriptor_with_too_many_channels_is_told(self) -> None:
        """What is left out is said, and the others are shown."""
        channels = "<CHANNEL id='0' name='TK'/>" * (MOST_CHANNELS + 1)
        document = f"<DAQPRJ><ANALOG>{channels}</ANALOG></DAQPRJ>".encode()
        descriptor = self.file("many.xml", document)
        printed, complaint = self.run_command("--descriptor", descriptor, given=b"pm 7\r\n")
        self.assertIn("tk_2 ", printed)
        self.assertEqual(
            f"hargassner decode: {descriptor}: only the first 4096 channels are taken\n", complaint
        )

    def test_lines_come_from_standard_input(self) -> None:
        """Without a file, or with a dash for it, whatever its line ends."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, _ = self.run_command("--descriptor", descriptor, given=LINES)
        self.assertIn("66.00", printed)
        again, _ = self.run_command(
            "--descriptor", descriptor, "-", given=LINES.replace(b"\r\n", b"\n")
        )
        self.assertEqual(again, printed)

    def test_json_has_an_object_a_line(self) -> None:
        """With every channel each time, and with the boiler's own decimals."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, _ = self.run_command("--descriptor", descriptor, "--json", given=LINES)
        self.assertEqual(
            [
                '{"zk": 7, "tk": 65.70, "stoerung": true}',
                '{"zk": 7, "tk": 65.70, "stoerung": true}',
                '{"zk": 7, "tk": 66.00, "stoerung": false}',
            ],
            printed.splitlines(),
        )

    def test_json_is_json_whatever_the_value(self) -> None:
        """What is no number is null, and zeros in front are left out."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, _ = self.run_command(
            "--descriptor", descriptor, "--json", given=b"pm 007 x G \npm -0 -00.50 0 \n"
        )
        self.assertEqual(
            [
                {"zk": 7, "tk": None, "stoerung": None},
                {"zk": 0, "tk": -0.5, "stoerung": False},
            ],
            [json.loads(line) for line in printed.splitlines()],
        )

    def test_csv_has_a_row_a_line(self) -> None:
        """After a header; what is not known is empty."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, _ = self.run_command(
            "--descriptor", descriptor, "--csv", given=LINES + b"pm 7 x 8 \r\n"
        )
        self.assertEqual(
            [
                ["zk", "tk", "stoerung"],
                ["7", "65.70", "ON"],
                ["7", "65.70", "ON"],
                ["7", "66.00", "OFF"],
                ["7", "", "ON"],
            ],
            list(csv.reader(io.StringIO(printed))),
        )

    def test_an_sd_card_recording_has_both(self) -> None:
        """Its own descriptor and lines, with the boiler's time."""
        printed, _ = self.run_command("--descriptor", self.file("DAQ00001.DAQ", SD_CARD), "--json")
        self.assertEqual(
            '{"time": "2019-10-07 16:52:02", "zk": 7, "tk": 65.70, "stoerung": true}\n',
            printed,
        )

    def test_a_recorded_session_has_both(self) -> None:
        """Also the lines before the descriptor, with the seconds since its start."""
        printed, _ = self.run_command("--descriptor", self.file("s.jsonl", SESSION), "--csv")
        self.assertEqual(
            ["time,zk,tk,stoerung", "0.500,1,20.00,OFF", "2.250,7,65.70,ON"],
            printed.splitlines(),
        )

    def test_a_recording_can_be_one_of_the_two(self) -> None:
        """Its descriptor for other lines, or its lines by another descriptor."""
        plain = self.file("boiler.xml", DOCUMENT)
        session = self.file("s.jsonl", SESSION)
        by_session, _ = self.run_command("--descriptor", session, "--json", "-", given=LINES)
        by_plain, _ = self.run_command("--descriptor", plain, "--json", given=LINES)
        self.assertEqual(by_session, by_plain)
        of_session, _ = self.run_command("--descriptor", plain, "--csv", session)
        self.assertIn("2.250,7,65.70,ON", of_session)
        of_card, _ = self.run_command("--descriptor", plain, "--csv", self.file("d", SD_CARD))
        self.assertIn("2019-10-07 16:52:02,7,65.70,ON", of_card)

    def test_without_a_descriptor_the_layout_is_recognised(self) -> None:
        """And all lines are decoded, those too by which it was."""
        known = next(each for each in known_layouts() if each.name == "V14.0n")
        lines = b"".join(line + b"\r\n" for line in islice(lines_of(known.descriptor, 1), 40))
        printed, complaints = self.run_command("--json", given=lines)
        self.assertEqual(40, len(printed.splitlines()))
        self.assertIn("recognised as V14.0n (as published by", complaints)
        self.assertNotIn("null", printed)

    def test_a_recording_of_the_boilers_describes_itself(self) -> None:
        """Nothing has to be recognised."""
        printed, complaints = self.run_command("--csv", self.file("d", SD_CARD))
        self.assertIn("2019-10-07 16:52:02,7,65.70,ON", printed)
        self.assertEqual("", complaints)

    def test_what_is_not_recognised_is_said(self) -> None:
        """With what can be done; and that it takes some lines."""
        for count, said in ((1, "1 lines; it takes 30"), (80, "not recognised: 213 values")):
            given = (b"pm " + b"7 " * 205 + b"0 " * 8 + b"\n") * count
            printed, complaints = self.run_command(given=given, status=1)
            self.assertEqual("", printed)
            self.assertIn(said, complaints)

    def test_hidden_places_are_passed_over(self) -> None:
        """As the owner names them."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, complaints = self.run_command(
            "--descriptor", descriptor, "--json", "--hidden", "0,2", given=b"pm 99 7 98 65.70 8 \n"
        )
        self.assertEqual('{"zk": 7, "tk": 65.70, "stoerung": true}\n', printed)
        self.assertEqual("", complaints)

    def test_hidden_places_that_are_found_are_said(self) -> None:
        """Once, with the line from which on they are known."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        given = b"pm 7 65.5 65.70 8 \n" * 3
        _, complaints = self.run_command("--descriptor", descriptor, "--json", given=given)
        self.assertIn("line 1 on, hidden values at the places 2\n", complaints)

    def test_hidden_places_that_are_not_used_are_said(self) -> None:
        """A line that fits without them shows everything."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, complaints = self.run_command(
            "--descriptor", descriptor, "--json", "--hidden", "1,9", given=b"pm 7 65.70 8 \n" * 3
        )
        self.assertIn('"tk": 65.70', printed)
        self.assertEqual(1, len(complaints.splitlines()))
        self.assertIn("--hidden 1: not used", complaints)
        self.assertIn("--hidden 9: not used, behind the analog values", complaints)

    def test_lines_that_do_not_fit_are_said_once(self) -> None:
        """With both lengths and from which line on; and when they fit again."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        given = LINES + b"pm 7 66.00 1 2 8 \r\npm 7 66.00 1 3 8 \r\n" + LINES
        printed, complaints = self.run_command("--descriptor", descriptor, given=given)
        self.assertEqual(2, len(complaints.splitlines()))
        self.assertIn("line 4 on, 5 values where 3 are described", complaints)
        self.assertIn("line 6 on, the values fit", complaints)
        self.assertIn("?", printed)

    def test_damage_cannot_steer_the_terminal(self) -> None:
        """Control characters are not printed."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        printed, _ = self.run_command("--descriptor", descriptor, given=b"pm \x1b[2J \x9b1m 8 \n")
        self.assertNotIn("\x1b", printed)
        self.assertNotIn("\x9b", printed)

    def test_files_that_cannot_be_read(self) -> None:
        """One line says which file and why, and the status is 1."""
        descriptor = self.file("boiler.xml", DOCUMENT)
        silent = recording((0.0, "boiler", b"pm 1 2 3 \r\n"))
        for why, *arguments in (
            ("No such file", str(self.folder / "absent")),
            ("Is a directory", str(self.folder)),
            ("not readable as XML", self.file("lines.txt", LINES)),
            ("describes no channel", self.file("empty.xml", b"<DAQPRJ/>")),
            ("no descriptor in its second line", self.file("c", SD_CARD[:100])),
            ("didn't ask for the descriptor", self.file("silent", silent)),
            ("neither a recording nor", self.file("other.json", b"{}")),
            ("No such file", descriptor, str(self.folder / "absent")),
            ("there are no telemetry lines", descriptor, self.file("none", b"zPuffer Aus\r\n")),
            ("has no time", descriptor, self.file("damaged", SD_CARD + b"pm 8 \r\n")),
        ):
            _, complaints = self.run_command("--descriptor", *arguments, status=1)
            self.assertIn(why, complaints)
            self.assertIn(arguments[-1], complaints)
            self.assertEqual(1, len(complaints.splitlines()), complaints)

    def test_places_that_are_none(self) -> None:
        """The arguments are refused with status 2."""
        complaints = io.StringIO()
        self.patch(sys, "stderr", complaints)
        for places in ("a", "-1", "1,,2", ""):
            refusal = self.assertRaises(
                SystemExit, self.parser.parse_args, ["--descriptor", "x", f"--hidden={places}"]
            )
            self.assertEqual(2, refusal.code)
        self.assertIn("no list of places such as 57,92", complaints.getvalue())

    def test_a_captured_session(self) -> None:
        """It has its descriptor and three lines, all of which fit."""
        for capture in session_starts():
            printed, complaints = self.run_command("--descriptor", str(capture), "--json")
            objects = [json.loads(line) for line in printed.splitlines()]
            state = 7 if capture == INVENTED else 9
            self.assertEqual([each["zk"] for each in objects], [state] * 3)
            self.assertEqual("", complaints)
