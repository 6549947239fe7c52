"""``hargassner setup``: looks, asks, shows each file and command before it does it, and checks."""

import argparse
import getpass
import ipaddress
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from twisted.logger import globalLogBeginner

from hargassner.cli.exit_status import failed
from hargassner.cli.reactor import run_to_end
from hargassner.cli.setup.machine import Seen, look
from hargassner.cli.setup.plan import Answers, configuration, plan
from hargassner.cli.setup.questions import Asker, Options, ask
from hargassner.cli.setup.steps import Machine, StepFailedError
from hargassner.config import ConfigError, config_from
from hargassner.discovery import FoundBoiler
from hargassner.terminal import preferred_language, replace_unknown_signs
from hargassner.web.texts import LANGUAGES

SUMMARY = "Configure the bridge on this machine, start it, and check the chain."

DETAILS = """\
It looks at the machine, asks what it cannot know, shows each file and each command before it comes
to it, starts the service, and ends with hargassner check. Run it again whenever you like: what is
as it should be stays, and so does every file that somebody else wrote or changed.

    sudo hargassner setup                                         asks
    sudo hargassner setup --yes --telemetry-only --mqtt mqtt://192.168.1.10
    hargassner setup --dry-run                                    changes nothing
"""
_LOOK = 6.0
"""Seconds that a boiler has to answer."""
_CHECK_WAIT = "5"
"""Seconds that the check waits for the gateway, which rarely announces itself just now."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--yes", "-y", action="store_true", help="take every default; ask nothing")
    add("--dry-run", action="store_true", help="only show what would be done")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--gateway", dest="with_gateway", action="store_true", default=None)
    kind.add_argument("--telemetry-only", dest="with_gateway", action="store_false", default=None)
    add("--gateway-interface", metavar="NAME", help="the port towards the home's network")
    add("--boiler-interface", metavar="NAME", help="the port towards the boiler")
    add("--boiler", dest="boiler_host", metavar="HOST", help="the boiler's address")
    add("--network", type=_network, help="the boiler's network (192.168.77.0/24)")
    add("--fixed-address", action=argparse.BooleanOptionalAction, help="for the boiler's port")
    add("--dhcp", action=argparse.BooleanOptionalAction, help="for the boiler, with dnsmasq")
    add("--mqtt", dest="mqtt_url", metavar="URL", help="the broker")
    add("--mqtt-username", metavar="NAME")
    add("--mqtt-password-file", type=Path, metavar="FILE", help="the password is its first line")
    add("--language", choices=LANGUAGES)
    add(
        "--page-for-home",
        action=argparse.BooleanOptionalAction,
        help="show the page to the whole network",
    )
    add("--instance", type=_instance, metavar="NAME", help="one of several boilers")
    add("--start", action=argparse.BooleanOptionalAction, help="start the service (default)")
    add("--check", action=argparse.BooleanOptionalAction, default=True, help="(default)")


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    if network.prefixlen > 24:
        raise argparse.ArgumentTypeError("must have room for 100 addresses, such as /24")
    return str(network)


def _instance(text: str) -> str:
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,32}", text) is None or text == "hargassner":
        raise argparse.ArgumentTypeError("must be letters, digits, _ and - only")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Set the bridge up; the result is the exit status."""
    replace_unknown_signs(sys.stdout)
    if os.geteuid() and not arguments.dry_run:
        return failed("setup", "it writes to /etc: run it with sudo, or with --dry-run")
    try:
        answers = _set_up(arguments)
    except (StepFailedError, ConfigError, OSError) as wrong:
        return failed("setup", wrong)
    except (EOFError, KeyboardInterrupt):
        return failed("setup", "ended; what was done so far stays")
    return _check(answers) if arguments.check and not arguments.dry_run else 0


def _set_up(arguments: argparse.Namespace) -> Answers:
    """Look, ask, and do what it takes; the result is what the owner answered.

    Raises:
        StepFailedError, ConfigError, OSError: it cannot be done.
        EOFError: nobody answers.
    """
    options = _options(arguments)
    print("Looking at this machine …", flush=True)
    seen = _look()
    _show(seen)
    answers = ask(seen, options, Asker(_read, print, quiet=arguments.yes))
    config_from(tomllib.loads(configuration(answers)))
    print("\nWhat it takes:" if arguments.dry_run else "\nDoing:")
    Machine(print).do(plan(answers, seen), dry=arguments.dry_run)
    return answers


def _options(arguments: argparse.Namespace) -> Options:
    """What the command line answers.

    Raises:
        OSError: the file with the password cannot be read.
    """
    given = dict(vars(arguments))
    file: Path | None = given.pop("mqtt_password_file")
    if file is not None:
        given["mqtt_password"] = file.read_text().partition("\n")[0]
    given["default_language"] = preferred_language(os.environ, LANGUAGES)
    return Options(given)


def _read(question: str) -> str:
    return getpass.getpass(question) if "password" in question else input(question)


def _look() -> Seen:
    """Look at the machine.

    Raises:
        OSError: the system could not be asked.
    """
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    return run_to_end(lambda reactor: look(reactor, _LOOK))


def _show(seen: Seen) -> None:
    ports = ", ".join(map(str, seen.interfaces)) or "none"
    print(f"  network ports: {ports}\n  {_answer(seen.boiler)}\n")


def _answer(boiler: FoundBoiler | None) -> str:
    if boiler is None:
        return "nobody answers as a boiler in these networks"
    return f"a boiler answers at {boiler.address}: {boiler.services.model or 'unknown model'}"


def _check(answers: Answers) -> int:
    print("\nChecking:", flush=True)
    words = [sys.argv[0], "check", "--config", str(answers.config_path), "--wait", _CHECK_WAIT]
    return subprocess.run(words, check=False).returncode  # noqa: S603 - our own command.
