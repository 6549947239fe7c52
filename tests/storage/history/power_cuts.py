"""Kills a process that keeps a history, and looks at what it left."""

import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hargassner.storage.history.opening import FILE
from hargassner.storage.history.reader import Extent, kept, slots
from hargassner.storage.history.rows import MINUTES

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Left:
    """What a killed process left.

    ``lost`` minutes had passed and are not in the file; ``holes`` are missing before its last one;
    ``damage`` is what SQLite says of the file, empty where it is whole.
    """

    minutes: int
    lost: int
    holes: int
    damage: str


def killed(directory: Path, chance: random.Random, longest: float) -> Left:
    """What a process leaves that is killed at a random moment after it has begun.

    Args:
        directory: where the file is; it begins where the last process ended.
        chance: where randomness comes from.
        longest: seconds for which it runs at most.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.history.writing_process", str(directory.resolve())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    first = int(process.stdout.readline())
    time.sleep(chance.uniform(0, longest))
    process.kill()
    rest = process.stdout.read().split(b"\n")[:-1]
    process.wait()
    process.stdout.close()
    return left_in(directory / FILE, first - 1, int(rest[-1]) if rest else first)


def left_in(path: Path, first: int, end: int) -> Left:
    """What is in a file, of the minutes from the first one to before the end."""
    connection = sqlite3.connect(path)
    try:
        [(result,)] = connection.execute("PRAGMA integrity_check").fetchall()
        cursor = connection.cursor()
        extent = kept(cursor).minutes
        if extent is None:
            return Left(0, end - first, 0, "" if result == "ok" else result)
        covered = slots(cursor, MINUTES, "", Extent(first, extent.last)).mean
        holes = sum(1 for each in covered if each != each)
        lost = end - 1 - extent.last
        return Left(extent.last + 1 - first, lost, holes, "" if result == "ok" else result)
    finally:
        connection.close()
