"""Who is given a console by the portal."""

from twisted.conch.telnet import ITelnetProtocol
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnhandledCredentials
from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.interface.verify import verifyObject

from hargassner.admin.attempts import Attempts
from hargassner.admin.credentials import (
    AddressedPassword,
    ConsoleRealm,
    IAddressedPassword,
    PasswordChecker,
    TooEarlyError,
    WrongPasswordError,
    console_portal,
)
from hargassner.admin.terminal_protocol import Terminal
from hargassner.config import ManholeConfig

CONFIG = ManholeConfig(listen="tcp:8007", password="open sesame")


class PortalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.attempts = Attempts(self.clock, "this machine")
        self.portal = console_portal(CONFIG, self.attempts, {"answer": 42})

    def log_in(
        self, password: bytes, address: str = "192.0.2.9", interface: object = ITelnetProtocol
    ) -> "Deferred[tuple[object, Terminal, object]]":
        return self.portal.login(AddressedPassword(b"admin", password, address), None, interface)

    def test_interfaces(self) -> None:
        verifyObject(ICredentialsChecker, PasswordChecker(CONFIG, self.attempts))
        verifyObject(IRealm, ConsoleRealm({}))
        verifyObject(IAddressedPassword, AddressedPassword(b"", b"", ""))

    def test_the_right_password_gives_a_console(self) -> None:
        interface, console, leave = self.successResultOf(self.log_in(b"open sesame"))
        self.assertIs(interface, ITelnetProtocol)
        self.assertIsInstance(console, Terminal)
        self.assertTrue(self.attempts.is_known("192.0.2.9"))
        leave()

    def test_wrong_passwords_are_counted_by_address(self) -> None:
        for count in (1, 2, 3):
            wrong = self.failureResultOf(self.log_in(b"guess"), WrongPasswordError).value
            self.assertEqual((wrong.count, wrong.wait), (count, 2.0 ** (count - 1)))
            self.clock.advance(wrong.wait)
        self.successResultOf(self.log_in(b"open sesame", "192.0.2.10"))

    def test_an_attempt_before_its_time_is_none(self) -> None:
        """Even with the right password; it neither counts nor ends the wait."""
        self.failureResultOf(self.log_in(b"guess"), WrongPasswordError)
        for password in (b"open sesame", b"guess"):
            early = self.failureResultOf(self.log_in(password), TooEarlyError).value
            self.assertEqual(1, early.wait)
        self.clock.advance(1)
        self.successResultOf(self.log_in(b"open sesame"))

    def test_a_password_without_an_address_is_not_looked_at(self) -> None:
        login = self.portal.login(UsernamePassword(b"admin", b"open sesame"), None, ITelnetProtocol)
        self.failureResultOf(login, UnhandledCredentials)

    def test_there_is_nothing_but_consoles_over_telnet(self) -> None:
        self.failureResultOf(self.log_in(b"open sesame", interface=Interface), NotImplementedError)
