"""A file that describes a boiler's telemetry."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.recording.description import DescriptionError, read_description

DOCUMENT = b"<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/></ANALOG></DAQPRJ>"
SD_CARD = (
    b"<HISDAQ-V0.1;COMPRESSION(TOKEN-ESC(4B, 0x10, 6, 13, 13))>\r\n"
    + DOCUMENT
    + b"\r\n2019-10-07_16:52:01 pm 7 \r\n"
)


class DescriptionTests(SynchronousTestCase):
    """What is read, and what is refused with one sentence."""

    def file(self, content: bytes) -> Path:
        """A file with this content."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return path

    def test_a_document_and_an_sd_card_recording_say_the_same(self) -> None:
        by_document = read_description(self.file(DOCUMENT))
        self.assertEqual(["ZK"], [each.name for each in by_document.analog])
        self.assertEqual(by_document, read_description(self.file(SD_CARD)))

    def test_what_describes_nothing_is_refused(self) -> None:
        for content, why in (
            (b"", "not readable as XML"),
            (b"<html/>", "not a 'DAQPRJ'"),
            (b"<HISDAQ-V9>\r\n", "format is not known"),
        ):
            wrong = self.assertRaises(DescriptionError, read_description, self.file(content))
            self.assertIn(why, str(wrong))

    def test_a_file_that_is_not_there_is_refused(self) -> None:
        wrong = self.assertRaises(DescriptionError, read_description, Path(self.mktemp()))
        self.assertEqual("cannot be read: No such file or directory", str(wrong))
