"""``hargassner watch``: somebody's own boiler, as an ordinary user, without a configuration."""

import io
import os
import re
import shutil
import signal
import socket
import sys
import time
import urllib.request
from contextlib import redirect_stderr
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.cli import main, watch
from hargassner.cli.check.machine import Interface
from hargassner.cli.watch_search import searched
from hargassner.cli.watch_views import MARKED, Lines, LiveTable
from tests.cases import free_ports, loopback_addresses
from tests.open_ports import open_ports
from tests.processes import ForkedRunning, Running, program
from tests.web.cases import show

HEADING = ("Hargassner Nano, 192.0.2.30: Sends values", "Page: http://127.0.0.1:8080/")


class WatchTests(SynchronousTestCase):
    """The command, before a simulated boiler that refuses every request, or none."""

    timeout = 120

    def setUp(self) -> None:
        [self.address] = loopback_addresses(1)
        [self.port] = free_ports(1)

    def start_boiler(self) -> None:
        options = ("--refuse", "--no-discovery", "--speed=30")
        place = (f"--address={self.address}", f"--telnet-port={self.port}")
        boiler = ForkedRunning([program("hargassner"), "simulate", "boiler", *options, *place])
        self.addCleanup(boiler.clean_up)
        boiler.wait_for("simulated boiler on TCP port")

    def run_command(self, *words: str, anew: bool = False) -> Running:
        running = (Running if anew else ForkedRunning)([program("hargassner"), *words])
        self.addCleanup(running.clean_up)
        return running

    def watch(self, *options: str, anew: bool = False) -> Running:
        running = self.run_command("watch", f"{self.address}:{self.port}", *options, anew=anew)
        running.wait_for("hargassner setup")
        running.wait_for("http://")
        return running

    def held(self, address: str, port: int) -> socket.socket:
        """A port that is held; a test beside this one may have it for a moment."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return socket.create_server((address, port))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def page(self, running: Running) -> str:
        """Where its page is."""
        [line] = [each for each in running.log().splitlines() if "http://" in each]
        return line.split()[1]

    def test_it_says_what_it_is_where_the_page_is_and_how_to_go_on(self) -> None:
        self.start_boiler()
        running = self.watch(anew=True)
        running.wait_for(f"Hargassner, {self.address}: Sends values")
        with urllib.request.urlopen(self.page(running)) as answer:
            self.assertIn(b"Hargassner boiler", answer.read())
        self.assertEqual(0, running.stop(signal.SIGINT))
        self.assertEqual("", running.errors())

    def test_the_page_is_there_when_it_is_named(self) -> None:
        running = self.run_command("watch", f"{self.address}:{self.port}")
        running.wait_for("http://")
        urllib.request.urlopen(self.page(running)).close()

    def test_no_port_is_open_but_the_pages(self) -> None:
        self.start_boiler()
        running = self.watch()
        running.wait_for("Sends values")
        page = self.page(running).removeprefix("http://").removesuffix("/")
        self.assertEqual([f"tcp {page}"], open_ports(running.process.pid))

    def test_where_the_pages_port_is_taken_it_is_served_elsewhere_and_that_is_said(self) -> None:
        with self.held("127.0.0.1", 8080):
            running = self.watch()
        self.assertIn("is taken)", running.log())
        self.assertNotIn("Page: http://127.0.0.1:8080/", running.log())

    def test_a_boiler_that_is_away_is_said_and_waited_for(self) -> None:
        running = self.watch("--language=de")
        running.wait_for("Verbindet")
        self.assertEqual(0, running.stop(signal.SIGTERM))

    def test_what_is_no_host_is_refused_in_a_line(self) -> None:
        for given in ("a b", "host:99999", "300.1.1.1", ":23"):
            said = io.StringIO()
            with redirect_stderr(said):
                ended = self.assertRaises(SystemExit, main, ["watch", given])
            self.assertEqual(2, ended.code)
            self.assertIn("watch: error: argument HOST[:PORT]: ", said.getvalue())


class ViewCase(SynchronousTestCase):
    """A boiler of three values, and what is printed of it."""

    def setUp(self) -> None:
        self.boiler = Boiler()
        show(self.boiler, {"ZK": ("7", ""), "TK": ("65.90", "°C"), "X": ("1", "")}, "Störung")
        self.printed = io.StringIO()
        self.patch(sys, "stdout", self.printed)
        self.resize(80, 24)

    def resize(self, width: int, height: int) -> None:
        size = os.terminal_size((width, height))
        self.patch(shutil, "get_terminal_size", lambda: size)

    def taken(self) -> str:
        """What was printed since the last call."""
        text = self.printed.getvalue()
        self.printed.truncate(0)
        self.printed.seek(0)
        return text


class LiveTableTests(ViewCase):
    def table(self, language: str = "en", colours: bool = False) -> LiveTable:
        table = LiveTable(self.boiler, language, colours=colours)
        self.taken()
        return table

    def drawn(self, table: LiveTable, now: float) -> list[str]:
        table.draw(HEADING, now)
        text = self.taken().removeprefix("\x1b[H").removesuffix("\x1b[J")
        return [each.removesuffix("\x1b[K").rstrip() for each in text.split("\n")]

    def test_what_an_owner_wants_comes_first_with_words_beside_codes(self) -> None:
        lines = self.drawn(self.table(), 1e9)
        self.assertEqual(lines[:3], [*HEADING, ""])
        self.assertEqual(["7", "full", "combustion"], lines[3].split()[-3:])
        self.assertEqual(["X", "1"], lines[-1].split())

    def test_names_are_in_the_users_language(self) -> None:
        self.assertIn("Kesseltemperatur", "\n".join(self.drawn(self.table("de"), 1e9)))

    def test_a_value_that_changed_is_marked_for_a_moment(self) -> None:
        since = self.boiler.channels["tk"].since or 0.0
        for colours, mark in ((False, "*    65.90"), (True, "\x1b[1;33m     65.90\x1b[0m")):
            table = self.table(colours=colours)
            self.assertIn(mark, "\n".join(self.drawn(table, since + MARKED - 1)))
            self.assertNotIn(mark, "\n".join(self.drawn(table, since + MARKED)))

    def test_a_mark_moves_nothing(self) -> None:
        """Whether it is a colour or a sign."""
        since = self.boiler.channels["tk"].since or 0.0
        for colours in (False, True):
            table = self.table(colours=colours)
            marked, plain = (
                [re.sub(r"\x1b\[[0-9;]*m", "", line).replace("*", " ") for line in lines]
                for lines in (self.drawn(table, since), self.drawn(table, since + MARKED))
            )
            self.assertEqual(marked, plain)

    def test_it_is_as_large_as_the_terminal(self) -> None:
        for width, height in ((80, 6), (200, 6), (80, 24)):
            self.resize(width, height)
            lines = self.drawn(self.table(), 1e9)
            self.assertLessEqual(len(lines), height)
            self.assertLessEqual(max(map(len, lines)), width)

    def test_what_it_says_is_wrapped_and_not_cut(self) -> None:
        self.resize(30, 24)
        lines = self.drawn(self.table(), 1e9)
        self.assertEqual(" ".join(lines[:3]), " ".join(HEADING))

    def test_a_tiny_terminal_is_no_error(self) -> None:
        self.resize(1, 1)
        self.drawn(self.table(), 1e9)

    def test_what_has_no_room_is_counted(self) -> None:
        self.resize(80, 5)
        self.assertEqual("… 3 more values on the page", self.drawn(self.table(), 1e9)[-1])

    def test_the_cursor_is_back_at_the_end(self) -> None:
        table = self.table()
        table.end()
        self.assertIn("\x1b[?25h", self.taken())


class LinesTests(ViewCase):
    def test_each_change_is_a_line_and_the_heading_is_said_once(self) -> None:
        lines = Lines(self.boiler, "en", lambda _moment: "12:34:56")
        lines.draw(HEADING, 0.0)
        self.assertEqual(self.taken().splitlines(), [*HEADING])
        show(self.boiler, {"ZK": ("8", ""), "TK": ("66.00", "°C"), "X": ("1", "")}, "Störung")
        lines.draw(HEADING, 1.0)
        printed = self.taken().splitlines()
        self.assertIn("12:34:56 Boiler temperature: 66.00 °C", printed)
        self.assertNotIn(HEADING[0], printed)
        lines.draw(HEADING, 2.0)
        self.assertEqual("", self.taken())


class SearchTests(SynchronousTestCase):
    def test_it_is_looked_for_wherever_a_cable_or_a_radio_leads(self) -> None:
        def interface(name: str, **more: Any) -> Interface:
            return Interface(name, **{"address": "192.0.2.1", "up": True, **more})

        found = [
            interface("lo", loopback=True),
            interface("eth0"),
            interface("wlan0"),
            interface("docker0"),
            interface("eth1", address=""),
            interface("eth2", up=False),
        ]
        self.assertEqual(["eth0", "wlan0"], searched(found))
        self.assertEqual([""], searched([]))

    def test_its_configuration_needs_nothing_of_the_machine(self) -> None:
        config = watch.watch_config({"host": "192.0.2.30"}, 8080, "state", "de")
        self.assertFalse(config.gateway.enabled)
        self.assertEqual("", config.mqtt.url)
        self.assertEqual("tcp:8080:interface=127.0.0.1", config.web.listen)
