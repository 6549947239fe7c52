"""Which files and commands it takes."""

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check.machine import Interface
from hargassner.cli.setup import files
from hargassner.cli.setup.machine import Networking, Seen
from hargassner.cli.setup.plan import Answers, configuration, plan
from hargassner.cli.setup.questions import Asker, Options, ask
from hargassner.cli.setup.steps import RunCommand, WriteFile
from hargassner.config import Config, config_from
from hargassner.discovery import FoundBoiler, ServiceList

ETH0 = Interface("eth0", "192.168.1.5", 24, up=True, running=True, default_route=True)
ETH1 = Interface("eth1", up=True)
INSTALLED = Seen(
    (ETH0, ETH1),
    networking=Networking.NETWORK_MANAGER,
    has_systemd=True,
    has_unit=True,
    has_user=True,
)
BOILER = FoundBoiler("192.168.1.30", ServiceList("Nano", "V14.0n", ""))
NOBODY_ASKS = Asker(lambda _question: "", lambda _line: None, quiet=True)


def decided(seen: Seen, **given: object) -> Answers:
    """What is decided where nobody is asked."""
    return ask(seen, Options(given), NOBODY_ASKS)


def parsed(answers: Answers) -> Config:
    """The configuration that is written."""
    return config_from(tomllib.loads(configuration(answers)))


def files_and_commands(answers: Answers, seen: Seen) -> tuple[list[str], list[str]]:
    """The paths that are written, and the commands in their order."""
    paths, commands = [], []
    for step in plan(answers, seen):
        match step:
            case WriteFile():
                paths.append(str(step.path))
                commands += [" ".join(each.words) for each in step.then]
            case RunCommand():
                commands.append(" ".join(step.words))
    return paths, commands


class DefaultTests(SynchronousTestCase):
    """What is taken where nobody answers."""

    def test_with_two_ports_and_no_boiler_in_the_home_a_gateway_is_expected(self) -> None:
        config = parsed(decided(INSTALLED))
        self.assertTrue(config.gateway.enabled)
        self.assertEqual(("eth0", "eth1"), (config.gateway.interface, config.boiler.interface))

    def test_a_boiler_in_the_home_network_is_read_there(self) -> None:
        seen = Seen((ETH0, ETH1), boiler=BOILER)
        config = parsed(decided(seen))
        self.assertEqual((False, "eth0"), (config.gateway.enabled, config.boiler.interface))

    def test_its_address_is_written_only_where_there_are_several_boilers(self) -> None:
        """A router may give it another one, and it is found by itself."""
        seen = Seen((ETH0, ETH1), boiler=BOILER)
        self.assertEqual("", parsed(decided(seen)).boiler.host)
        self.assertEqual("192.168.1.30", parsed(decided(seen, instance="barn")).boiler.host)

    def test_with_one_port_there_is_telemetry_only(self) -> None:
        config = parsed(decided(Seen((ETH0,))))
        self.assertEqual((False, ""), (config.gateway.enabled, config.boiler.host))

    def test_a_broker_on_this_machine_is_used(self) -> None:
        self.assertEqual(
            "mqtt://127.0.0.1", parsed(decided(Seen((ETH0,), has_broker=True))).mqtt.url
        )

    def test_a_dns_server_that_runs_here_is_not_disturbed(self) -> None:
        seen = Seen(
            (ETH0, ETH1), networking=Networking.NETWORKD, has_dnsmasq=True, uses_dnsmasq=True
        )
        answers = decided(seen)
        self.assertTrue(answers.fixed_address)
        self.assertFalse(answers.dhcp)

    def test_what_the_command_line_says_is_taken(self) -> None:
        answers = decided(
            INSTALLED,
            with_gateway=False,
            boiler_host="10.0.0.9",
            mqtt_url="mqtt://10.0.0.1",
            mqtt_username="boiler",
            mqtt_password="right",
            language="de",
            page_for_home=True,
        )
        config = parsed(answers)
        self.assertEqual(("10.0.0.9", "mqtt://10.0.0.1"), (config.boiler.host, config.mqtt.url))
        self.assertEqual("/etc/hargassner/mqtt-password", config.mqtt.password_file)
        self.assertEqual(("de", "tcp:8080"), (config.homeassistant.language, config.web.listen))

    def test_the_page_for_the_home_is_not_shown_to_the_boilers_network(self) -> None:
        listen = parsed(decided(INSTALLED, page_for_home=True)).web.listen
        self.assertEqual("tcp:8080:interface=192.168.1.5", listen)
        # The port that was named, and not the one that leads to the Internet.
        seen = Seen((ETH0, Interface("eth1", "10.0.0.5", 24, up=True)))
        answers = decided(
            seen, with_gateway=True, gateway_interface="eth1", boiler_interface="eth0",
            page_for_home=True,
        )  # fmt: skip
        self.assertEqual("tcp:8080:interface=10.0.0.5", parsed(answers).web.listen)

    def test_where_the_address_in_the_home_is_not_known_the_page_is_everywhere(self) -> None:
        seen = Seen((Interface("eth0"), ETH1))
        answers = decided(seen, with_gateway=True, page_for_home=True)
        self.assertEqual("tcp:8080", parsed(answers).web.listen)

    @given(
        st.booleans(),
        st.sampled_from(["", "mqtt://10.0.0.1:1884", "mqtts://[fd00::1]"]),
        st.sampled_from(["", "garage", "a-b_c"]),
        st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    )
    def test_what_is_written_is_a_sound_configuration(
        self, gateway: bool, url: str, instance: str, user: str
    ) -> None:
        answers = decided(
            INSTALLED,
            with_gateway=gateway,
            mqtt_url=url,
            mqtt_username=user,
            mqtt_password="x",
            instance=instance,
        )
        config = parsed(answers)
        self.assertEqual((gateway, url), (config.gateway.enabled, config.mqtt.url))
        self.assertEqual(user if url else "", config.mqtt.username)


class QuestionTests(SynchronousTestCase):
    """What is asked of an owner."""

    def test_a_wrong_answer_is_explained_and_asked_again(self) -> None:
        typed = iter(["n", "", "broker", "mqtt://10.0.0.1", "", "", "n"])
        said: list[str] = []
        asker = Asker(lambda _question: next(typed), said.append, quiet=False)
        answers = ask(Seen((ETH0,)), Options({}), asker)
        self.assertEqual("mqtt://10.0.0.1", answers.mqtt_url)
        self.assertEqual(1, len(said))
        self.assertIn("must be mqtt://HOST:PORT", said[0])

    def test_each_question_shows_its_default(self) -> None:
        questions: list[str] = []

        def read(question: str) -> str:
            questions.append(question)
            return ""

        ask(INSTALLED, Options({}), Asker(read, print, quiet=False))
        self.assertEqual(
            ["[yes]", "[eth0]", "[eth1]", "[yes]", "[yes]"],
            [each.split()[-1] for each in questions[:5]],
        )


class PlanTests(SynchronousTestCase):
    """The steps of each kind of machine."""

    def test_telemetry_only_takes_one_file_and_the_service(self) -> None:
        answers = decided(INSTALLED, with_gateway=False)
        paths, commands = files_and_commands(answers, INSTALLED)
        self.assertEqual(["/etc/hargassner/hargassner.toml"], paths)
        self.assertEqual("systemctl enable --now hargassner-bridge.service", commands[-1])

    def test_each_kind_of_networking_gets_a_file_of_its_own(self) -> None:
        expected = {
            Networking.NETWORK_MANAGER: (
                "/etc/NetworkManager/system-connections/hargassner-boiler.nmconnection",
                ["nmcli connection reload", "nmcli connection up hargassner-boiler"],
            ),
            Networking.NETWORKD: (
                "/etc/systemd/network/20-hargassner-boiler.network",
                ["networkctl reload"],
            ),
            Networking.IFUPDOWN: ("/etc/network/interfaces.d/hargassner-boiler", ["ifup eth1"]),
        }
        for networking, (path, effect) in expected.items():
            seen = Seen((ETH0, ETH1), networking=networking)
            paths, commands = files_and_commands(decided(seen, dhcp=False), seen)
            self.assertEqual((path, effect), (paths[0], commands))

    def test_dnsmasq_finds_its_file_when_it_is_installed(self) -> None:
        """Without the file it would answer everybody from its first moment."""
        steps = plan(decided(INSTALLED), INSTALLED)
        kinds = [str(each.path) if isinstance(each, WriteFile) else each.words[0] for each in steps]
        self.assertLess(
            kinds.index("/etc/dnsmasq.d/hargassner-boiler.conf"), kinds.index("apt-get")
        )

    def test_one_of_several_has_its_own_file_topics_and_service(self) -> None:
        answers = decided(INSTALLED, with_gateway=False, instance="garage")
        paths, commands = files_and_commands(answers, INSTALLED)
        self.assertEqual(["/etc/hargassner/garage.toml"], paths)
        self.assertEqual("systemctl enable --now hargassner-bridge@garage.service", commands[-1])
        self.assertEqual(
            "garage", parsed(decided(INSTALLED, instance="garage", mqtt_url="mqtt://a")).mqtt.node
        )

    def test_without_a_unit_nothing_is_started(self) -> None:
        seen = Seen((ETH0,), has_systemd=True)
        self.assertEqual([], files_and_commands(decided(seen), seen)[1])


class FileTests(SynchronousTestCase):
    """What is in the files."""

    def test_the_boilers_address_is_in_the_network_of_the_port(self) -> None:
        self.assertEqual("192.168.77.1/24", files.own_address("192.168.77.0/24"))
        self.assertIn(
            "dhcp-host=00:24:bd:*:*:*,192.168.77.20,infinite",
            files.dnsmasq("eth1", "192.168.77.0/24"),
        )

    def test_the_example_of_the_packaging_says_the_same_of_the_boilers_network(self) -> None:
        def said(text: str) -> list[str]:
            return [line for line in text.splitlines() if line and not line.startswith("#")]

        packaging = Path(__file__).parents[3] / "packaging"
        example = (packaging / "dnsmasq-boiler.conf").read_text()
        self.assertEqual(said(example), said(files.dnsmasq("eth1", "192.168.77.0/24")))
        example = (packaging / "boiler.network").read_text()
        self.assertEqual(said(example), said(files.networkd("eth1", "192.168.77.0/24")))
