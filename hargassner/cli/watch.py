"""``hargassner watch``: your own boiler, in one command, without a configuration."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure

from hargassner.admin.signals import CleanExit
from hargassner.cli.exit_status import failed
from hargassner.cli.page_port import PAGE_ADDRESS, PAGE_PORT, free_port
from hargassner.cli.watch_search import CannotSearchError, find_boiler
from hargassner.cli.watch_texts import say
from hargassner.cli.watch_views import Lines, LiveTable, View
from hargassner.clock import run_evenly
from hargassner.config import Config, ConfigError, config_from
from hargassner.discovery import FoundBoiler
from hargassner.network.reopening import CannotStartError
from hargassner.parts import Parts
from hargassner.service import Bridge
from hargassner.terminal import preferred_language, replace_unknown_signs, shows_colours
from hargassner.web.service import ChainObserver
from hargassner.web.status import Link
from hargassner.web.texts import LANGUAGES, text

SUMMARY = "Show your own boiler's values, on the terminal and on a page: no configuration, no root."

DETAILS = """\
Without HOST the boiler is asked for in the networks of this machine. HOST is its address or name,
with the port of its telemetry if that is another than 23: 192.168.1.30 or localhost:2323.

On a terminal there is a table, in which values that changed are marked; otherwise each change is a
line. The page is served to this machine only. Nothing is changed at the boiler, nothing is kept on
the disk. NO_COLOR=1 switches colours off. Ctrl-C ends it.
"""

_DRAW_EVERY = 1.0
_HOST = re.compile(r"(?P<host>[^:\s]+)(?::(?P<port>[0-9]{1,5}))?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("host", nargs="?", type=_place, metavar="HOST[:PORT]", help="see below")
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default=preferred_language(os.environ, LANGUAGES),
        help="of the names (default: that of the environment, here %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the boiler until it is interrupted; the result is the exit status."""
    # Importing it installs it, which is for nobody but the one who runs it.
    from twisted.internet import reactor

    running: Any = reactor
    run_evenly(running)
    replace_unknown_signs(sys.stdout)
    # The page shows the log; on the terminal it would be in the way.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    with tempfile.TemporaryDirectory(prefix="hargassner-watch-") as state:
        watching = _Watching(running, arguments, state)
        CleanExit(running).startService()
        running.callWhenRunning(watching.begin)
        running.addSystemEventTrigger("before", "shutdown", watching.end)
        running.run()
    if watching.problem:
        return failed("watch", watching.problem)
    return 0


def _place(given: str) -> dict[str, Any]:
    """The boiler's section of a configuration."""
    found = _HOST.fullmatch(given)
    if found is None:
        raise argparse.ArgumentTypeError(f"{given!r} is no HOST or HOST:PORT")
    boiler = {"host": found["host"], "telnet_port": int(found["port"] or 23)}
    try:
        config_from({"boiler": boiler})
    except ConfigError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    return boiler


def watch_config(boiler: dict[str, Any], page_port: int, state: str, language: str) -> Config:
    """The configuration of a bridge that only reads this boiler and shows it.

    Args:
        boiler: the section of that name.
        page_port: where the page listens.
        state: a directory.
        language: of names.
    """
    return config_from(
        {
            "gateway": {"enabled": False},
            "boiler": boiler,
            "homeassistant": {"language": language},
            "web": {"listen": f"tcp:{page_port}:interface={PAGE_ADDRESS}"},
            "state": {"directory": state},
        }
    )


class _Watching:
    """Finds the boiler, and shows it until the reactor stops.

    ``problem`` is why it could not be shown, empty where it could.
    """

    def __init__(self, reactor: Any, arguments: argparse.Namespace, state: str) -> None:
        self.problem = ""
        self._reactor = reactor
        self._boiler: dict[str, Any] | None = arguments.host
        self._language: str = arguments.language
        self._state = state
        self._showing: _Showing | None = None
        self._beginning: Deferred[None] | None = None

    def begin(self) -> None:
        """Find the boiler, and show it."""
        self._beginning = Deferred.fromCoroutine(self._begin())
        self._beginning.addErrback(self._failed)

    def end(self) -> "Deferred[Any] | None":
        """Stop; the result comes when everything is closed."""
        if self._showing is not None:
            return self._showing.end()
        if self._beginning is not None:
            self._beginning.cancel()
        return None

    async def _begin(self) -> None:
        found = None
        if self._boiler is None:
            print(say("searching", self._language), flush=True)
            found = await find_boiler(self._reactor, self._nobody_answers)
            self._boiler = {"host": found.address}
        port = free_port(PAGE_PORT)
        config = watch_config(self._boiler, port, self._state, self._language)
        self._showing = _Showing(self._reactor, config, port, found)
        self._showing.begin()

    def _nobody_answers(self, names: Sequence[str]) -> None:
        places = ", ".join(filter(None, names))
        print(say("silent", self._language, places=places), flush=True)

    def _failed(self, why: Failure) -> None:
        if why.check(CancelledError):
            return  # It was interrupted.
        self.problem = _problem(why)
        if self._reactor.running:
            self._reactor.stop()


def _problem(why: Failure) -> str:
    if why.check(CannotSearchError):
        return f"{why.value}; name the boiler: hargassner watch ADDRESS"
    if why.check(CannotStartError, OSError):
        return str(why.value)
    return why.getTraceback()


class _Showing:
    """A bridge that reads the boiler, its page, and the view on the terminal."""

    def __init__(self, reactor: Any, config: Config, port: int, found: FoundBoiler | None) -> None:
        self._reactor = reactor
        self._bridge = Bridge(config, reactor)
        self._parts: Parts = self._bridge.parts
        self._language = config.homeassistant.language
        self._found = found
        url = f"http://{PAGE_ADDRESS}:{port}/"
        page = "page" if port == PAGE_PORT else "taken"
        self._below = (
            say(page, self._language, url=url, port=PAGE_PORT),
            say("next", self._language),
        )
        self._chain = ChainObserver(self._parts, self._parts.clock)
        self._view = self._make_view()
        self._drawing = LoopingCall(self._draw)
        self._drawing.clock = reactor

    def begin(self) -> None:
        """Read the boiler, and draw."""
        self._bridge.startService()
        if self._found is not None:
            # The answer says what boiler it is.
            self._parts.devices.boiler_answered(self._found.address, self._found.services)
        drawing: Deferred[Any] = self._drawing.start(_DRAW_EVERY)
        # Whoever reads our output, such as head, has seen enough.
        drawing.addErrback(lambda why: why.trap(OSError) and self._reactor.stop())

    def end(self) -> "Deferred[Any]":
        """Draw nothing more, and close everything; the result comes when that is done."""
        if self._drawing.running:
            self._drawing.stop()
            self._view.end()
        return self._bridge.stopService()

    def _make_view(self) -> View:
        boiler = self._parts.boiler
        if sys.stdout.isatty():
            colours = shows_colours(sys.stdout, os.environ)
            return LiveTable(boiler, self._language, colours=colours)
        return Lines(boiler, self._language, self._time)

    def _time(self, moment: float) -> str:
        return f"{datetime.fromtimestamp(self._parts.clock.date(moment)):%H:%M:%S}"

    def _draw(self) -> None:
        heading = [*self._state_of(self._chain.status().boiler), *self._below]
        self._view.draw(heading, self._parts.clock.seconds())

    def _state_of(self, link: Link) -> Sequence[str]:
        """Who the boiler is, how the link to it is, and what to do about it."""
        who = self._parts.boiler.identity
        name = " ".join(filter(None, ("Hargassner", who.model, who.firmware)))
        state = f"{name}, {link.address}: {text(link.state, self._language)}"
        if link.problem:
            state = f"{state} ({link.problem})"
        if not link.advice:
            return (state,)
        return (state, text(link.advice, self._language, **dict(link.fields)))
