"""The console of the manhole: a Python prompt on a telnet client's terminal."""

from collections.abc import Mapping
from typing import Any

from twisted.conch.insults.insults import ServerProtocol
from twisted.conch.manhole import Manhole as TwistedManhole
from twisted.conch.telnet import NAWS, SGA, TelnetBootstrapProtocol
from twisted.python.failure import Failure

from hargassner.terminal import printable

_GREETING = b"The inside of hargassner-bridge; help() tells what there is, Ctrl-D leaves.\n"


class Console(TwistedManhole):
    """The console of somebody who is logged in.

    What it shows is printable, also where control characters came from the wire.

    Args:
        namespace: the names that there are; the console works on a copy.
    """

    def initializeScreen(self) -> None:  # noqa: N802
        """Say where one is, below what is on the screen already."""
        self.terminal.write(_GREETING + self.ps[0])
        self.setInsertMode()  # type: ignore[no-untyped-call]

    def terminalSize(self, width: int, height: int) -> None:  # noqa: N802
        """Take note of the terminal's size, and leave its screen alone."""
        self.width, self.height = width, height

    def keystrokeReceived(self, keyID: Any, modifier: object) -> None:  # noqa: N802, N803
        """Take a key; those that are no ASCII are refused with a beep."""
        if isinstance(keyID, bytes) and keyID >= b"\x80":
            self.terminal.write(b"\a")
        else:
            super().keystrokeReceived(keyID, modifier)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """Run a line; what would end the program ends the console only."""
        try:
            super().lineReceived(line)  # type: ignore[no-untyped-call]
        except (SystemExit, KeyboardInterrupt):
            self.handle_QUIT()  # type: ignore[no-untyped-call]

    def addOutput(self, data: str, isAsync: bool | None = None) -> None:  # noqa: N802, N803
        """Show text."""
        # A tab is a control character too.
        lines = data.expandtabs().split("\n")
        super().addOutput("\n".join(map(printable, lines)), isAsync)  # type: ignore[no-untyped-call]


class Terminal(TelnetBootstrapProtocol):
    """Agrees with the client on a terminal that sends each key, and puts the console on it."""

    transport: Any  # It is the telnet layer, which can do more than a transport.

    def __init__(self, namespace: Mapping[str, object]) -> None:
        super().__init__(ServerProtocol, Console, dict(namespace))  # type: ignore[no-untyped-call]

    def connectionMade(self) -> None:
        self.transport.negotiationMap[NAWS] = self.telnet_NAWS
        # Echo was agreed on for the password; with these two each key is sent as it is pressed.
        self.transport.will(SGA).addErrback(refused)
        self.transport.do(SGA).addErrback(refused)
        self.transport.do(NAWS).addErrback(refused)
        self.protocol = self.protocolFactory(*self.protocolArgs)
        self.protocol.makeConnection(self)


def refused(_why: Failure) -> None:
    """A client that refuses an option is used as it is."""
