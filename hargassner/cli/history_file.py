"""Where the commands find the bridge's history."""

import argparse
import os
from pathlib import Path

from hargassner.config import Config, ConfigError, find_config, load_config
from hargassner.storage.directory import StateDirectory, state_directory

SERVICE_STATE = Path("/var/lib/hargassner")
"""Where the service's unit has the state."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options by which the history is found."""
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help="the bridge's configuration file (default: where the bridge looks for it)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIRECTORY",
        help="the bridge's state directory (default: as configured)",
    )


def configuration(path: Path | None) -> Config:
    """The bridge's configuration; the defaults where there is none.

    Raises:
        ConfigError: the file that was named, or the one that there is, cannot be used.
    """
    if path is not None:
        return load_config(path)
    try:
        found = find_config(os.environ, Path.cwd())
    except ConfigError:
        return Config()
    return load_config(found)


def directory(state: Path | None, config: Config) -> StateDirectory:
    """The state directory: as it is named, as configured, else the service's if it has one."""
    return StateDirectory(state or _configured(config))


def _configured(config: Config) -> Path:
    named = config.state.directory or os.environ.get("STATE_DIRECTORY")
    configured = state_directory(config.state.directory, os.environ)
    places = [configured] if named else [configured, SERVICE_STATE]
    return next(filter(Path.exists, places), configured)
