"""``hargassner import``: recordings of the boiler's own SD card, into the history."""

import argparse
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from hargassner.boiler.model import Boiler
from hargassner.cli import history_file
from hargassner.cli.exit_status import failed
from hargassner.config import ConfigError
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import DescriptorError, parse_descriptor
from hargassner.dialogue.events import Described
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.readings import LineReader
from hargassner.recording.sdcard import Record, SdCardError, read_sdcard
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import opening
from hargassner.storage.history.facts import Carry
from hargassner.storage.history.looks import look_at
from hargassner.storage.history.samples import MINUTE, Dated, Sample, Sampler
from hargassner.storage.history.schema import NewerSchemaError
from hargassner.storage.history.writer import end_faults, write

SUMMARY = "Put recordings of the boiler's SD card (DAQnnnnn.DAQ) into the history."

DETAILS = """\
Give the files in the order of their time, which their names have. What the history knows already
stays as it is: a file can be imported twice, and the bridge may run meanwhile. The boiler's clock
is taken for local time.
"""

LOOK_EVERY = 10.0
"""Seconds by the boiler's clock between two looks."""


class _CannotImportError(Exception):
    """The text is what the user reads."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    history_file.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Import; the result is the exit status, 1 if a file could not be read or nothing written."""
    try:
        config = history_file.configuration(arguments.config)
        directory = history_file.directory(arguments.state, config)
        with closing(opening.connect(directory)) as connection:
            try:
                complete = _import(connection, arguments.files, config.telemetry.hidden)
            finally:
                _give_to_owner(directory)
    except (ConfigError, NewerSchemaError, sqlite3.Error, OSError) as wrong:
        return failed("import", wrong)
    return 0 if complete else 1


def _import(connection: sqlite3.Connection, files: Sequence[Path], hidden: Hidden) -> bool:
    """Import each file, in a transaction of its own; whether all could be read."""
    carry, complete = Carry(), True
    for path in files:
        try:
            samples = list(minutes(path, hidden))
        except _CannotImportError as wrong:
            failed("import", f"{path}: {wrong}")
            complete = False
            continue
        with connection:
            cursor = connection.execute("BEGIN IMMEDIATE")
            written = write(cursor, samples, carry)
            carry = end_faults(cursor, written.carry)
        print(f"{path}: {len(samples)} minutes, {written.new} of them new")
    return complete


def minutes(path: Path, hidden: Hidden = "auto") -> Iterator[Dated]:
    """The minutes that a recording has.

    Args:
        path: the file.
        hidden: places of values that its descriptor leaves out; "auto" has them found.
    """
    try:
        recording = read_sdcard(path.read_bytes())
        descriptor = parse_descriptor(recording.document)
        yield from _sampled(recording.records, descriptor, LineReader(hidden))
    except OSError as wrong:
        raise _CannotImportError(f"cannot be read: {wrong.strerror}") from wrong
    except (SdCardError, DescriptorError) as wrong:
        raise _CannotImportError(str(wrong)) from wrong


def _sampled(
    records: Iterable[Record], descriptor: Descriptor, reader: LineReader
) -> Iterator[Dated]:
    """The minutes that the telemetry lines among records make."""
    boiler, sampler, due = Boiler(), Sampler(), 0.0
    boiler.apply(Described(descriptor), 0.0)
    for record in filter(_is_telemetry, records):
        date = _date(record)
        boiler.apply(reader.read(record.payload, descriptor), date)
        # The clock may have been set back.
        if not due - LOOK_EVERY <= date < due:
            due = date + LOOK_EVERY
            yield from _dated(sampler.look(date, date, look_at(boiler)))
    yield from _dated(sampler.close())


def _is_telemetry(record: Record) -> bool:
    return record.payload.startswith(b"pm ")


def _date(record: Record) -> float:
    try:
        return datetime.fromisoformat(record.time).timestamp()
    except (ValueError, OverflowError) as wrong:
        raise _CannotImportError(f"there is no such time: {record.time}") from wrong


def _dated(sample: Sample | None) -> Iterator[Dated]:
    if sample is not None:
        yield Dated(int(sample.moment // MINUTE), sample)


def _give_to_owner(directory: StateDirectory) -> None:
    """Have the file belong to the directory's owner: the service can't use one of root's."""
    owner = directory.path.stat()
    for path in directory.path.glob(f"{opening.FILE}*"):
        with suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid)
