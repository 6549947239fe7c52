"""The steps that look for the boiler and the gateway on their networks."""

from collections.abc import Mapping
from contextlib import suppress

from hargassner.cli.check.context import Context
from hargassner.cli.check.frames import foreigners
from hargassner.cli.check.machine import BOILER_MAKER, boiler_leases
from hargassner.cli.check.report import Finding, Outcome
from hargassner.discovery import FoundBoiler, FoundGateway
from hargassner.discovery.packets import GET_SERVICES
from hargassner.network.interface import CannotOpenError
from hargassner.network.networks import ipv4_networks

ASK_EVERY = 2.0
"""Seconds between two questions to the boiler's network."""
ASK_TIMES = 4

_BOILER = "the boiler"
_GATEWAY = "the gateway"
_WITH_LEASE = (
    "Is it switched on, and the gateway or the app switched on at its panel? Has it kept an older "
    "address? Switch its panel off and on."
)
_WITH_GATEWAY = (
    "Is its cable in this port, and has it got an address (does a DHCP server run there)? Switch "
    "its panel off and on, so that it asks for one."
)
_WITHOUT_GATEWAY = (
    "Is it switched on, in this network, and the gateway or the app switched on at its panel? Its "
    "address can be read there too: write it into boiler.host."
)
_LEVELS = {"ok": Outcome.OK, "broken": Outcome.FAILED, "not-understood": Outcome.FAILED}


async def look_for_boiler(context: Context) -> None:
    """Ask for the boiler, or take what a running bridge says of it."""
    leased = _leased()
    if not context.boiler.side.open_ports:
        report_running(context, _BOILER, "boiler", leased or "its ports cannot be opened")
        return
    with foreigners(context.reactor, _device(context)) as heard:
        found = await _ask_for_services(context)
    if found is None:
        context.reporter.found(_no_boiler(context, heard, leased))
    else:
        context.found(_BOILER, Outcome.OK, _answered(found))


def _leased() -> str:
    """Which addresses this machine has given to boilers, in words; empty for none."""
    return ", ".join(f"{each.address} is leased to {each.hardware}" for each in boiler_leases())


def _answered(boiler: FoundBoiler) -> str:
    name = " ".join(filter(None, (boiler.services.model, boiler.services.firmware)))
    return f"{name or 'a boiler'} answers from {boiler.address}"


async def _ask_for_services(context: Context) -> FoundBoiler | None:
    """Ask as the gateway would, a few times: a datagram can be lost."""
    ports = context.config.discovery
    side, devices = context.boiler.side, context.devices
    for asked in range(ASK_TIMES):
        # No route, say: then nobody answers.
        with suppress(OSError):
            side.send(GET_SERVICES, ports.gateway_port, (side.broadcast, ports.boiler_port))
        left = (ASK_TIMES - asked - 1) * ASK_EVERY
        if await context.until(
            lambda: devices.boiler is not None, ASK_EVERY, "the boiler's answer", left
        ):
            break
    return devices.boiler


def _device(context: Context) -> str:
    """The interface to the boiler's network, empty where sockets are not bound to one."""
    try:
        return context.boiler.interface.device()
    except (CannotOpenError, OSError):
        return ""


def _foreign_boiler(heard: Mapping[str, str], device: str) -> Finding:
    """A boiler that seems to be there with an address of another network.

    Args:
        heard: who was heard in the boiler's network, hardware addresses by addresses.
        device: the interface to it.
    """
    boilers = [*filter(lambda each: heard[each].startswith(BOILER_MAKER), heard)]
    who = "its address" if boilers else "somebody is there, but the address"
    address = next(iter(boilers or heard))
    network = ", ".join(map(str, ipv4_networks(device)))
    what = f"{who} {address} is not in this port's network ({network} on {device})"
    advice = (
        "Set the panel's network to DHCP and switch it off and on, or give "
        f"{device} an address of the panel's network."
    )
    return Finding(_BOILER, Outcome.FAILED, what, advice)


def _no_boiler(context: Context, heard: Mapping[str, str], leased: str) -> Finding:
    if heard:
        return _foreign_boiler(heard, _device(context))
    if leased:
        what = f"it does not answer, though {leased}"
        return Finding(_BOILER, Outcome.FAILED, what, _WITH_LEASE)
    advice = _WITH_GATEWAY if context.config.gateway.enabled else _WITHOUT_GATEWAY
    what = f"nothing answers on {context.boiler.interface}"
    return Finding(_BOILER, Outcome.FAILED, what, advice)


async def wait_for_gateway(context: Context, seconds: float) -> None:
    """Wait for the gateway's announcement, or take what a running bridge says of it."""
    if not context.gateway.side.open_ports:
        report_running(context, _GATEWAY, "gateway", "its ports cannot be opened")
        return
    devices = context.devices
    await context.until(lambda: devices.gateway is not None, seconds, "the gateway's announcement")
    if devices.gateway is None:
        context.reporter.found(_no_gateway(context, seconds))
    else:
        context.found(_GATEWAY, Outcome.OK, _announced(devices.gateway))


def _announced(gateway: FoundGateway) -> str:
    serial = gateway.announcement.serial or "without number"
    software = gateway.announcement.software or "unknown"
    return f"{serial} announced itself from {gateway.address}, software {software}"


def _no_gateway(context: Context, seconds: float) -> Finding:
    what = f"no announcement within {seconds:g} s"
    if context.strangers:
        what += f", though {', '.join(sorted(context.strangers)[:3])} sent something else"
    advice = (
        "It announces itself only before a new dialogue: unplug it for a moment, and check "
        f"again with a longer --wait. Is it in the network of {context.gateway.interface}? Without "
        "a gateway, write enabled = false into [gateway]."
    )
    return Finding(_GATEWAY, Outcome.FAILED, what, advice)


def report_running(context: Context, step: str, link: str, otherwise: str) -> None:
    """Report what the running bridge says of a link, or ``otherwise`` if none can be asked."""
    said = context.running.get(link)
    if said is None:
        context.found(step, Outcome.SKIPPED, otherwise)
    else:
        what = ", ".join(filter(None, (said.text, said.address)))
        outcome = _LEVELS.get(said.level, Outcome.SKIPPED)
        context.found(step, outcome, f"the bridge says: {what}", said.advice)
