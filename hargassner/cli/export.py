"""``hargassner export``: the history as a table for spreadsheets."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from hargassner.cli import history_file
from hargassner.cli.exit_status import failed
from hargassner.config import Config, ConfigError
from hargassner.storage.history.csv_text import csv_pieces
from hargassner.storage.history.opening import FILE
from hargassner.storage.history.query import STEPS, QueryError, parse_query, select
from hargassner.storage.history.reader import kept
from hargassner.storage.history.schema import NewerSchemaError, check_version

SUMMARY = "Write the history as CSV."

DETAILS = """\
By default: everything that there is, a row a day, to standard output.

FROM and TO are local dates or times, such as 2026-11-26 or 2026-11-26T14:30, or seconds since
1970; a TO that is a date means the end of that day.

The bridge may run meanwhile. It writes every ten minutes, so that the last ones may be missing.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--csv", action="store_true", help="write CSV: the default, and all there is"
    )
    parser.add_argument(
        "--german",
        action="store_true",
        help="decimal commas, and semicolons between cells",
    )
    parser.add_argument("--from", dest="begin", default="all", metavar="FROM", help="see below")
    parser.add_argument("--to", dest="end", default="", metavar="TO", help="see below")
    parser.add_argument("--grain", choices=[*STEPS], default="day", help="a row a … (default: day)")
    parser.add_argument("--channels", metavar="NAMES", help="such as tk,taus (default: all)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of printing")
    history_file.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Export; the result is the exit status, 1 if there is nothing to be had."""
    try:
        config = history_file.configuration(arguments.config)
        path = history_file.directory(arguments.state, config).path / FILE
        with _opened(path) as connection:
            _write_to(arguments.output, _pieces(connection, config, arguments))
    except (ConfigError, QueryError, NewerSchemaError) as wrong:
        return failed("export", wrong)
    except sqlite3.Error as wrong:
        return failed("export", f"{path} cannot be read: {wrong}")
    except BrokenPipeError:
        raise
    except OSError as wrong:
        return failed("export", f"{wrong.filename}: {wrong.strerror}")
    return 0


def _opened(path: Path) -> "closing[sqlite3.Connection]":
    """The file, to be read.

    Raises:
        FileNotFoundError: there is none.
    """
    path.stat()
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30)
    connection.isolation_level = None
    check_version(connection)
    return closing(connection)


def _pieces(
    connection: sqlite3.Connection, config: Config, arguments: argparse.Namespace
) -> Iterator[bytes]:
    given = {"from": arguments.begin, "to": arguments.end, "grain": arguments.grain}
    if arguments.channels is not None:
        given["channels"] = arguments.channels
    query = parse_query(given, time.time())  # noqa: TID251 - a command has no reactor.
    energy = config.energy
    cursor = connection.execute("BEGIN")
    selection = select(query, kept(cursor))
    kwh_per_kg = energy.pellet_kwh_per_kg * energy.efficiency
    for piece in csv_pieces(selection, kwh_per_kg, arguments.german):
        yield piece(cursor)


def _write_to(path: Path | None, pieces: Iterator[bytes]) -> None:
    """Write to a file, or to standard output."""
    if path is None:
        _write(sys.stdout.buffer, pieces)
        return
    try:
        with path.open("wb") as file:
            _write(file, pieces)
    except BaseException:
        # Half a table looks like a whole one.
        with suppress(OSError):
            path.unlink()
        raise


def _write(file: BinaryIO, pieces: Iterator[bytes]) -> None:
    for each in pieces:
        file.write(each)
    file.flush()
