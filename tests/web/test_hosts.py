"""What a Host header may say."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.web.hosts import OwnHosts, plain_address

NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


class HostTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.hosts = OwnHosts(["boiler.fritz.box", "203.0.113.9", "2001:db8::9"], lambda: "Pi")

    def accepts(self, header: str, local: str = "192.168.1.5") -> bool:
        return self.hosts.has(header, local)

    @given(address=st.ip_addresses(), other=st.ip_addresses())
    def test_only_the_address_that_was_connected_to_is_meant(
        self, address: ipaddress.IPv4Address, other: ipaddress.IPv4Address
    ) -> None:
        hosts = OwnHosts()
        for port in ("", ":8080"):
            shown = f"[{address}]{port}" if address.version == 6 else f"{address}{port}"
            self.assertTrue(hosts.has(shown, str(address)))
            # Among the addresses are some that are IPv4 within IPv6.
            one, another = plain_address(str(address)), plain_address(str(other))
            alike = one == another or (one.is_loopback and another.is_loopback)
            self.assertEqual(hosts.has(shown, str(other)), alike)

    @given(first=NAMES, last=st.sampled_from(["com", "example", "box", "net", "local.com"]))
    def test_no_name_that_somebody_can_have_on_the_internet_is_meant(
        self, first: str, last: str
    ) -> None:
        hosts = OwnHosts([], lambda: "pi")
        for name in (f"{first}.{last}", f"pi.{last}", f"pi.local.{last}", f"localhost.{last}"):
            for local in ("127.0.0.1", "192.168.1.5", "::1"):
                self.assertFalse(hosts.has(name, local), name)

    @given(header=st.text(max_size=40))
    def test_any_text_is_borne(self, header: str) -> None:
        self.assertIsInstance(OwnHosts([], lambda: "pi").has(header, "192.168.1.5"), bool)

    def test_this_machines_names_are_meant(self) -> None:
        for name in ("pi", "PI:8080", "pi.local", "pi.local.", "pi.lan", "pi.home.arpa"):
            self.assertTrue(self.accepts(name), name)
        for name in ("po", "po.local", "pi.local.evil", "x.pi.local", "", ":8080"):
            self.assertFalse(self.accepts(name), name)

    def test_a_machine_that_has_a_domain_is_meant_by_its_whole_name(self) -> None:
        hosts = OwnHosts([], lambda: "pi.example.org")
        for name in ("pi.example.org", "pi", "pi.local"):
            self.assertTrue(hosts.has(name, "192.168.1.5"), name)
        self.assertFalse(hosts.has("example.org", "192.168.1.5"))

    def test_localhost_is_meant_through_a_tunnel_too(self) -> None:
        for local in ("127.0.0.1", "::1", "192.168.1.5"):
            self.assertTrue(self.accepts("localhost:8080", local))

    def test_loopback_is_loopback(self) -> None:
        self.assertTrue(self.accepts("[::1]:8080", "127.0.0.1"))
        self.assertTrue(self.accepts("127.0.0.1", "::ffff:127.0.0.1"))
        self.assertFalse(self.accepts("127.0.0.1", "192.168.1.5"))

    def test_an_address_is_the_same_however_it_is_written(self) -> None:
        self.assertTrue(self.accepts("192.168.1.5", "::ffff:192.168.1.5"))
        self.assertTrue(self.accepts("[fe80:0:0::1]", "fe80::1%eth0"))

    def test_what_the_owner_adds_is_meant(self) -> None:
        for name in ("boiler.fritz.box", "Boiler.Fritz.Box:80", "203.0.113.9", "[2001:DB8::9]:80"):
            self.assertTrue(self.accepts(name), name)
        self.assertFalse(self.accepts("fritz.box"))
