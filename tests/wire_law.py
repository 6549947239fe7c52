"""The law of the wires: whatever the bridge sends was due, and nothing is sent besides.

- A datagram that one side of a bridge sends corresponds to one that a device sent on the other
  network, or to nothing that is allowed.  Each one that was heard is used once by each side.
- What was broadcast is broadcast, what was unicast is unicast.
- A connection to the boiler corresponds to one that was opened to the bridge's telnet port.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.wires import Datagram, Opening, Seen

TELNET = 23
BOILER_PORT = 35601
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BridgeSide:
    """One side of one bridge: what it sends, and what its opposite hears.

    Args:
        bridge: the station.
        network: where it sends.
        address: from this address.
        heard_on: the network that the opposite side hears.
        heard_at: the address of the opposite side there.
        to_boiler: whether this is the side towards the boiler.
    """

    bridge: str
    network: str
    address: str
    heard_on: str
    heard_at: str
    to_boiler: bool

    def sends(self, one: Datagram) -> bool:
        """Whether this side sent it."""
        return (one.sender, one.network, one.source[0]) == (self.bridge, self.network, self.address)

    def may_hear(self, one: Datagram) -> bool:
        """Whether the opposite side hears it."""
        return one.network == self.heard_on and (one.broadcast or one.target[0] == self.heard_at)

    def is_answer(self, one: Datagram) -> bool:
        """Whether it is a boiler's answer that the opposite side has sent on."""
        return (one.sender, one.network, one.source) == (
            self.bridge,
            self.heard_on,
            (self.heard_at, BOILER_PORT),
        ) and not one.broadcast


def sides_of(
    bridge: str, gateway: tuple[str, str], boiler: tuple[str, str]
) -> tuple[BridgeSide, BridgeSide]:
    """Both sides of a bridge, from the network and the address of each."""
    return (
        BridgeSide(bridge, *gateway, *boiler, False),
        BridgeSide(bridge, *boiler, *gateway, True),
    )


@dataclass(frozen=True, slots=True)
class Law:
    """What is due on the wires of one test.

    Args:
        sides: all sides of all bridges.
        direct_telemetry: whether the bridge may connect to the boiler for itself.
        besides: what else it may send, as "udp 53" or "tcp 80", and why.
        among_bridges: whether a bridge may take another's datagram for a device's.
    """

    sides: Sequence[BridgeSide]
    direct_telemetry: bool
    besides: Mapping[str, str]
    among_bridges: bool = False

    def broken_by(self, seen: Sequence[Seen]) -> list[str]:
        """What was sent and was not due, in the order of time, each in a sentence."""
        seen = sorted(seen, key=lambda one: one.time)
        bridges = {side.bridge for side in self.sides}
        datagrams = [one for one in seen if isinstance(one, Datagram)]
        sent = [one for one in datagrams if one.sender in bridges and not self._is_declared(one)]
        wrong = []
        for side in self.sides:
            own = {side.bridge} if self.among_bridges else bridges
            heard = [one for one in datagrams if one.sender not in own]
            answers = [one.time for one in sent if side.is_answer(one)]
            known = min(answers, default=float("inf"))
            wrong += _not_relayed(side, heard, [one for one in sent if side.sends(one)], known)
        for one in sent:
            if not any(side.sends(one) for side in self.sides):
                wrong.append((one.time, f"from an address that is not the bridge's: {one}"))
        wrong += self._not_asked_for([one for one in seen if isinstance(one, Opening)], bridges)
        for other in seen:
            if not isinstance(other, Datagram | Opening) and other.sender in bridges:
                wrong.append((other.time, f"neither a datagram nor a connection: {other}"))
        return [words for _, words in sorted(wrong)]

    def undelivered(self, seen: Sequence[Seen]) -> list[Datagram]:
        """What a device sent and a bridge did not send on."""
        bridges = {side.bridge for side in self.sides}
        datagrams = [one for one in seen if isinstance(one, Datagram)]
        missing = []
        for side in self.sides:
            left = defaultdict(int)
            for one in datagrams:
                if side.sends(one):
                    left[_what(one)] += 1
            for one in datagrams:
                if one.sender not in bridges and side.may_hear(one):
                    left[_what(one)] -= 1
                    if left[_what(one)] < 0:
                        missing.append(one)
        return missing

    def _is_declared(self, one: Datagram | Opening) -> bool:
        kind = "udp" if isinstance(one, Datagram) else "tcp"
        return f"{kind} {one.target[1]}" in self.besides

    def _not_asked_for(
        self, openings: Sequence[Opening], bridges: set[str]
    ) -> list[tuple[float, str]]:
        wrong = []
        for side in (side for side in self.sides if side.to_boiler):
            asked = 0
            for one in openings:
                if one.sender not in bridges:
                    asked += (one.network, one.target) == (side.heard_on, (side.heard_at, TELNET))
                elif one.sender != side.bridge or self._is_declared(one):
                    continue
                elif (one.network, one.target[1]) != (side.network, TELNET):
                    wrong.append((one.time, f"no such connection is due: {one}"))
                elif not self.direct_telemetry:
                    asked -= 1
                    if asked < 0:
                        wrong.append((one.time, f"nobody connected to the bridge for it: {one}"))
        return wrong


def _what(one: Datagram) -> tuple[bytes, int, int]:
    return (one.payload, one.source[1], one.target[1])


def _not_relayed(
    side: BridgeSide, heard: Sequence[Datagram], sent: Sequence[Datagram], boiler_known: float
) -> list[tuple[float, str]]:
    """What a side sent that is no copy of what the other side heard.

    From ``boiler_known`` on the bridge knows where the boiler is.
    """
    unused = defaultdict(list)
    for one in heard:
        if side.may_hear(one):
            unused[_what(one)].append(one)
    wrong = []
    for one in sent:
        earlier = [each for each in unused[_what(one)] if each.time <= one.time]
        alike = [each for each in earlier if each.broadcast == one.broadcast]
        # Until the boiler is known, what is for it alone has to be for everybody.
        widened = side.to_boiler and one.broadcast and one.time <= boiler_known
        if alike or (earlier and widened):
            unused[_what(one)].remove((alike or earlier)[0])
        elif earlier:
            unused[_what(one)].remove(earlier[0])
            wrong.append((one.time, f"not sent as it was heard ({earlier[0]}): {one}"))
        else:
            wrong.append((one.time, f"nobody sent it, or not so often: {one}"))
        if one.broadcast != one.target[0].endswith(".255"):
            wrong.append((one.time, f"its addresses contradict each other: {one}"))
    return wrong


def told(wrong: Sequence[str]) -> str:
    """The first few of what was wrong, and how many there are."""
    more = [f"… {len(wrong)} in all"] if len(wrong) > _SHOWN else []
    return "\n".join(["not due on the wires:", *wrong[:_SHOWN], *more])


@dataclass(frozen=True, slots=True)
class TelemetryOnlyLaw:
    """What is due of a bridge without a gateway: one question at a time until it is answered.

    - ``get services`` by broadcast, on each of its networks, from the gateway's port to the
      boiler's; not again within ``every`` seconds, and not once a boiler has answered the bridge.
    - Connections to the boiler's telnet port.

    Args:
        addresses: the bridge's, by the networks in which it looks for the boiler.
        every: seconds; what the timers of a busy machine may miss is subtracted.
    """

    addresses: Mapping[str, str]
    every: float

    def broken_by(self, seen: Sequence[Seen]) -> list[str]:
        """What was sent and was not due, in the order of time, each in a sentence."""
        wrong = []
        due = dict.fromkeys(self.addresses, float("-inf"))
        for one in sorted(seen, key=lambda one: one.time):
            if self._is_answer(one):
                due = dict.fromkeys(due, float("inf"))
            elif one.sender != "bridge" or self._is_connection(one):
                continue
            elif not self._is_question(one):
                wrong.append(f"not due: {one}")
            else:
                if one.time < due[one.network]:
                    wrong.append(f"asked too soon, or after the answer: {one}")
                due[one.network] = max(due[one.network], one.time + self.every)
        return wrong

    def undelivered(self, _seen: Sequence[Seen]) -> list[Datagram]:
        """Nothing is to be sent on."""
        return []

    def _is_answer(self, one: Seen) -> bool:
        match one:
            case Datagram(sender="boiler", source=(_, 35601), target=target):
                return target == (self.addresses[one.network], 50000)
        return False

    def _is_question(self, one: Seen) -> bool:
        match one:
            case Datagram(broadcast=True, payload=b"get services\0"):
                source = (self.addresses.get(one.network), 50000)
                return one.source == source and one.target[1] == BOILER_PORT
        return False

    def _is_connection(self, one: Seen) -> bool:
        match one:
            case Opening(network="boiler", target=(_, port)):
                return port == TELNET
        return False
