"""``hargassner watch``: your own boiler, in one command, without a configuration."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import globalLogBeginner

from hargassner.admin.signals import CleanExit
from hargassner.cli.exit_status import failed
from hargassner.cli.page_port import PAGE_ADDRESS, PAGE_PORT, free_port
from hargassner.cli.reactor import run_to_end
from hargassner.cli.watch_search import CannotSearchError, find_boiler
from hargassner.cli.watch_texts import say
from hargassner.cli.watch_views import Lines, LiveTable, View
from hargassner.config import Config, ConfigError, config_from
from hargassner.discovery import FoundBoiler
from hargassner.later import Later
from hargassner.network.reopening import CannotStartError
from hargassner.parts import Parts
from hargassner.service import Bridge
from hargassner.terminal import preferred_language, replace_unknown_signs, shows_colours
from hargassner.web.service import ChainObserver, WebPage
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

_STATE = "hargassner-watch-"
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
    replace_unknown_signs(sys.stdout)
    # The page shows the log; on the terminal it would be in the way.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    try:
        with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix=_STATE) as state:
            run_to_end(lambda reactor: _watch(reactor, arguments, state))
    except CannotSearchError as wrong:
        return failed("watch", f"{wrong}; name the boiler: hargassner watch ADDRESS")
    except (CannotStartError, OSError) as wrong:
        return failed("watch", wrong)
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


async def _watch(reactor: Any, arguments: argparse.Namespace, state: str) -> None:
    """Find the boiler, and show it until it is cancelled."""
    CleanExit(reactor).startService()
    language, boiler, found = arguments.language, arguments.host, None
    if boiler is None:
        print(say("searching", language), flush=True)
        found = await find_boiler(reactor, partial(_nobody_answers, language))
        boiler = {"host": found.address}
    port = free_port(PAGE_PORT)
    config = watch_config(boiler, port, state, language)
    showing = _Showing(reactor, config, port, found)
    try:
        showing.begin()
        await Deferred()
    finally:
        await showing.end()


def _nobody_answers(language: str, names: Sequence[str]) -> None:
    places = ", ".join(filter(None, names))
    print(say("silent", language, places=places), flush=True)


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
        self._page = say(page, self._language, url=url, port=PAGE_PORT)
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
        heading = [*self._state_of(self._chain.status().boiler), *self._open_page()]
        self._view.draw(heading, self._parts.clock.seconds())

    def _open_page(self) -> Sequence[str]:
        """Where the page is and how to go on, as soon as the page can be opened."""
        next_ = say("next", self._language)
        return (self._page, next_) if _page_is_open(self._bridge) else (next_,)

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


def _page_is_open(bridge: Bridge) -> bool:
    with suppress(KeyError):  # It is not made yet.
        page: WebPage = bridge.named(Later.name).named(WebPage.name)
        return page.is_open
    return False
