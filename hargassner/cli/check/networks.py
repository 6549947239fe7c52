"""The steps that look at this machine's interfaces to the two networks."""

from collections.abc import Callable, Mapping
from itertools import filterfalse
from operator import attrgetter
from typing import NamedTuple

from hargassner.cli.check.context import Context, Network
from hargassner.cli.check.machine import Interface, interfaces
from hargassner.cli.check.report import Outcome
from hargassner.network.interface import CannotOpenError, is_own_address


class Problem(NamedTuple):
    """What is wrong, and what the owner can do about it."""

    what: str
    advice: str

    def of(self, interface: Interface) -> "Problem":
        """The same with an interface filled in."""
        return Problem(self.what.format(interface), self.advice.format(interface))


def check_network(context: Context, network: Network) -> None:
    """Report whether this machine is in a network as the configuration says."""
    step = f"the {network.name}'s network"
    if network.interface.interface:
        shown, problem = _look_at_interface(network)
    else:
        shown, problem = str(network.interface), _address_problem(network)
    if problem is None:
        context.found(step, Outcome.OK, shown)
    else:
        context.found(step, Outcome.FAILED, problem.what, problem.advice)


def _look_at_interface(network: Network) -> tuple[str, Problem | None]:
    found = {each.name: each for each in interfaces()}
    name, address = network.interface.interface, network.interface.configured_address
    return str(found.get(name, name)), interface_problem(name, address, found)


def _address_problem(network: Network) -> Problem | None:
    try:
        network.interface.device()
    except CannotOpenError as wrong:
        name = network.name
        return Problem(
            str(wrong), f"Correct {name}.address, or name the interface in {name}.interface."
        )
    return None


_PROBLEMS: tuple[tuple[Callable[[Interface], bool], Problem], ...] = (
    (
        lambda each: not each.up,
        Problem("{0.name} is switched off", "Switch it on: sudo ip link set {0.name} up"),
    ),
    (
        lambda each: not each.running,
        Problem(
            "nothing is plugged into {0.name}",
            "Look at the cable, and whether the device at its other end is switched on.",
        ),
    ),
    (
        lambda each: not each.address,
        Problem("{0.name} has no IPv4 address", "Give {0.name} a fixed one (packaging/README.md)."),
    ),
)
"""What an interface that is there can lack, the first cause first."""


def interface_problem(name: str, address: str, found: Mapping[str, Interface]) -> Problem | None:
    """What is wrong with an interface, if anything is.

    Args:
        name: the interface that the configuration names.
        address: the address that it should have, empty for any.
        found: this machine's interfaces by their names; empty where the system does not tell.
    """
    if not found:
        return None
    if name not in found:
        return _no_such_interface(name, found)
    return _lack(found[name]) or _other_address(found[name], address)


def _lack(interface: Interface) -> Problem | None:
    for lacks, problem in _PROBLEMS:
        if lacks(interface):
            return problem.of(interface)
    return None


def _other_address(interface: Interface, address: str) -> Problem | None:
    if not address or is_own_address(address):
        return None
    return Problem(
        f"this machine does not have the address {address}; {interface.name} has "
        f"{interface.address}",
        "Correct the address in the configuration, or leave it out.",
    )


def _no_such_interface(name: str, found: Mapping[str, Interface]) -> Problem:
    others = filterfalse(attrgetter("loopback"), found.values())
    listed = ", ".join(sorted(each.name for each in others)) or "none"
    return Problem(f"there is no interface {name}", f"This machine has {listed}.")
