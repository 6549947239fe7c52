"""How ``twist`` and ``twistd`` start the bridge."""

import os
from pathlib import Path
from typing import cast

from twisted.application.service import IService
from twisted.python.usage import Options as UsageOptions

from hargassner.clock import run_evenly
from hargassner.config import ConfigError, find_config, load_config
from hargassner.reactor import IBridgeReactor
from hargassner.service import Bridge
from hargassner.startup import check_machine


class Options(UsageOptions):
    """The command line of ``twist hargassner``."""

    synopsis = "[--config FILE]"
    longdesc = "A transparent bridge between a Hargassner boiler and the maker's Internet gateway."
    optParameters = [  # noqa: RUF012
        [
            "config",
            "c",
            None,
            "The configuration file (default: $HARGASSNER_CONFIG, else ./hargassner.toml, else "
            "/etc/hargassner/hargassner.toml).",
        ],
    ]


def makeService(options: Options, reactor: IBridgeReactor | None = None) -> IService:
    """The bridge, as its configuration wants it.

    Raises:
        SystemExit: the configuration cannot be used; the message is the line for the user.
    """
    if reactor is None:
        from twisted.internet import reactor as running

        reactor = cast("IBridgeReactor", running)
    run_evenly(reactor)
    try:
        named = options["config"]
        path = Path(named) if named else find_config(os.environ, Path.cwd())
        config = load_config(path)
        try:
            check_machine(config, os.environ)
        except ConfigError as wrong:
            raise ConfigError(f"{path}: {wrong}") from None
    except ConfigError as wrong:
        raise SystemExit(f"hargassner: {wrong}") from None
    return cast("IService", Bridge(config, reactor))
