"""What the start costs: until the telnet port is open, in memory, and of ``hargassner decode``.

    python benchmarks/bench_start.py [--rounds 5] [--percent 8]

Of each way to start: the CPU time until the port is open and until the page answers, and the
memory then, least of the rounds, as a busy machine only adds to a figure. The modules are compiled
first, as they are where the bridge is installed: from a tree in which Python may write no bytecode,
each start compiles them anew, and takes twice as long. As root on Linux the bridge with everything
is then started with a share of one core only (a control group of version 1 or 2 with a quota): how
long until the port is open, and until the bridge hears broadcasts.
"""

import argparse
import compileall
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wire_boiler import DOCUMENT, LINES
from wire_contenders import BIN, PAGE_PORT, Broker, Contender
from wire_networks import Loopback, end_when_told

BOILER_PORT = 35601
PERIOD = 100_000
"""Microseconds in which a quota is granted."""
KINDS = ("portforward", "bridge", "everything")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> float:
    """The seconds until something is so."""
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > seconds:
            raise TimeoutError
        time.sleep(0.005)
    return time.perf_counter() - began


def answers(address: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return False
    return True


def one_start(kind: str) -> tuple[float, float, float]:
    """CPU seconds until the port is open, until the page is, and the MB that are resident then."""
    with Contender(kind, Loopback(), 0) as contender:
        if kind == "everything":
            wait_for(lambda: answers((contender.address[0], PAGE_PORT)))
        time.sleep(1)
        return contender.start_cpu, contender.cpu_seconds(), contender.megabytes()


def decode_cpu() -> float:
    """CPU seconds of ``hargassner decode`` with a descriptor and some hundred lines."""
    with tempfile.TemporaryDirectory() as name:
        descriptor, lines = Path(name) / "descriptor.xml", Path(name) / "lines.txt"
        descriptor.write_bytes(DOCUMENT)
        lines.write_bytes(b"".join(LINES))
        command = [str(BIN / "hargassner"), "decode", "--descriptor", str(descriptor), str(lines)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def limited(percent: float) -> Iterator[Callable[[], None]]:
    """A control group with a share of one core, as what a child is to call before anything else.

    Raises:
        OSError: this machine does not let us make one.
    """
    version_2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    group = Path("/sys/fs/cgroup") / ("" if version_2 else "cpu") / f"bench-start-{os.getpid()}"
    group.mkdir()
    quota = int(PERIOD * percent / 100)
    try:
        if version_2:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        processes = group / "cgroup.procs"
        yield lambda: processes.write_text(str(os.getpid())) and None
    finally:
        wait_for(lambda: not (group / "cgroup.procs").read_text().strip())
        group.rmdir()


def hears(address: str) -> bool:
    """Whether a UDP socket is open where the gateway's broadcast comes."""
    line = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{BOILER_PORT:04X}"
    return line in Path("/proc/net/udp").read_text()


def slow_start(percent: float) -> dict[str, float]:
    """Seconds until broadcasts are heard, the port and the page are open, on a slow machine."""
    with ExitStack() as stack:
        enter = stack.enter_context(limited(percent))
        contender = stack.enter_context(Contender("everything", Loopback(), 0, enter=enter))
        page = (contender.address[0], PAGE_PORT)
        return {
            "broadcasts heard after s": contender.opened(lambda: hears(contender.address[0])),
            "telnet port open after s": contender.opened(contender.reachable),
            "page open after s": contender.opened(lambda: answers(page)),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    parser.add_argument("--percent", type=float, default=8, help="of one core; 0: not limited")
    options = parser.parse_args()
    end_when_told()
    compileall.compile_dir(Path(__file__).parents[1] / "hargassner", quiet=1)
    print(f"{'least of ' + str(options.rounds):16}{'CPU s to the port':>20}{'to the page':>14}")
    with Broker(Loopback()):
        for kind in KINDS:
            starts = [one_start(kind) for _ in range(options.rounds)]
            port, whole, memory = (min(each) for each in zip(*starts, strict=True))
            print(f"{kind:16}{port:20.2f}{whole:14.2f}{memory:10.1f} MB")
        decodes = min(decode_cpu() for _ in range(options.rounds))
        print(f"{'decode':16}{'':20}{decodes:14.2f}")
        if options.percent:
            try:
                figures = slow_start(options.percent)
            except OSError as refused:
                print(f"no control group here: {refused}", file=sys.stderr)
                return
            print(f"at {options.percent:g} % of one core:")
            for name, seconds in figures.items():
                print(f"{name:28}{seconds:8.2f}")


if __name__ == "__main__":
    main()
