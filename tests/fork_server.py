"""A process that has imported the programs already, and forks each time that one is to start.

What a program starts with is half a second of a core for its imports, and the tests start more
than a hundred. It reads requests from standard input and answers each on standard output, each a
line: Python's own literals. ``tests.forked`` asks.
"""

import ctypes
import gc
import os
import runpy
import signal
import sys
from ast import literal_eval
from importlib import import_module
from pathlib import Path
from typing import Any

from hargassner.without_tls import leave_tls_out

_PROGRAMS = (
    "twisted.application.twist._twist",
    "hargassner.tap",
    "hargassner.service",
    "hargassner.startup",
    "hargassner.mqtt.link",
    "hargassner.homeassistant.view",
    "hargassner.web.service",
    "hargassner.storage.history.service",
    "hargassner.allocation",
    "hargassner.threads",
    "twisted.internet.tcp",
    "twisted.internet.udp",
    "hargassner.cli.check.command",
    "hargassner.cli.simulate",
    "hargassner.cli.watch",
)
_NEWNS, _NEWNET = 0x20000, 0x40000000
_CAPABILITY_VERSION = 0x20080522
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_REC, _SLAVE, _DETACH = 0x4000, 0x80000, 2


def serve() -> dict[str, Any] | None:
    """Answer requests; the result is what this process is to become, None for the server's end."""
    answers = os.dup(1)
    while line := sys.stdin.buffer.readline():
        asked, value = literal_eval(line.decode())
        if asked == "start":
            pid = os.fork()
            if not pid:
                os.close(answers)
                return dict(value)
            answer: int | None = pid
        else:
            ended, status = os.waitpid(value, os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        os.write(answers, f"{answer}\n".encode())
    return None


def become(request: dict[str, Any]) -> None:
    """Run a program in this process, as if it had been started by its name."""
    for number, (path, flags) in enumerate(
        (
            ("/dev/null", os.O_RDONLY),
            (request["output"], os.O_WRONLY),
            (request["errors"], os.O_WRONLY),
        )
    ):
        descriptor = os.open(path, flags)
        os.dup2(descriptor, number)
        os.close(descriptor)
    if request["namespace"]:
        _enter(request["namespace"])
    if request["unprivileged"]:
        _drop_capabilities()
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for place, value in request["constants"].items():
        module, _, name = place.rpartition(".")
        if not hasattr(import_module(module), name):
            raise SystemExit(f"there is no {place}")
        setattr(import_module(module), name, value)
    sys.argv[:] = request["command"]
    Path("/proc/self/comm").write_text(Path(sys.argv[0]).name)
    runpy.run_path(sys.argv[0], run_name="__main__")


def _enter(namespace: str) -> None:
    """Enter a network namespace, and have its own /sys, as ``ip netns exec`` does.

    Raises:
        OSError: this process may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    for done in (
        libc.setns(descriptor, _NEWNET),
        libc.unshare(_NEWNS),
        libc.mount(b"", b"/", b"none", _SLAVE | _REC, None),
        libc.umount2(b"/sys", _DETACH),
        libc.mount(namespace.encode(), b"/sys", b"sysfs", 0, None),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(descriptor)


def _drop_capabilities() -> None:
    """Be root without its rights, as ``setpriv --bounding-set=-all`` has it.

    Raises:
        OSError: this process may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    for done in (
        # Whoever has none left may not drop any.
        *(
            libc.prctl(_PR_CAPBSET_DROP, each, 0, 0, 0)
            for each in range(last + 1)
            if libc.prctl(_PR_CAPBSET_READ, each, 0, 0, 0) == 1
        ),
        libc.capset(header, none),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    # None of the programs that are started here speaks TLS.
    leave_tls_out()
    for each in _PROGRAMS:
        import_module(each)
    assert "twisted.internet.reactor" not in sys.modules, "each has a reactor of its own"
    # What is here is never garbage; looking at it would copy its memory into each process.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = serve()
    if request is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        become(request)
