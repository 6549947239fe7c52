"""The walk through the chain, step by step.

It listens where the bridge would listen, asks the boiler what the gateway would ask it, and opens
the connections that the bridge would open. It changes nothing: no datagram is passed on, and what
it publishes is not retained. Where a bridge runs already, that one is asked what it sees.
"""

from contextlib import closing

from twisted.internet.defer import ensureDeferred

from hargassner.cli.check.broker import Visit
from hargassner.cli.check.connections import (
    boiler_host,
    look_at_broker,
    read_telemetry,
    report_no_broker,
)
from hargassner.cli.check.context import Context
from hargassner.cli.check.devices import look_for_boiler, wait_for_gateway
from hargassner.cli.check.forwards import look_at_forwards
from hargassner.cli.check.networks import check_network
from hargassner.cli.check.ports import open_ports
from hargassner.cli.check.report import Reporter
from hargassner.config import Config
from hargassner.reactor import IBridgeReactor


async def walk(config: Config, reactor: IBridgeReactor, wait: float, reporter: Reporter) -> None:
    """Walk through the chain; every finding has been reported at the end.

    Args:
        config: what the owner has configured.
        reactor: everything runs on it.
        wait: seconds to wait for the gateway's announcement.
        reporter: gets the finding of each step.
    """
    context = Context(config, reactor, reporter)
    # Home Assistant may start while the gateway is waited for.
    visit = _begin_visit(config, reactor)
    with closing(context):
        if config.gateway.enabled:
            await _look_at_both_networks(context, wait)
        else:
            await _look_at_boilers_network(context)
    await read_telemetry(context)
    if config.gateway.enabled:
        await look_at_forwards(context, boiler_host(context))
    if visit is None:
        report_no_broker(context)
    else:
        await look_at_broker(context, visit)


async def _look_at_both_networks(context: Context, wait: float) -> None:
    check_network(context, context.gateway)
    check_network(context, context.boiler)
    await open_ports(context)
    await look_for_boiler(context)
    await wait_for_gateway(context, wait)


async def _look_at_boilers_network(context: Context) -> None:
    """Without a gateway, the boiler is looked for where its address is not known only."""
    check_network(context, context.boiler)
    if not context.config.boiler.host:
        await open_ports(context)
        await look_for_boiler(context)


def _begin_visit(config: Config, reactor: IBridgeReactor) -> Visit | None:
    if not config.mqtt.url:
        return None
    visit = Visit(config.mqtt, config.homeassistant, reactor)
    ensureDeferred(visit.begin())
    return visit
