"""How ``twist`` and ``twistd`` start the bridge."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twisted.application.service import IService
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from hargassner.config import find_config
from hargassner.without_tls import leave_tls_out, wants_tls

if TYPE_CHECKING:
    from hargassner.reactor import IBridgeReactor


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

    def postOptions(self) -> None:
        """Leave TLS out where nothing configured speaks it; the reactor is installed after this."""
        with suppress(OSError, ValueError, UsageError):
            if not wants_tls(self.path()):
                leave_tls_out()

    def path(self) -> Path:
        """The configuration file.

        Raises:
            ConfigError: none is named, and none is there.
        """
        named = self["config"]
        return Path(named) if named else find_config(os.environ, Path.cwd())


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage: imports make next to none, and the looking is a tenth of their cost."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def makeService(options: Options, reactor: "IBridgeReactor | None" = None) -> IService:
    """The bridge, as its configuration wants it.

    Raises:
        SystemExit: the configuration cannot be used; the message is the line for the user.
    """
    with _without_collecting():
        return _service(options, reactor)


def _service(options: Options, reactor: "IBridgeReactor | None") -> IService:
    from hargassner.allocation import keep_little
    from hargassner.clock import run_evenly
    from hargassner.config import ConfigError, load_config
    from hargassner.service import Bridge
    from hargassner.startup import check_machine
    from hargassner.threads import give_way_soon

    reactor = reactor or _running_reactor()
    run_evenly(reactor)
    keep_little()
    give_way_soon()
    where = ""
    try:
        path = options.path()
        config = load_config(path)
        where = f"{path}: "
        check_machine(config, os.environ)
    except ConfigError as wrong:
        raise SystemExit(f"hargassner: {where}{wrong}") from None
    return cast("IService", Bridge(config, reactor))


def _running_reactor() -> "IBridgeReactor":
    from twisted.internet import reactor

    return cast("IBridgeReactor", reactor)
