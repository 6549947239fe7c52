"""What the datagrams of discovery say."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.discovery.packets import (
    Announcement,
    NotDiscoveryError,
    ServiceList,
    asks,
    parse_announcement,
    parse_service_list,
)
from tests.discovery.packets import (
    ANNOUNCEMENT,
    DIAGNOSTICS,
    DIAGNOSTICS_WANTED,
    SERVICES,
    SERVICES_WANTED,
)
from tests.shared import session_starts


class AnnouncementTests(SynchronousTestCase):
    """The gateway's word that it starts over."""

    def test_software_and_serial_number_are_read(self) -> None:
        self.assertEqual(Announcement("6.4.1", "0012345"), parse_announcement(ANNOUNCEMENT))

    def test_another_layout_is_tolerated(self) -> None:
        for data, read in (
            (b"HargaWebApp", Announcement("", "")),
            (b"HargaWebApp v6", Announcement("6", "")),
            (b"HargaWebApp 7.0.0-rc1\nSN:0012345\n", Announcement("7.0.0-rc1", "0012345")),
            (b"HargaWebApp\r\nSN:0012345\r\nMAC:44b7d0\0", Announcement("", "0012345")),
            (b"HargaWebApp v6.4.1\r\nSN:", Announcement("6.4.1", "")),
            (b"HargaWebApp v\xff\xfe\r\nSN:\0", Announcement("ÿþ", "")),
        ):
            self.assertEqual(parse_announcement(data), read, data)

    def test_what_is_read_is_bounded(self) -> None:
        read = parse_announcement(b"HargaWebApp v" + b"6" * 65_000)
        self.assertLess(len(read.software), 100)

    def test_anything_else_is_refused(self) -> None:
        for data in (b"", b"hargawebapp v6.4.1", b" HargaWebApp", SERVICES, SERVICES_WANTED):
            self.assertRaises(NotDiscoveryError, parse_announcement, data)

    @given(st.binary() | st.binary().map(lambda rest: b"HargaWebApp" + rest))
    def test_any_bytes_are_an_announcement_or_refused(self, data: bytes) -> None:
        """And what was read can be shown on one line."""
        try:
            read = parse_announcement(data)
        except NotDiscoveryError:
            self.assertFalse(data.startswith(b"HargaWebApp"))
        else:
            self.assertTrue((read.software + read.serial + "x").isprintable())


class ServiceListTests(SynchronousTestCase):
    """The boiler's answer."""

    def test_model_firmware_and_system_code_are_read(self) -> None:
        self.assertEqual(318, len(SERVICES))
        self.assertEqual(
            ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE"), parse_service_list(SERVICES)
        )

    def test_a_captured_one_is_read(self) -> None:
        for path in session_starts():
            [data] = {
                each["data"].encode("latin-1")
                for each in json.loads(path.read_text())["steps"]
                if each["proto"] == "udp" and each["from"] == "boiler"
            }
            read = parse_service_list(data)
            self.assertEqual("HSV/CL 9-60KW", read.model)
            self.assertRegex(read.firmware, r"\AV14\.0..\Z")
            self.assertRegex(read.system_code, r"\A[0-9A-F]{8}\Z")

    def test_a_longer_one_says_the_same(self) -> None:
        longer = SERVICES + b"new.cgi".ljust(32, b"\0")
        self.assertEqual(parse_service_list(longer), parse_service_list(SERVICES))

    def test_a_shorter_one_says_less(self) -> None:
        for size, read in (
            (317, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")),
            (312, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BAD")),
            (308, ServiceList("HSV/CL 9-60KW", "V14.0n3", "")),
            (32, ServiceList("HSV/CL 9-60KW", "V14.0n3", "")),
            (15, ServiceList("HSV/CL 9-60KW", "", "")),
            (4, ServiceList("HS", "", "")),
        ):
            self.assertEqual(parse_service_list(SERVICES[:size]), read, size)

    def test_a_name_without_firmware_is_a_model(self) -> None:
        for name in (b"Nano.2(.3) 15", b"V14.0n3", b"Vario"):
            data = b"\x00\x02" + name.ljust(30, b"\0")
            self.assertEqual(ServiceList(name.decode(), "", ""), parse_service_list(data))

    def test_what_cannot_be_shown_is_left_out(self) -> None:
        data = b"\x00\x02" + b"HSV\x1b[31m\r\n V14.0n3".ljust(30, b"\0")
        self.assertEqual(ServiceList("HSV[31m", "V14.0n3", ""), parse_service_list(data))

    def test_another_boilers_list_begins_with_its_name(self) -> None:
        for data, read in (
            (b"HSV/CL etc", ServiceList("HSV/CL etc", "", "")),
            (b"HSV/CL 9-60KW V14.0n3\0par.cgi\0", ServiceList("HSV/CL 9-60KW", "V14.0n3", "")),
            (b"Nano-PK V14.0o\r\npar.cgi\r\n", ServiceList("Nano-PK", "V14.0o", "")),
            (b"HSV".ljust(308, b"\0") + b"0BADCAFE\0\0", ServiceList("HSV", "", "0BADCAFE")),
            (b"HSV".ljust(308, b"\0") + b"get lost!\0", ServiceList("HSV", "", "")),
        ):
            self.assertEqual(parse_service_list(data), read, data)

    def test_what_names_nothing_is_refused(self) -> None:
        for data in (b"", b"\0", b"\0\3" + SERVICES[2:], b"\r\n", b"\x1b\0HSV"):
            self.assertRaises(NotDiscoveryError, parse_service_list, data)

    @given(st.binary(max_size=400).map(lambda rest: b"\0\2" + rest) | st.binary())
    def test_any_bytes_are_a_service_list_or_refused(self, data: bytes) -> None:
        """And what was read can be shown on one line."""
        try:
            read = parse_service_list(data)
        except NotDiscoveryError:
            self.assertFalse(data.startswith(b"\0\2"))
        else:
            self.assertTrue((read.model + read.firmware + read.system_code + "x").isprintable())


class QuestionTests(SynchronousTestCase):
    """What a boiler answers."""

    def test_only_questions_ask(self) -> None:
        self.assertTrue(asks(SERVICES_WANTED))
        self.assertTrue(asks(DIAGNOSTICS_WANTED))
        for data in (b"", b"get", ANNOUNCEMENT, DIAGNOSTICS, SERVICES):
            self.assertFalse(asks(data), data)
