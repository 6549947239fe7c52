"""The command ``hargassner``: tools around the bridge, which itself runs under ``twist``."""

import argparse
import sys
from collections.abc import Sequence

from hargassner import __version__
from hargassner.cli import decode, export, import_recordings, replay, simulate, watch
from hargassner.cli.check import command as check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="hargassner",
        description="Tools for the bridge between a Hargassner boiler and the maker's gateway.",
        epilog="The bridge itself: twist hargassner --config FILE",
    )
    parser.add_argument("--version", action="version", version=f"hargassner-bridge {__version__}")
    names = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in (
        ("watch", watch),
        ("check", check),
        ("simulate", simulate),
        ("decode", decode),
        ("replay", replay),
        ("export", export),
        ("import", import_recordings),
    ):
        own = names.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        command.configure(own)
        own.set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except BrokenPipeError:
        # Whoever read our output, such as head, has seen enough.
        sys.stderr.close()
        return 0
    return status
