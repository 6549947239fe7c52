"""Constants of the program that tests of whole processes make shorter, and where they are."""

from enum import StrEnum
from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase


class Constant(StrEnum):
    """A module and a name in it; all are seconds unless it says otherwise."""

    INTERFACE_LOOK = "hargassner.network.reopening.LOOK_EVERY"
    DESCRIPTOR_LOOK = "hargassner.network.accepting.LOOK_EVERY"
    LOSS_OPTIONS = "hargassner.network.sockets._LOSS_OPTIONS"
    """Options of TCP sockets, by name."""
    FINDER_ASKS = "hargassner.discovery.finder.ASK_EVERY"
    FINDER_LOOKS = "hargassner.discovery.finder.LOOK_EVERY"
    FINDER_CONNECTS = "hargassner.discovery.finder.CONNECT_WITHIN"
    DIRECT_RETRY = "hargassner.monitor.direct_telemetry.RETRY_LONGEST"
    START_OVER = "hargassner.proxy.start_over.START_OVER_TIMEOUT"
    TELEMETRY = "hargassner.boiler.model.TELEMETRY_TIMEOUT"
    MODEL_TICK = "hargassner.service.TICK"
    KEEPALIVE = "hargassner.mqtt.engine.KEEPALIVE"
    MIGRATION = "hargassner.homeassistant.migration.MIGRATION_TIMEOUT"
    MIGRATION_PAUSE = "hargassner.homeassistant.migration.MIGRATION_PAUSE"
    ANNOUNCER_SETTLES = "hargassner.homeassistant.announcer.SETTLE"
    REQUESTS_APART = "hargassner.control.pacing.APART"
    COMMANDS_BETWEEN = "hargassner.control.pacing.BETWEEN"
    READ_PAUSE = "hargassner.control.session_line.READ_PAUSE"
    HISTORY_LOOKS = "hargassner.storage.history.service.LOOK_EVERY"
    PAGE_PERIOD = "hargassner.web.stream.PERIOD"
    PAGE_RETRY = "hargassner.web.stream.RETRY"
    """Milliseconds."""
    CHECK_ASKS = "hargassner.cli.check.devices.ASK_EVERY"
    CHECK_LOOKS = "hargassner.cli.check.context._LOOK_EVERY"
    CHECK_HOME = "hargassner.cli.check.connections.HOME_TIMEOUT"


def shorten(case: SynchronousTestCase, constant: Constant, value: object) -> None:
    """Give a constant another value in this process, for the time of a test."""
    module, _, name = constant.rpartition(".")
    case.patch(import_module(module), name, value)
