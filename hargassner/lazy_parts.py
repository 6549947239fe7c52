"""The parts that nobody on the wire waits for, each imported and built when it is first asked for.

Whoever starts them asks when the telnet port is open.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hargassner.boiler.model import Boiler
from hargassner.clock import IClock
from hargassner.config import Config
from hargassner.reactor import IBridgeReactor
from hargassner.storage.directory import StateDirectory

if TYPE_CHECKING:
    from hargassner.mqtt.link import BrokerLink
    from hargassner.storage.history.service import History


@dataclass(frozen=True)
class LazyParts:
    """The history and the link to the broker.

    Args:
        config: what the owner configured.
        reactor: everything runs on it.
        clock: time.
        boiler: the model, of which the history is.
        state: where the history's file is.
    """

    config: Config
    reactor: IBridgeReactor
    clock: IClock
    boiler: Boiler
    state: StateDirectory

    @cached_property
    def history(self) -> "History | None":
        """Keeps the history; None where none is configured."""
        if not self.config.history.enabled:
            return None
        # SQLite is loaded only where it is used.
        from hargassner.storage.history.opening import clock_is_set
        from hargassner.storage.history.service import History
        from hargassner.storage.history.store import Store

        store = Store(self.state, self.reactor)
        return History(self.boiler, self.state, store, self.clock, clock_is_set)

    @cached_property
    def broker(self) -> "BrokerLink | None":
        """The link to the broker; None where none is configured."""
        if not self.config.mqtt.url:
            return None
        from hargassner.mqtt.link import BrokerLink

        return BrokerLink(self.config.mqtt, self.reactor)
