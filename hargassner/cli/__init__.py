"""The command ``hargassner``: tools around the bridge, which itself runs under ``twist``."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from hargassner import __version__
from hargassner.cli.exit_status import INTERRUPTED, failed

COMMANDS = {
    "watch": "hargassner.cli.watch",
    "setup": "hargassner.cli.setup.command",
    "check": "hargassner.cli.check.command",
    "simulate": "hargassner.cli.simulate",
    "decode": "hargassner.cli.decode",
    "replay": "hargassner.cli.replay",
    "export": "hargassner.cli.export",
    "import": "hargassner.cli.import_recordings",
}
"""The module of each command; it is imported when somebody names the command, or wants to know what
there is. Each has ``SUMMARY``, ``DETAILS``, ``configure(parser)`` and ``run(arguments)``."""


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """What reads the command line, with the command that it begins with, or with all of them."""
    whole = argparse.ArgumentParser(
        prog="hargassner",
        description="Tools for the bridge between a Hargassner boiler and the maker's gateway.",
        epilog="The bridge itself: twist hargassner --config FILE",
    )
    whole.add_argument("--version", action="version", version=f"hargassner-bridge {__version__}")
    names = whole.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS.keys() & words[:1] or COMMANDS:
        command = import_module(COMMANDS[name])
        own = names.add_parser(
            name,
            help=command.SUMMARY,
            description=command.SUMMARY,
            epilog=command.DETAILS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(own)
        own.set_defaults(run=command.run)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the result is the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    chosen = parser(words).parse_args(words)
    try:
        status: int = chosen.run(chosen)
    except BrokenPipeError:
        # Whoever read our output, such as head, has seen enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        failed(words[0], "interrupted")
        return INTERRUPTED
    return status
