"""Who may use the manhole: name and password, checked by a portal of Twisted's."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from twisted.conch.telnet import ITelnetProtocol
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import Attribute, Interface, implementer

from hargassner.admin.attempts import Attempts
from hargassner.admin.terminal_protocol import Terminal
from hargassner.config import ManholeConfig


class TooEarlyError(UnauthorizedLogin):
    """The address has to wait this many seconds until its next attempt."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


class WrongPasswordError(UnauthorizedLogin):
    """Name or password is wrong, for the ``count``-th time in a row; the next has to ``wait``."""

    def __init__(self, count: int, wait: float) -> None:
        super().__init__(count, wait)
        self.count = count
        self.wait = wait


class IAddressedPassword(IUsernamePassword):
    """Name and password from an address."""

    address: str = Attribute("Where they come from.")


@implementer(IAddressedPassword)
class AddressedPassword(UsernamePassword):
    """Name and password as they were typed, and where."""

    def __init__(self, username: bytes, password: bytes, address: str) -> None:
        super().__init__(username, password)
        self.address = address


@implementer(ICredentialsChecker)
class PasswordChecker:
    """Knows one name and its password, and counts the attempts of each address.

    Args:
        config: name and password.
        attempts: counts.

    Raises:
        ValueError: the password is empty.
    """

    credentialInterfaces = (IAddressedPassword,)  # noqa: N815

    def __init__(self, config: ManholeConfig, attempts: Attempts) -> None:
        if not config.password:
            raise ValueError("a manhole needs a password")
        self._username = sha256(config.username.encode()).digest()
        self._password = sha256(config.password.encode()).digest()
        self._attempts = attempts

    def requestAvatarId(  # noqa: N802
        self, credentials: AddressedPassword
    ) -> "Deferred[bytes | tuple[()]]":
        """The name, if it and the password are right; finding that out always takes as long.

        Errors: ``TooEarlyError`` if the address has to wait, which was no attempt then, and
        ``WrongPasswordError``.
        """
        return maybeDeferred(self._check, credentials)

    def _check(self, credentials: AddressedPassword) -> bytes:
        address = credentials.address
        wait = self._attempts.wait(address)
        if wait:
            raise TooEarlyError(wait)
        right = [
            hmac.compare_digest(sha256(credentials.username).digest(), self._username),
            hmac.compare_digest(sha256(credentials.password).digest(), self._password),
        ]
        if not all(right):
            count = self._attempts.failed(address)
            raise WrongPasswordError(count, self._attempts.wait(address))
        self._attempts.succeeded(address)
        return credentials.username


@implementer(IRealm)
@dataclass(frozen=True)
class ConsoleRealm:
    """Gives a console to everybody whose password is right."""

    namespace: Mapping[str, object]

    def requestAvatar(  # noqa: N802
        self,
        avatarId: bytes | tuple[()],  # noqa: N803
        mind: object,
        *interfaces: type[Interface],
    ) -> tuple[type[Interface], Terminal, Callable[[], None]]:
        """A console; there is nothing to do when it is left."""
        if ITelnetProtocol not in interfaces:
            raise NotImplementedError("there are consoles over telnet only")
        return ITelnetProtocol, Terminal(self.namespace), lambda: None


def console_portal(
    config: ManholeConfig, attempts: Attempts, namespace: Mapping[str, object]
) -> Portal:
    """The portal between the login and the consoles.

    Raises:
        ValueError: the password is empty.
    """
    return Portal(ConsoleRealm(namespace), [PasswordChecker(config, attempts)])
