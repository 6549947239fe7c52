"""What the bridge has written to the disk in an hour, at the real pace.

    python benchmarks/bench_disk.py [--minutes 60] [--directory .]

Four bridges run at once, each with a state directory of its own: one without a gateway, which reads
telemetry itself, with the page and the history; one in a session, with the history and no page;
with the page and the history; with recording besides. The figures are the kernel's, of
/proc/PID/io: bytes of pages that the process has made the disk write, whole pages even where a byte
changed. The file system's own journal comes on top: some three blocks for each file that is
replaced. Linux only; the directory must be on a disk, as memory file systems write nothing.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench_wire import Boiler, Gateways, log_in
from wire_contenders import Broker, Contender
from wire_networks import Loopback, end_when_told

KINDS = {
    "no gateway, page and history": "paged",
    "session, history, no page": "published",
    "session, page and history": "paged",
    "session, page, history, recording": "everything",
}
WITHOUT_GATEWAY = next(iter(KINDS))


def files_of(folder: Path) -> str:
    """What a bridge's folder has in the end."""
    sizes = {
        str(each.relative_to(folder)): each.stat().st_size
        for each in sorted(folder.rglob("*"))
        if each.is_file() and each.suffix != ".toml"
    }
    return ", ".join(f"{name} {size:,}" for name, size in sizes.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--directory", default=".", help="on the disk")
    options = parser.parse_args()
    end_when_told()
    where = Loopback()
    with ExitStack() as stack:
        tempfile.tempdir = stack.enter_context(tempfile.TemporaryDirectory(dir=options.directory))
        boiler = Boiler(where)
        stack.callback(boiler.stop)
        stack.enter_context(Broker(where))
        bridges = {
            name: stack.enter_context(Contender(kind, where, number))
            for number, (name, kind) in enumerate(KINDS.items())
        }
        boiler.tell("forget")
        sessions = [log_in(each) for name, each in bridges.items() if name != WITHOUT_GATEWAY]
        boiler.tell("segments 2")
        boiler.tell("pace 1")
        with Gateways(sessions):
            time.sleep(10)
            before = [each.written_bytes() for each in bridges.values()]
            time.sleep(options.minutes * 60)
            after = [each.written_bytes() for each in bridges.values()]
        print(f"kB an hour, of {options.minutes:g} minutes")
        for (name, bridge), early, late in zip(bridges.items(), before, after, strict=True):
            print(f"{name:36}{(late - early) / 1024 * 60 / options.minutes:12,.0f}")
            print(f"    {files_of(bridge.folder)}")


if __name__ == "__main__":
    main()
