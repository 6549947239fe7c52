"""A file that describes a boiler's telemetry: a document, or the boiler's own recording."""

from pathlib import Path

from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import LARGEST_DOCUMENT, DescriptorError, parse_descriptor
from hargassner.recording.sdcard import SdCardError, is_sdcard_recording, read_sdcard


class DescriptionError(ValueError):
    """The file describes nothing; the text says in one sentence why."""


def read_description(path: Path) -> Descriptor:
    """The descriptor in a ``DAQPRJ`` document or at the beginning of a ``DAQnnnnn.DAQ`` file.

    It blocks for as long as the disk takes.

    Raises:
        DescriptionError: the file cannot be read, or describes no telemetry.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_DOCUMENT + 1)
        if is_sdcard_recording(content):
            content = read_sdcard(content).document
        return parse_descriptor(content)
    except OSError as wrong:
        raise DescriptionError(f"cannot be read: {wrong.strerror}") from wrong
    except (DescriptorError, SdCardError) as wrong:
        raise DescriptionError(str(wrong)) from wrong
