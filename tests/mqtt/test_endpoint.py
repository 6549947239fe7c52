"""The way to the broker: what the configuration's files must be, and what failures are called."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from OpenSSL import SSL
from service_identity.exceptions import VerificationError
from twisted.internet import error, reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from hargassner.config import MqttConfig
from hargassner.mqtt.endpoint import BrokerEndpoint
from hargassner.mqtt.files import UnusableFileError, password
from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.problems import connection_problem
from hargassner.mqtt.retries import REFUSED_RETRY
from hargassner.mqtt.tls import tls_options
from tests.mqtt.certificates import Authority
from tests.mqtt.link_case import LinkCase


class FolderCase(SynchronousTestCase):
    """A folder with a certificate authority's files."""

    def setUp(self) -> None:
        self.folder = Path(mkdtemp(prefix="hargassner-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def written(self, content: bytes) -> str:
        """The name of a file with this content."""
        file = self.folder / "file"
        file.write_bytes(content)
        return str(file)

    def refused(self, **settings: Any) -> str:
        """Why TLS cannot be had with these settings."""
        wrong = self.assertRaises(UnusableFileError, tls_options, MqttConfig(**settings), "broker")
        return str(wrong)


class PasswordTests(FolderCase):
    """The password may be in a file."""

    def of(self, content: bytes) -> str:
        return password(MqttConfig(password_file=self.written(content)))

    def test_from_the_configuration(self) -> None:
        self.assertEqual("geheim", password(MqttConfig(password="geheim")))
        self.assertEqual("", password(MqttConfig()))

    def test_the_end_of_the_line_is_no_part_of_it(self) -> None:
        for end in (b"", b"\n", b"\r\n"):
            self.assertEqual(" geheiß ", self.of(b" gehei\xc3\x9f " + end))

    def test_a_byte_order_mark_is_no_part_of_it(self) -> None:
        """Some editors put one before UTF-8."""
        self.assertEqual("geheiß", self.of(b"\xef\xbb\xbfgehei\xc3\x9f\r\n"))

    def test_a_file_without_a_password_is_refused(self) -> None:
        for content in (b"", b"\n", b"one\ntwo\n", b"\xff\n", b"x" * 65_536):
            wrong = self.assertRaises(UnusableFileError, self.of, content)
            self.assertEqual(
                f"mqtt.password_file: {self.folder}/file holds no password in one line of UTF-8",
                str(wrong),
            )

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        absent = str(self.folder / "absent")
        wrong = self.assertRaises(UnusableFileError, password, MqttConfig(password_file=absent))
        self.assertEqual(
            f"mqtt.password_file: {absent} cannot be read: No such file or directory", str(wrong)
        )

    def test_what_could_be_read_for_ever_is_not_read(self) -> None:
        for each in (Path("/dev/null"), self.folder):
            wrong = self.assertRaises(
                UnusableFileError, password, MqttConfig(password_file=str(each))
            )
            self.assertEqual(f"mqtt.password_file: {each} is not a regular file", str(wrong))

    def test_a_large_file_is_not_read(self) -> None:
        with (self.folder / "file").open("wb") as file:
            file.truncate(2_000_000)
        wrong = self.assertRaises(UnusableFileError, password, MqttConfig(password_file=file.name))
        self.assertEqual(f"mqtt.password_file: {file.name} is too large", str(wrong))


class TlsFilesTests(FolderCase):
    """The files of TLS are what they should be, or it is said which is not."""

    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.folder)
        self.certificate, self.key = map(str, self.authority.certify("bridge"))

    def test_all_of_them_can_be_used(self) -> None:
        config = MqttConfig(
            ca_file=str(self.authority.file),
            client_certificate=self.certificate,
            client_key=self.key,
        )
        self.assertIsNotNone(tls_options(config, "broker"))

    def test_a_file_can_hold_several_authorities(self) -> None:
        other = Authority(self.folder, "other")
        both = self.written(self.authority.file.read_bytes() + other.file.read_bytes())
        self.assertIsNotNone(tls_options(MqttConfig(ca_file=both), "broker"))

    def test_the_client_certificates_file_can_hold_its_chain(self) -> None:
        chain = Path(self.certificate).read_bytes() + self.authority.file.read_bytes()
        config = MqttConfig(client_certificate=self.written(chain), client_key=self.key)
        self.assertIsNotNone(tls_options(config, "broker"))

    def test_a_file_without_certificates_is_refused(self) -> None:
        file = self.written(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.assertEqual(
            f"mqtt.ca_file: {file} holds no PEM certificate", self.refused(ca_file=file)
        )
        self.assertEqual(
            f"mqtt.client_certificate: {self.key} holds no PEM certificate",
            self.refused(client_certificate=self.key, client_key=self.key),
        )

    def test_a_key_that_is_none_or_locked_is_refused(self) -> None:
        """Nobody is there to type a passphrase."""
        for file in (self.certificate, str(self.authority.locked_key())):
            self.assertEqual(
                f"mqtt.client_key: {file} holds no PEM key without a passphrase",
                self.refused(client_certificate=self.certificate, client_key=file),
            )

    def test_the_key_of_another_certificate_is_refused(self) -> None:
        _, other = self.authority.certify("other")
        self.assertEqual(
            f"mqtt.client_key: {other} is not the key of mqtt.client_certificate",
            self.refused(client_certificate=self.certificate, client_key=str(other)),
        )

    def test_nothing_of_a_file_is_quoted(self) -> None:
        """It may be a password that somebody took for a certificate."""
        file = self.written(b"-----BEGIN geheim-----\ngeheim\n-----END geheim-----\n")
        self.assertNotIn("geheim", self.refused(ca_file=file).replace(file, ""))


class ConnectTests(TestCase):
    """The configuration's URL leads to the broker."""

    def port_of(self, url: str) -> int:
        reactor = MemoryReactorClock()
        BrokerEndpoint(MqttConfig(url=url), reactor).connect(Factory.forProtocol(Protocol))
        [(_, port, *_)] = reactor.tcpClients
        return port

    def test_interface(self) -> None:
        verifyObject(
            IStreamClientEndpoint, BrokerEndpoint(MqttConfig(url="mqtt://broker"), reactor)
        )

    def test_ports_are_the_usual_ones_unless_they_are_named(self) -> None:
        self.assertEqual(1883, self.port_of("mqtt://broker"))
        self.assertEqual(8883, self.port_of("mqtts://broker"))
        self.assertEqual(1234, self.port_of("mqtts://broker:1234/"))

    @inlineCallbacks
    def test_addresses_of_both_kinds(self) -> Any:
        for address, url in [("127.0.0.1", "mqtt://127.0.0.1"), ("::1", "mqtt://[::1]")]:
            try:
                port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface=address)
            except error.CannotListenError:
                raise SkipTest("this machine has no IPv6") from None
            self.addCleanup(port.stopListening)
            endpoint = BrokerEndpoint(MqttConfig(url=f"{url}:{port.getHost().port}"), reactor)
            protocol = yield endpoint.connect(Factory.forProtocol(Protocol))
            self.assertEqual(protocol.transport.getPeer().host, address)
            protocol.transport.abortConnection()


class NamesTests(SynchronousTestCase):
    """Failures have names that an owner understands, and those that last are known."""

    def test_failures(self) -> None:
        def tls(reason: str) -> SSL.Error:
            return SSL.Error([("SSL routines", "", reason)])

        for wrong, word, lasting in [
            (UnusableFileError("mqtt.ca_file: x is too large"), "x is too large", True),
            (VerificationError([]), "another name", True),
            (tls("certificate verify failed"), "no authority that we trust", True),
            (tls("tlsv1 alert unknown ca"), "refuses our TLS: tlsv1 alert unknown ca", True),
            (tls("wrong version number"), "TLS fails: wrong version number", True),
            (tls("unexpected eof while reading"), "during the TLS handshake", False),
            (SSL.SysCallError(-1, "Unexpected EOF"), "during the TLS handshake", False),
            (error.DNSLookupError("no"), "nobody knows", False),
            (error.ConnectionRefusedError(), "no broker listens", False),
            (error.TimeoutError(), "nothing answers", False),
            (error.ConnectionDone(), "closed the connection", False),
            (error.ConnectionLost(), "was lost", False),
            (error.NoRouteError(), "route", False),
        ]:
            problem = connection_problem(Failure(wrong))
            self.assertIn(word, problem.why)
            self.assertEqual(problem.lasting, lasting, problem.why)


class LinkWithFilesTests(LinkCase):
    """A file that cannot be used keeps the link from connecting, and nothing else."""

    def setUp(self) -> None:
        folder = Path(mkdtemp(prefix="hargassner-test-"))
        self.addCleanup(shutil.rmtree, folder)
        self.file = folder / "password"
        self.config = MqttConfig(url="mqtt://broker.lan", password_file=str(self.file))
        super().setUp()

    def test_is_said_once_and_tried_again_slowly(self) -> None:
        why = f"mqtt.password_file: {self.file} cannot be read: No such file or directory"
        self.assertEqual(
            (self.link.status.state, self.link.status.problem), (LinkState.REFUSED, why)
        )
        self.clock.advance(REFUSED_RETRY * 10)
        self.assertEqual([f"no link to mqtt://broker.lan: {why}"], self.log.at(LogLevel.warn))
        self.assertEqual([], self.endpoint.attempts)

    def test_a_corrected_file_is_taken_without_a_restart(self) -> None:
        self.file.write_text("geheim\n")
        waited = self.wait_for_attempt(int(REFUSED_RETRY) + 2)
        self.assertGreaterEqual(waited, REFUSED_RETRY)
        [packet] = self.endpoint.accept().heard()
        self.assertTrue(packet.body.endswith(b"\x00\x06geheim"))
