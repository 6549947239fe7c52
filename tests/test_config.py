"""The configuration file: its defaults, and how it is refused."""

from codecs import BOM_UTF8
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import (
    Config,
    ConfigError,
    config_from,
    find_config,
    is_on_loopback,
    load_config,
)

DEFAULTS = {
    "gateway": {
        "enabled": True,
        "interface": "",
        "address": "",
        "telnet_port": 23,
        "allow": ("igw",),
        "forward": (),
        "forward_allow": (),
        "broadcast": "255.255.255.255",
    },
    "boiler": {
        "interface": "",
        "address": "",
        "host": "",
        "telnet_port": 23,
        "broadcast": "255.255.255.255",
        "direct_telemetry": True,
        "descriptor": "",
    },
    "discovery": {
        "boiler_port": 35601,
        "gateway_port": 50000,
        "boiler_diagnostics_port": 50001,
        "gateway_diagnostics_port": 50002,
    },
    "mqtt": {
        "url": "",
        "username": "",
        "password": "",
        "password_file": "",
        "ca_file": "",
        "client_certificate": "",
        "client_key": "",
        "topic_prefix": "hargassner",
        "node": "boiler",
    },
    "homeassistant": {
        "discovery": "device",
        "prefix": "homeassistant",
        "language": "en",
        "entities": "standard",
    },
    "telemetry": {"interval": 10, "hidden": "auto"},
    "control": {
        "parameters": ("auto",),
        "while_display_in_use": "allow",
        "timeout": 5,
    },
    "energy": {"enabled": True, "pellet_kwh_per_kg": 4.8, "efficiency": 0.9},
    "web": {"listen": "tcp:8080:interface=127.0.0.1", "hosts": ()},
    "manhole": {"listen": "", "username": "admin", "password": ""},
    "state": {"directory": ""},
    "recording": {"directory": ""},
    "history": {"enabled": True},
}

# What is given, and a word of what the line must say is allowed.
REFUSED: list[tuple[str, str, Any, str]] = [
    ("gateway", "interface", 0, "network interface"),
    ("gateway", "interface", "much-too-long-a-name", "network interface"),
    ("gateway", "interface", "eth 0", "network interface"),
    ("gateway", "address", "192.168.1", "IPv4 address of this machine"),
    ("gateway", "address", "255.255.255.255", "IPv4 address of this machine"),
    ("gateway", "address", "fe80::1", "IPv4 address of this machine"),
    ("gateway", "address", 1, "IPv4 address of this machine"),
    ("gateway", "telnet_port", 0, "1 to 65535"),
    ("gateway", "telnet_port", 65536, "1 to 65535"),
    ("gateway", "telnet_port", "23", "1 to 65535"),
    ("gateway", "telnet_port", True, "1 to 65535"),
    ("gateway", "telnet_port", 23.0, "1 to 65535"),
    ("gateway", "allow", "igw", "must be a list"),
    ("gateway", "allow", ["gateway"], "networks"),
    ("gateway", "allow", ["10.0.0.1/24"], "networks"),
    ("gateway", "allow", ["::ffff:192.0.2.8"], "networks"),
    ("gateway", "allow", ["192.0.2.300"], "networks"),
    ("gateway", "allow", [1], "networks"),
    ("gateway", "allow", [["igw"]], "networks"),
    ("gateway", "forward", 80, "list of different port numbers"),
    ("gateway", "forward", [0], "list of different port numbers"),
    ("gateway", "forward", [80, 80], "list of different port numbers"),
    ("gateway", "forward", [23], "must not have gateway.telnet_port"),
    ("gateway", "forward_allow", ["igw"], "networks"),
    ("gateway", "forward_allow", "any", "must be a list"),
    ("gateway", "broadcast", "", "IPv4 address"),
    ("gateway", "broadcast", "0.0.0.0", "IPv4 address"),
    ("boiler", "address", "224.0.0.1", "IPv4 address of this machine"),
    ("boiler", "host", "boiler house", "host name"),
    ("boiler", "host", "boiler..lan", "host name"),
    ("boiler", "host", "-boiler", "host name"),
    ("boiler", "host", "10.0.0.256", "host name"),
    ("boiler", "host", "0.0.0.0", "host name"),
    ("boiler", "host", "a" * 60 + "!", "host name"),
    ("boiler", "host", "abcdefgh." * 40, "host name"),
    ("boiler", "host", ["10.0.0.1"], "host name"),
    ("boiler", "telnet_port", -1, "1 to 65535"),
    ("boiler", "direct_telemetry", "yes", "true or false"),
    ("boiler", "direct_telemetry", 1, "true or false"),
    ("discovery", "boiler_port", 70000, "1 to 65535"),
    ("discovery", "gateway_port", 35601, "another port than discovery.boiler_port"),
    ("discovery", "boiler_port", 50002, "another port than discovery.gateway_diagnostics_port"),
    ("mqtt", "url", "broker.lan", "mqtt://HOST:PORT"),
    ("mqtt", "url", "http://broker.lan", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://broker.lan:99999", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://broker.lan:0", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://bro ker.lan", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://bro\nker.lan", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://broker.lan/topic", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://[::1", "mqtt://HOST:PORT"),
    ("mqtt", "url", "mqtt://me@broker.lan", "keys of their own"),
    ("mqtt", "url", 1883, "mqtt://HOST:PORT"),
    ("mqtt", "username", 7, "a text"),
    ("mqtt", "ca_file", "a\0b", "a text"),
    ("mqtt", "topic_prefix", "", "MQTT topic"),
    ("mqtt", "topic_prefix", "a/+/b", "MQTT topic"),
    ("mqtt", "topic_prefix", "#", "MQTT topic"),
    ("mqtt", "topic_prefix", "/house", "MQTT topic"),
    ("mqtt", "node", "", "letters, digits"),
    ("mqtt", "node", "the boiler", "letters, digits"),
    ("mqtt", "client_key", "key.pem", "given together"),
    ("homeassistant", "discovery", "on", '"device", "entity", "off"'),
    ("homeassistant", "discovery", True, '"device", "entity", "off"'),
    ("homeassistant", "prefix", "ha#", "MQTT topic"),
    ("homeassistant", "language", "it", '"en", "de", "fr"'),
    ("homeassistant", "entities", "some", '"standard", "all"'),
    ("telemetry", "interval", -1, "0 to 86400 seconds"),
    ("telemetry", "interval", float("nan"), "0 to 86400 seconds"),
    ("telemetry", "interval", float("inf"), "0 to 86400 seconds"),
    ("telemetry", "interval", True, "0 to 86400 seconds"),
    ("telemetry", "interval", 1 << 99_999, "0 to 86400 seconds"),
    ("telemetry", "hidden", 59, '"auto", or a list of different places'),
    ("telemetry", "hidden", [59, 59], '"auto", or a list of different places'),
    ("telemetry", "hidden", [-1], '"auto", or a list of different places'),
    ("telemetry", "hidden", [1.5], '"auto", or a list of different places'),
    ("telemetry", "hidden", [[1]], '"auto", or a list of different places'),
    ("control", "parameters", "PR001", "parameter ids"),
    ("control", "parameters", [4], "parameter ids"),
    ("control", "parameters", ["PR 1"], "parameter ids"),
    ("control", "timeout", 0, "0.1 to 60 seconds"),
    ("energy", "pellet_kwh_per_kg", 0, "0.1 to 20"),
    ("energy", "efficiency", 90, "0.01 to 1.2"),
    ("web", "listen", "8080", "server endpoint"),
    ("web", "listen", "tcp:http-alt-and-more", "server endpoint"),
    ("web", "listen", "tcp:80800", "server endpoint"),
    ("web", "listen", 8080, "server endpoint"),
    ("web", "hosts", "pi.fritz.box", "list of host names and addresses"),
    ("web", "hosts", ["pi.fritz.box:8080"], "without ports"),
    ("web", "hosts", ["http://pi.fritz.box"], "list of host names and addresses"),
    ("web", "hosts", [8080], "list of host names and addresses"),
    ("web", "hosts", ["*"], "list of host names and addresses"),
    ("manhole", "listen", "ssl:8007:privateKey=/nonexistent", "server endpoint"),
    ("manhole", "listen", "haproxy:tcp:8007", "kinds tcp, tcp6, ssl, unix, systemd"),
    ("manhole", "listen", "tcp:8007:192.0.2.1", "server endpoint"),
    ("manhole", "username", "", "not empty"),
    ("state", "directory", False, "a text"),
    ("recording", "directory", 1, "a text"),
    ("history", "enabled", 1, "true or false"),
]

ACCEPTED: list[tuple[str, str, Any, Any]] = [
    ("gateway", "interface", "enx00e04c680001", "enx00e04c680001"),
    ("gateway", "interface", "eth0.10", "eth0.10"),
    ("gateway", "address", "0.0.0.0", ""),
    ("gateway", "allow", [], ()),
    ("gateway", "forward", [80, 502], (80, 502)),
    ("gateway", "forward_allow", ["any", "10.0.0.0/8"], ("any", "10.0.0.0/8")),
    ("gateway", "allow", ["igw", "10.0.0.7", "10.1.0.0/16"], ("igw", "10.0.0.7", "10.1.0.0/16")),
    ("gateway", "broadcast", "192.168.1.255", "192.168.1.255"),
    ("boiler", "host", "10.0.0.72", "10.0.0.72"),
    ("boiler", "host", "boiler", "boiler"),
    ("boiler", "host", "boiler-1.lan.", "boiler-1.lan."),
    ("mqtt", "url", "mqtts://broker.lan:8883", "mqtts://broker.lan:8883"),
    ("mqtt", "url", "mqtt://[::1]:1883", "mqtt://[::1]:1883"),
    ("mqtt", "topic_prefix", "house/cellar", "house/cellar"),
    ("telemetry", "interval", 0, 0.0),
    ("telemetry", "hidden", [94, 59], (59, 94)),
    ("control", "parameters", ["4", "4", "PR001"], ("4", "PR001")),
    ("web", "listen", "", ""),
    ("web", "hosts", ["Pi.Fritz.Box.", "FD00:0::5", "pi.fritz.box"], ("pi.fritz.box", "fd00::5")),
    ("web", "listen", "tcp6:8080", "tcp6:8080"),
]


class DocumentTests(SynchronousTestCase):
    """What a parsed document becomes."""

    def test_every_key_is_optional_and_has_its_documented_default(self) -> None:
        """The whole table, section by section."""
        self.assertEqual(DEFAULTS, asdict(config_from({})))

    def test_empty_sections_change_nothing(self) -> None:
        self.assertEqual(Config(), config_from({name: {} for name in DEFAULTS}))

    def test_values_are_taken_and_put_in_one_form(self) -> None:
        for section, key, given_value, expected in ACCEPTED:
            config = config_from({section: {key: given_value}})
            self.assertEqual(expected, asdict(config)[section][key], (section, key, given_value))

    def test_a_wrong_value_is_refused_in_one_line_with_key_value_and_what_is_allowed(self) -> None:
        for section, key, value, allowed in REFUSED:
            wrong = self.assertRaises(ConfigError, config_from, {section: {key: value}})
            line = str(wrong)
            self.assertTrue(line.startswith(f"{section}.{key} = "), line)
            self.assertIn(allowed, line)
            self.assertNotIn("\n", line)
            self.assertLess(len(line), 400)

    def test_every_key_refuses_a_table(self) -> None:
        for section, keys in DEFAULTS.items():
            for key in keys:
                wrong = self.assertRaises(ConfigError, config_from, {section: {key: {"x": 1}}})
                self.assertIn(f"{section}.{key} = ", str(wrong))

    def test_the_value_is_shown_as_it_was_written(self) -> None:
        for value, shown in (
            ("on", '"on"'),
            (True, "true"),
            (7, "7"),
            (["a", 1, False], '["a", 1, false]'),
            ("a\nb\x1b[2Jc", '"a b [2Jc"'),
            ({"deep": 1}, "{…}"),
        ):
            document = {"homeassistant": {"discovery": value}}
            wrong = self.assertRaises(ConfigError, config_from, document)
            self.assertTrue(str(wrong).startswith(f"homeassistant.discovery = {shown}: "), wrong)

    def test_an_unknown_key_is_named_with_those_that_exist(self) -> None:
        wrong = self.assertRaises(ConfigError, config_from, {"state": {"folder": "/var/x"}})
        self.assertEqual(
            'state.folder = "/var/x": unknown key; [state] takes directory', str(wrong)
        )

    def test_an_unknown_section_is_named_with_those_that_exist(self) -> None:
        wrong = self.assertRaises(ConfigError, config_from, {"bolier": {}})
        self.assertTrue(str(wrong).startswith("bolier: unknown section; there are gateway, "))
        for name in DEFAULTS:
            self.assertIn(name, str(wrong))

    def test_a_value_in_the_place_of_a_section_is_refused(self) -> None:
        for value in (1, "x", [], [{"interface": "eth0"}]):
            wrong = self.assertRaises(ConfigError, config_from, {"gateway": value})
            self.assertIn("must be a section, [gateway]", str(wrong))

    def test_a_manhole_is_on_the_loopback_interface_unless_it_names_another(self) -> None:
        for listen, meant in (
            ("tcp:8007", "tcp:8007:interface=127.0.0.1"),
            ("tcp:port=8007:interface=", "tcp:port=8007:interface=:interface=127.0.0.1"),
            ("tcp6:8007", r"tcp6:8007:interface=\:\:1"),
            ("tcp:8007:interface=192.0.2.1", "tcp:8007:interface=192.0.2.1"),
            ("unix:/run/hargassner/manhole", "unix:/run/hargassner/manhole"),
        ):
            document = {"manhole": {"listen": listen, "password": "x"}}
            self.assertEqual(config_from(document).manhole.listen, meant)

    def test_an_endpoint_tells_whether_other_machines_can_connect(self) -> None:
        for endpoint, local in (
            ("tcp:8007:interface=127.0.0.1", True),
            ("tcp:8007:interface=127.1.2.3:backlog=5", True),
            (r"tcp6:8007:interface=\:\:1", True),
            ("unix:/run/hargassner/manhole", True),
            ("", True),
            ("tcp:8007", False),
            ("tcp:8007:interface=", False),
            ("tcp:8007:interface=192.168.1.2", False),
            (r"tcp6:8007:interface=\:\:", False),
            ("ssl:8007:interface=0.0.0.0", False),
        ):
            self.assertEqual(is_on_loopback(endpoint), local, endpoint)

    def test_a_manhole_without_a_password_is_refused(self) -> None:
        document = {"manhole": {"listen": "tcp:8007:interface=127.0.0.1"}}
        wrong = self.assertRaises(ConfigError, config_from, document)
        self.assertEqual(
            'manhole.password = "": must not be empty when manhole.listen is given', str(wrong)
        )

    def test_two_sides_that_nothing_tells_apart_are_refused(self) -> None:
        one, other = "192.0.2.1", "192.0.2.2"
        for gateway, boiler, key in (
            ({"interface": "eth0"}, {"interface": "eth0"}, "boiler.interface"),
            ({"interface": "eth0", "address": one}, {"interface": "eth0"}, "boiler.interface"),
            (
                {"interface": "eth0", "address": one},
                {"interface": "eth0", "address": one},
                "boiler.interface",
            ),
            ({"address": one}, {"address": one}, "boiler.address"),
            ({"address": one}, {"interface": "eth0", "address": one}, "boiler.address"),
        ):
            wrong = self.assertRaises(
                ConfigError, config_from, {"gateway": gateway, "boiler": boiler}
            )
            self.assertTrue(str(wrong).startswith(f"{key} = "), wrong)
        for gateway, boiler in (
            ({}, {}),
            ({"interface": "eth0"}, {"interface": "eth1"}),
            ({"interface": "eth0", "address": one}, {"interface": "eth0", "address": other}),
            ({"interface": "eth0", "address": one}, {"interface": "eth1", "address": one}),
            ({"address": one}, {"address": other}),
        ):
            config_from({"gateway": gateway, "boiler": boiler})

    def test_without_a_gateway_one_network_is_enough_and_something_has_to_be_read(self) -> None:
        without = {"enabled": False, "interface": "eth0"}
        config_from({"gateway": without, "boiler": {"interface": "eth0"}})
        document = {"gateway": without, "boiler": {"direct_telemetry": False}}
        wrong = self.assertRaises(ConfigError, config_from, document)
        self.assertTrue(str(wrong).startswith("boiler.direct_telemetry = false: must be true"))

    def test_two_passwords_for_the_broker_are_refused(self) -> None:
        document = {"mqtt": {"password": "hunter2", "password_file": "/etc/password"}}
        wrong = self.assertRaises(ConfigError, config_from, document)
        self.assertTrue(str(wrong).startswith('mqtt.password_file = "/etc/password": '), wrong)
        self.assertNotIn("hunter2", str(wrong))

    def test_a_certificate_without_its_key_is_refused(self) -> None:
        document = {"mqtt": {"client_certificate": "bridge.pem"}}
        wrong = self.assertRaises(ConfigError, config_from, document)
        self.assertIn("mqtt.client_key", str(wrong))


class SecretTests(SynchronousTestCase):
    """No password in what people see."""

    def test_no_refusal_shows_a_password(self) -> None:
        for document in (
            {"mqtt": {"password": ["hunter2"]}},
            {"manhole": {"password": {"value": "hunter2"}}},
            {"mqtt": {"url": "mqtt://me:hunter2@broker.lan"}},
            {"mqtt": {"url": "mqtt://me:h/unter2@hunter2@broker.lan"}},
            {"mqtt": {"Passwort": "hunter2"}},
            {"mqtt": [{"password": "hunter2"}]},
            {"gateway": {"mqtt": {"password": "hunter2"}}},
            {"web": {"password": "hunter2"}},
            {"password": "hunter2"},
        ):
            wrong = self.assertRaises(ConfigError, config_from, document)
            self.assertNotIn("unter2", str(wrong))

    def test_the_configuration_in_a_traceback_shows_no_password(self) -> None:
        config = config_from({"mqtt": {"password": "hunter2"}, "manhole": {"password": "hunter2"}})
        self.assertEqual(("hunter2", "hunter2"), (config.mqtt.password, config.manhole.password))
        self.assertNotIn("hunter2", repr(config))


class FileTests(SynchronousTestCase):
    """Reading the file."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / "hargassner.toml"

    def refusal(self, content: bytes) -> str:
        self.path.write_bytes(content)
        return str(self.assertRaises(ConfigError, load_config, self.path))

    def test_a_file_is_read(self) -> None:
        self.path.write_text('[boiler]\nhost = "10.0.0.72"\n[mqtt]\nusername = "Jörg"\n')
        config = load_config(self.path)
        self.assertEqual(("10.0.0.72", "Jörg"), (config.boiler.host, config.mqtt.username))

    def test_a_byte_order_mark_is_no_part_of_it(self) -> None:
        """Some editors put one before UTF-8."""
        self.path.write_bytes(BOM_UTF8 + '[mqtt]\nusername = "Jörg"\n'.encode())
        self.assertEqual("Jörg", load_config(self.path).mqtt.username)

    def test_an_empty_file_gives_the_defaults(self) -> None:
        self.path.touch()
        self.assertEqual(Config(), load_config(self.path))

    def test_a_refusal_begins_with_the_file(self) -> None:
        self.assertEqual(
            f"{self.path}: boiler.telnet_port = 0: must be a port number from 1 to 65535",
            self.refusal(b"[boiler]\ntelnet_port = 0\n"),
        )

    def test_what_is_not_toml_is_refused_with_the_line(self) -> None:
        line = self.refusal(b"[gateway]\ninterface = eth0\n")
        self.assertTrue(line.startswith(f"{self.path}: is not TOML: line 2: interface: "), line)
        self.assertIn("texts stand in quotes", line)

    def test_what_is_given_twice_is_refused_with_the_line(self) -> None:
        for content, wrong in (
            (b"[web]\nlisten = ''\nlisten = ''\n", "listen is there twice (line 3)"),
            (b"[web]\nlisten = ''\nlisten = ''\n[mqtt]\n", "listen is there twice (line 3)"),
            (
                b"[web]\n[mqtt]\nurl = ''\n[web]\n",
                "[web] is there twice (line 4): put all of its keys below one",
            ),
            (b"[a.b]\n[a.b]\n", "[a.b] is there twice (line 2): put all of its keys below one"),
        ):
            self.assertEqual(f"{self.path}: {wrong}", self.refusal(content))

    def test_a_key_before_any_section_is_refused_with_its_section(self) -> None:
        for content, wrong in (
            (b"host = 'boiler'\n[mqtt]\n", "host: must stand below a [section]: [boiler]"),
            (b"address = 1", "address: must stand below a [section]: [gateway] or [boiler]"),
            (b"bolier = 1", "bolier: must stand below a [section]: gateway, boiler, "),
        ):
            self.assertIn(f"{self.path}: {wrong}", self.refusal(content))

    def test_no_password_is_shown_of_a_line_that_cannot_be_read(self) -> None:
        for line in (b"password = hunter2", b"password = 'a' hunter2", b"password = hunter2 = 1"):
            self.assertNotIn("hunter2", self.refusal(b"[mqtt]\n" + line + b"\n"))

    def test_a_file_in_latin_1_is_refused_with_the_byte(self) -> None:
        line = self.refusal("[mqtt]\nusername = 'Jörg'\n".encode("latin-1"))
        self.assertEqual(f"{self.path}: is not TOML: not UTF-8 at byte 21", line)

    def test_a_number_of_thousands_of_digits_is_refused(self) -> None:
        self.assertIn("is not TOML", self.refusal(b"[web]\nlisten = " + b"9" * 5000))
        self.assertIn("web.listen", self.refusal(b"[web]\nlisten = 0x" + b"f" * 5000))

    def test_brackets_without_end_are_refused(self) -> None:
        self.assertIn("is not TOML", self.refusal(b"x = " + b"[" * 100_000))

    def test_keys_with_line_ends_are_refused_in_one_line(self) -> None:
        for content in (b'"a\\nb" = 1', b'[web]\n"a\\nb\\u2028c" = 1'):
            line = self.refusal(content)
            self.assertEqual(1, len(line.splitlines()), line)

    def test_a_missing_file_is_said(self) -> None:
        wrong = self.assertRaises(ConfigError, load_config, self.path)
        self.assertEqual(f"{self.path}: cannot be read: No such file or directory", str(wrong))

    def test_a_directory_is_said(self) -> None:
        wrong = self.assertRaises(ConfigError, load_config, self.directory)
        self.assertEqual(f"{self.directory}: cannot be read: Is a directory", str(wrong))

    def test_a_file_that_cannot_be_opened_is_said(self) -> None:
        path = Path("d" * 300)
        wrong = self.assertRaises(ConfigError, load_config, path)
        self.assertEqual(f"{path}: cannot be read: File name too long", str(wrong))


class FindingTests(SynchronousTestCase):
    """Which file is read when none is named."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()

    def test_the_environment_comes_first(self) -> None:
        """Even where that file is absent: whoever names one wants no other."""
        (self.directory / "hargassner.toml").touch()
        found = find_config({"HARGASSNER_CONFIG": "/else/where.toml"}, self.directory)
        self.assertEqual(Path("/else/where.toml"), found)

    def test_the_file_of_the_directory_comes_next(self) -> None:
        (self.directory / "hargassner.toml").touch()
        found = find_config({"HARGASSNER_CONFIG": ""}, self.directory)
        self.assertEqual(found, self.directory / "hargassner.toml")

    def test_the_places_are_named_where_there_is_no_file(self) -> None:
        if Path("/etc/hargassner/hargassner.toml").exists():
            self.skipTest("the bridge is configured on this machine")
        wrong = self.assertRaises(ConfigError, find_config, {}, self.directory)
        for place in ("$HARGASSNER_CONFIG", f"{self.directory}/hargassner.toml", "/etc/hargassner"):
            self.assertIn(place, str(wrong))

    def test_a_place_that_cannot_be_looked_into_is_left_to_the_reading(self) -> None:
        """The reading says what is wrong with it."""
        directory = Path("d" * 300)
        self.assertEqual(find_config({}, directory), directory / "hargassner.toml")


_texts = st.text(max_size=12) | st.sampled_from(["igw", "::1", "tcp:1", "mqtt://", "10.0.0.1", "."])
_scalars = (
    st.booleans()
    | st.integers()
    | st.sampled_from([23, 35601, 50000])
    | st.floats()
    | st.datetimes()
    | st.dates()
    | _texts
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3)
)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents with mostly real sections and keys, and any value."""
    document = {}
    for section in draw(st.lists(st.sampled_from(sorted(DEFAULTS)), max_size=3)):
        keys = st.sampled_from(sorted(DEFAULTS[section])) | _texts
        document[section] = draw(st.dictionaries(keys, _values, max_size=3) | _values)
    return document


class AnyDocumentTests(SynchronousTestCase):
    """Whatever a file says, there are two outcomes."""

    @given(_documents() | st.dictionaries(_texts, _values, max_size=3))
    def test_a_document_is_a_configuration_or_one_line(self, document: dict[str, Any]) -> None:
        try:
            config = config_from(document)
        except ConfigError as wrong:
            self.assertEqual(1, len(str(wrong).splitlines()))
            self.assertLess(len(str(wrong)), 500)
        else:
            self.assertIsInstance(config, Config)

    @given(st.binary(max_size=60))
    def test_any_file_is_a_configuration_or_one_line(self, content: bytes) -> None:
        path = Path(self.mktemp())
        path.write_bytes(content)
        try:
            load_config(path)
        except ConfigError as wrong:
            self.assertEqual(1, len(str(wrong).splitlines()))
