"""The page from outside: a bridge process, real sockets, and clients that mean no good."""

import contextlib
import os
import socket
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.web.connections import CONNECTIONS_PER_ADDRESS
from tests.cases import free_ports, loopback_addresses
from tests.namespaces import CONFIG, GATEWAY, OTHER_CLIENT, BridgeProcess, Networks
from tests.process_case import ON_LOOPBACK
from tests.processes import ForkedRunning, program, wait_until

DRIPPERS = 100
PROMPT = 5.0
"""Seconds that an answer may take on a machine that has much else to do; it takes milliseconds."""


def ask(sock: socket.socket, host: str, path: str = "/api/state") -> int:
    """Ask for something; the status of the answer."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return int(read_all(sock).split()[1])


def read_all(sock: socket.socket) -> bytes:
    """Everything until the connection ends."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            data += piece
    return data


class LoopbackTests(SynchronousTestCase):
    """On one of this machine's own addresses."""

    def setUp(self) -> None:
        gateway, boiler, self.page = loopback_addresses(3)
        *ports, self.port = free_ports(7)
        config = ON_LOOPBACK.format(gateway=gateway, boiler=boiler, ports=ports)
        listen = f"tcp:{self.port}:interface={self.page}"
        config = config.replace('listen = ""', f'listen = "{listen}"')
        self.temporary = Path(self.mktemp()).resolve()
        self.temporary.mkdir()
        self.patch(os, "environ", {**os.environ, "TMPDIR": str(self.temporary)})
        command = [program("twist"), "--log-format=text"]
        self.bridge = ForkedRunning(
            [*command, "hargassner", "--config=hargassner.toml"], {"hargassner.toml": config}
        )
        self.addCleanup(self.bridge.clean_up)
        self.bridge.wait_for("the web page listens")
        self.bridge.wait_for("Starting reactor")

    def connect(self) -> socket.socket:
        sock = socket.create_connection((self.page, self.port), PROMPT)
        self.addCleanup(sock.close)
        return sock

    def stored(self) -> list[str]:
        """What the bridge has in its temporary folder, files without a name included."""
        links = Path("/proc", str(self.bridge.process.pid), "fd").iterdir()
        targets = [os.readlink(each) for each in links]  # noqa: PTH115 - it may be deleted.
        return [
            *(each for each in targets if each.startswith(str(self.temporary))),
            *os.listdir(self.temporary),  # noqa: PTH208
        ]

    def test_a_large_body_is_refused_and_nothing_of_it_is_stored(self) -> None:
        piece = b"x" * 1_000_000
        for header, part in (
            (b"Content-Length: 200000000", piece),
            (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(piece), piece)),
        ):
            sock = self.connect()
            sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
            with self.assertRaises(OSError):
                for _ in range(200):
                    sock.sendall(part)
            self.assertEqual([], self.stored())
        self.assertEqual(200, ask(self.connect(), self.page))
        self.assertNotIn("Traceback", self.bridge.log())

    def test_a_small_body_is_answered(self) -> None:
        sock = self.connect()
        sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b")
        self.assertIn(b" 413 ", read_all(sock))

    def test_a_hundred_dripping_connections_keep_nobody_out(self) -> None:
        for _ in range(DRIPPERS):
            self.connect().sendall(b"GET / HTTP/1.1\r\nX")
        began = time.monotonic()
        self.assertEqual(200, ask(self.connect(), self.page))
        self.assertLess(time.monotonic() - began, PROMPT)

    def test_a_name_from_elsewhere_is_refused(self) -> None:
        self.assertEqual(421, ask(self.connect(), "evil.example"))
        self.assertEqual(200, ask(self.connect(), f"{self.page}:{self.port}"))


class NetworkTests(SynchronousTestCase):
    """On a network, where clients have other addresses than the bridge."""

    timeout = 120

    def setUp(self) -> None:
        self.networks = Networks()
        self.networks.__enter__()
        self.addCleanup(self.networks.__exit__, None, None, None)
        web = '[web]\nlisten = "tcp:8080:interface=192.0.2.1"\nhosts = ["boiler.fritz.box"]'
        config = CONFIG.replace('[web]\nlisten = ""', web)
        self.bridge = BridgeProcess(self.networks, config)
        self.addCleanup(self.bridge.clean_up)
        self.bridge.wait_for("the web page listens")
        self.bridge.wait_until_up()

    def connect(self, client: str = GATEWAY) -> socket.socket:
        sock = self.networks.tcp(self.networks.gateway)
        self.addCleanup(sock.close)
        sock.bind((client, 0))
        sock.connect(("192.0.2.1", 8080))
        return sock

    def test_only_hosts_of_this_machine_are_answered(self) -> None:
        for host, code in (
            ("192.0.2.1:8080", 200),
            (f"{socket.gethostname()}.local:8080", 200),
            ("boiler.fritz.box:8080", 200),
            ("evil.example:8080", 421),
            ("192.0.2.7:8080", 421),
        ):
            self.assertEqual(ask(self.connect(), host), code, host)

    def test_dripping_connections_are_few_from_each_address(self) -> None:
        dripping = []
        for _ in range(DRIPPERS):
            dripping.append(self.connect(OTHER_CLIENT))
            dripping[-1].sendall(b"GET / HTTP/1.1\r\nX")
        self.assertEqual(200, ask(self.connect(), "192.0.2.1"))
        for each in dripping:
            each.setblocking(False)
        wait_until(
            lambda: sum(map(is_open, dripping)) == CONNECTIONS_PER_ADDRESS, PROMPT, "their end"
        )


def is_open(sock: socket.socket) -> bool:
    """Whether the other side keeps a connection, on which it has sent nothing."""
    try:
        return sock.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
