"""However the networks are connected, each datagram is relayed once, and nothing goes round."""

import socket
from dataclasses import replace

from tests.namespaces import (
    BOILER,
    BRIDGE_TO_BOILER,
    BRIDGE_TO_GATEWAY,
    CONFIG,
    GATEWAY,
    Networks,
    SwitchedNetworks,
    receive,
)
from tests.network_case import (
    ANNOUNCEMENT,
    EVERYBODY,
    GET_SERVICES,
    SERVICES,
    NetworkCase,
)
from tests.processes import wait_until
from tests.talkers import hear
from tests.wire_law import Law
from tests.wires import Datagram

REQUEST = b"hargassner.diagnostics.request"
DIAGNOSTICS = b"hargassner.diagnostics\nserialnr:0012345\ntype:info\nmessage:running"
BOILER_DIAGNOSTICS = b"hargassner.diagnostics\nserialnr:0099999\ntype:info\nmessage:running"

# Where both sides are in one network.
OTHER_BRIDGE_ADDRESS = "192.0.2.4"
BOILER_IN_SAME_NETWORK = "192.0.2.5"
BY_ADDRESS = CONFIG.replace('interface = "gw"\n', "").replace('interface = "bo"\n', "")


class TopologyCase(NetworkCase):
    """The gateway and the boiler say everything that they say to each other by datagrams."""

    def all_speak(self) -> None:
        """Broadcasts of both devices, on all ports, and the boiler's answers; twice each."""
        for turn in (b"", b"again"):
            self.broadcast(ANNOUNCEMENT + turn, 50000, 35601)
            self.broadcast(DIAGNOSTICS + turn, 50001, 50002)
            self.broadcast(REQUEST + turn, 50002, 50001)
            self.broadcast(GET_SERVICES + turn, 50000, 35601)
            for one in ((35601, 50000), (50001, 50002), (50002, 50001)):
                self.boiler_says(BOILER_DIAGNOSTICS + turn, *one, EVERYBODY)
            # No boiler answers what it has not heard.
            self.networks.observation.wait_for_rest(silence=0.1)
            self.boiler_says(SERVICES + turn, 35601, 50000, self.networks.bridge_to_boiler)
            self.boiler_says(b"answer" + turn, 50001, 50002, self.networks.bridge_to_boiler)
            self.networks.observation.wait_for_rest()

    def broadcast(self, data: bytes, source: int, target: int) -> None:
        self.say(self.gateway[source], data, (EVERYBODY, target))

    def boiler_says(self, data: bytes, source: int, target: int, host: str) -> None:
        self.say(self.boiler[source], data, (host, target))

    def say(self, sock: socket.socket, data: bytes, where: tuple[str, int]) -> None:
        sock.sendto(data, where)


class SeparateNetworksTests(TopologyCase):
    """Two interfaces, two networks, as is recommended."""

    def test_all_of_it_arrives_and_only_once(self) -> None:
        self.start()
        self.all_speak()
        self.check_all_arrived()

    def test_a_broadcast_stays_a_broadcast_once_both_are_known(self) -> None:
        self.start()
        self.announce()
        self.answer()
        self.broadcast(GET_SERVICES, 50000, 35601)
        self.boiler_says(BOILER_DIAGNOSTICS, 50001, 50002, EVERYBODY)
        self.check_all_arrived()
        for station, network, words in (
            ("bridge", "boiler", GET_SERVICES),
            ("bridge", "gateway", BOILER_DIAGNOSTICS),
        ):
            [relayed] = [one for one in self.sent_by(station, network) if one.payload == words]
            self.assertEqual((True, EVERYBODY), (relayed.broadcast, relayed.target[0]))

    def test_what_was_for_one_goes_to_one(self) -> None:
        self.start()
        self.announce()
        self.answer()
        for sock, bridge, port, words in (
            (self.gateway[50000], BRIDGE_TO_GATEWAY, 35601, b"to the boiler"),
            (self.boiler[35601], BRIDGE_TO_BOILER, 50000, b"to the gateway"),
        ):
            sock.sendto(words, (bridge, port))
        self.check_all_arrived()
        for network, device, words in (
            ("boiler", self.networks.boiler_address, b"to the boiler"),
            ("gateway", GATEWAY, b"to the gateway"),
        ):
            [relayed] = [one for one in self.sent_by("bridge", network) if one.payload == words]
            self.assertEqual((relayed.broadcast, relayed.target[0]), (False, device))

    def test_an_answer_goes_to_the_gateway_and_not_to_the_bridge_itself(self) -> None:
        """Linux hands the bridge its own broadcast of the boiler's question."""
        self.start()
        self.boiler_says(REQUEST + b"\r\n", 50002, 50001, EVERYBODY)
        self.gateway[50001].recvfrom(1000)
        self.broadcast(REQUEST, 50002, 50001)
        _, asker = hear(self.boiler[50001], lambda data: data == REQUEST)
        self.boiler[50001].sendto(b"answer", asker)
        self.assertEqual(
            (BRIDGE_TO_GATEWAY, 50001),
            hear(self.gateway[50002], lambda data: data == b"answer")[1],
        )

    def test_the_telnet_port_is_open_on_one_side_only(self) -> None:
        """As long as the bridge runs, and not to the boiler's network."""
        self.start()
        client = self.opened(self.networks.tcp(self.networks.boiler))
        with self.assertRaises(ConnectionRefusedError):
            client.connect((BRIDGE_TO_BOILER, 23))


class OtherTopologiesCase(TopologyCase):
    """All that is said is relayed once, and a session passes."""

    def speak_and_connect(self) -> None:
        self.start()
        self.all_speak()
        client, boiler = self.connect()
        client.sendall(b"$login token\r\n")
        self.assertEqual(b"$login token\r\n", receive(boiler, 14))


class AddressesTests(OtherTopologiesCase):
    """Two networks, with addresses instead of interfaces."""

    config = BY_ADDRESS

    def test_all_of_it_arrives_and_only_once(self) -> None:
        self.speak_and_connect()
        self.check_all_arrived()


class EqualAddressesTests(OtherTopologiesCase):
    """Both networks use the same addresses, and only the interface tells them apart."""

    config = CONFIG.replace(BRIDGE_TO_BOILER, BRIDGE_TO_GATEWAY)

    def make_networks(self) -> Networks:
        # The boiler has the gateway's own address, on the other network.
        return Networks(GATEWAY, BRIDGE_TO_GATEWAY)

    def test_all_of_it_arrives_and_only_once(self) -> None:
        self.speak_and_connect()
        self.check_all_arrived()


class OneInterfaceTests(OtherTopologiesCase):
    """One interface with two addresses, on a switch with the gateway and the boiler."""

    config = BY_ADDRESS.replace(BRIDGE_TO_BOILER, OTHER_BRIDGE_ADDRESS)
    cables = (("net", (BRIDGE_TO_GATEWAY, OTHER_BRIDGE_ADDRESS)),)

    def make_networks(self) -> Networks:
        return SwitchedNetworks(
            [[(name, "gateway", [*addresses]) for name, addresses in self.cables]],
            [(("gateway", BRIDGE_TO_GATEWAY), ("gateway", OTHER_BRIDGE_ADDRESS))],
            ("gateway", BOILER_IN_SAME_NETWORK),
        )

    def test_nothing_goes_round(self) -> None:
        self.speak_and_connect()
        self.assertIn(
            (SERVICES, (GATEWAY, 50000)),
            [(one.payload, one.target) for one in self.sent_by("bridge", "gateway")],
        )


class OneNamedInterfaceTests(OneInterfaceTests):
    """The same, with the interface named on both sides."""

    config = (
        CONFIG.replace('"gw"', '"net"')
        .replace('"bo"', '"net"')
        .replace(BRIDGE_TO_BOILER, OTHER_BRIDGE_ADDRESS)
    )


class OneSwitchTests(OneInterfaceTests):
    """Two interfaces, both on the switch where the gateway and the boiler are."""

    config = CONFIG.replace(BRIDGE_TO_BOILER, OTHER_BRIDGE_ADDRESS)
    cables = (("gw", (BRIDGE_TO_GATEWAY,)), ("bo", (OTHER_BRIDGE_ADDRESS,)))


class OneSwitchByAddressTests(OneSwitchTests):
    """The same, with addresses instead of interfaces."""

    config = BY_ADDRESS.replace(BRIDGE_TO_BOILER, OTHER_BRIDGE_ADDRESS)


class TwoBridgesCase(TopologyCase):
    """Two bridges between the same two networks."""

    SECOND = ("192.0.2.3", "198.51.100.3")

    def make_networks(self) -> Networks:
        both = ((BRIDGE_TO_GATEWAY, BRIDGE_TO_BOILER), self.SECOND)
        return SwitchedNetworks(
            [[("gw", "gateway", [one]), ("bo", "boiler", [other])] for one, other in both],
            [(("gateway", one), ("boiler", other)) for one, other in both],
            ("boiler", BOILER),
        )

    def setUp(self) -> None:
        super().setUp()
        assert isinstance(self.networks, SwitchedNetworks)
        first = self.launched()
        self.config = self.config.replace(BRIDGE_TO_GATEWAY, self.SECOND[0]).replace(
            BRIDGE_TO_BOILER, self.SECOND[1]
        )
        second = self.launched(namespace=self.networks.bridges[1])
        first.wait_until_up()
        second.wait_until_up()

    def check_nothing_is_lost(self) -> None:
        """Of all that a device said, at least one copy is on the other network."""
        wait_until(lambda: not self.lost(), 3, "a copy of each datagram")

    def lost(self) -> list[Datagram]:
        """What a device said and no bridge has sent to the other network."""
        datagrams = self.networks.observation.datagrams()
        devices = ("gateway", "boiler")
        copied = {(one.payload, one.network) for one in datagrams if one.sender not in devices}
        return [
            one
            for one in datagrams
            for other in devices
            if one.sender in devices and other != one.sender and (one.payload, other) not in copied
        ]


class TwoBridgesTests(TwoBridgesCase):
    """Each relays what the devices say, and nothing of what the other one relayed."""

    def say(self, sock: socket.socket, data: bytes, where: tuple[str, int]) -> None:
        super().say(sock, data, where)
        self.networks.observation.wait_for_rest(silence=0.05)

    def test_at_most_one_copy_a_bridge_and_nothing_comes_back(self) -> None:
        self.all_speak()
        self.check_nothing_is_lost()


class TwoBridgesInABurstTests(TwoBridgesCase):
    """Everything at once: a bridge may hear the other's copy before it has read the original."""

    @property
    def law(self) -> Law:
        return replace(super().law, among_bridges=True)

    def test_each_datagram_that_a_bridge_hears_is_relayed_once_at_most(self) -> None:
        """And they come to rest."""
        self.all_speak()
        self.check_nothing_is_lost()
