"""``hargassner check``: an installer's walk through the chain, step by step."""

import argparse
import json
import os
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hargassner.cli.check.machine import interfaces, proposal
from hargassner.cli.check.report import Finding, Outcome
from hargassner.cli.check.walk import walk
from hargassner.cli.exit_status import INTERRUPTED
from hargassner.cli.reactor import run_to_end
from hargassner.config import Config, ConfigError, find_config, is_on_loopback, load_config
from hargassner.startup import check_machine, read_only
from hargassner.terminal import coloured, printable, replace_unknown_signs, shows_colours

SUMMARY = "Walk through the chain from the gateway to the home, and tell where it hangs."

DETAILS = """\
Each step is told with ✓ (well), ✗ (not well) or – (not looked at, or nothing to look at), and with
what can be done. Without a configuration a look is taken at the machine, and one proposed.

Nothing is changed: the check listens where the bridge would listen, asks the boiler what the
gateway would ask it, reads telemetry, and publishes a word that the broker does not retain. Run it
with the rights of the bridge (sudo). A bridge that runs already is asked over its web page.

The exit status is 0 if nothing is wrong, 1 if something is.
"""

_WAIT = 60.0
_CONFIGURATION = "configuration"
_USUAL_PATH = Path("/etc/hargassner/hargassner.toml")
_SIGNS = {Outcome.OK: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–"}
_COLOURS = {Outcome.OK: "32", Outcome.FAILED: "31", Outcome.SKIPPED: "33"}
_LONGEST_STEP = 22
_WIDTH = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--config",
        "-c",
        type=Path,
        metavar="FILE",
        help="the configuration file (default: where the bridge looks for it)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=_WAIT,
        metavar="SECONDS",
        help="how long to wait for the gateway's announcement (default: %(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check; the result is the exit status, 1 if something is wrong."""
    replace_unknown_signs(sys.stdout)
    report = _Json() if arguments.json else _Text()
    try:
        report.end(_proposed(arguments, report))
    except KeyboardInterrupt:
        return INTERRUPTED
    return min(report.failed, 1)


def _proposed(arguments: argparse.Namespace, report: "_Report") -> str:
    """Check; the result is a proposal where there is no configuration to check, else empty.

    Raises:
        KeyboardInterrupt: the owner interrupted it.
    """
    path: Path | None = arguments.config
    try:
        path = path or find_config(os.environ, Path.cwd())
        config = load_config(path)
        check_machine(config, os.environ)
    except ConfigError as wrong:
        advice, proposed = _what_to_do(path or _USUAL_PATH)
        report.found(Finding(_CONFIGURATION, Outcome.FAILED, str(wrong), advice))
        return proposed
    report.found(_usable(path, config))
    run_to_end(lambda reactor: walk(config, reactor, arguments.wait, report))
    return ""


def _usable(path: Path, config: Config) -> Finding:
    """What there is to say of a configuration with which the bridge runs."""
    problem = read_only(config, os.environ)
    if problem:
        advice = "The bridge runs without. Look at the card: sudo dmesg | grep -i -e mmc -e ext4"
        return Finding(_CONFIGURATION, Outcome.FAILED, problem, advice)
    return Finding(_CONFIGURATION, Outcome.OK, str(path), _warning(config))


def _warning(config: Config) -> str:
    """What the owner should know of a configuration that works."""
    if is_on_loopback(config.manhole.listen):
        return ""
    return (
        f"Other machines can reach the manhole at {config.manhole.listen}: whoever has its "
        "password can do all that the bridge can, and telnet is not encrypted. An SSH tunnel is "
        "safer."
    )


def _what_to_do(path: Path) -> tuple[str, str]:
    """The advice where this configuration cannot be used, and a proposal where there is none."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        advice = "Save a configuration as the following; the rest is checked then."
        return advice, proposal(str(path), interfaces())
    except PermissionError:
        return "Run this check with sudo, or let this user read the file.", ""
    except OSError:
        return "Name a file that can be read; the rest is checked then.", ""
    return "Correct the file; the rest is checked then.", ""


class _Report:
    """Counts what is wrong."""

    def __init__(self) -> None:
        self.failed = 0

    def found(self, finding: Finding) -> None:
        """A step is done."""
        self.failed += finding.outcome is Outcome.FAILED

    def waiting(self, what: str, seconds: float) -> None:
        """Something is waited for."""

    def end(self, proposed: str) -> None:
        """The walk is over; ``proposed`` is a configuration, where there is none yet."""


class _Text(_Report):
    """Shows findings to people, as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal = sys.stdout.isatty()
        self._colours = shows_colours(sys.stdout, os.environ)
        self._waits_for = ""

    def found(self, finding: Finding) -> None:
        super().found(finding)
        self._erase_waiting()
        sign = _SIGNS[finding.outcome]
        if self._colours:
            sign = coloured(sign, _COLOURS[finding.outcome])
        print(f"{sign} {finding.step:{_LONGEST_STEP}}  {printable(finding.what)}", flush=True)
        if finding.advice:
            indent = " " * (_LONGEST_STEP + 4)
            lines = textwrap.wrap(printable(finding.advice), _WIDTH - len(indent))
            print(textwrap.indent("\n".join(lines), indent), flush=True)

    def waiting(self, what: str, seconds: float) -> None:
        text = f"… waiting for {what}"
        if self._terminal:
            print(f"\r\x1b[K{text}, {seconds:.0f} s at most", end="", flush=True)
        elif what != self._waits_for:
            print(f"{text}, {seconds:.0f} s at most", flush=True)
        self._waits_for = what

    def end(self, proposed: str) -> None:
        self._erase_waiting()
        if proposed:
            print(f"\n{proposed}", end="")
        elif self.failed:
            print(f"\n{self.failed} of these steps need your attention.")
        else:
            print("\nNothing is wrong.")

    def _erase_waiting(self) -> None:
        if self._terminal and self._waits_for:
            print("\r\x1b[K", end="")
        self._waits_for = ""


class _Json(_Report):
    """Collects findings for programs."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[dict[str, Any]] = []

    def found(self, finding: Finding) -> None:
        super().found(finding)
        self._steps.append(asdict(finding))

    def end(self, proposed: str) -> None:
        result: dict[str, Any] = {"ok": not self.failed, "steps": self._steps}
        if proposed:
            result["proposal"] = proposed
        print(json.dumps(result))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds is wanted")
    return seconds
