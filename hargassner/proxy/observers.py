"""Who observes a session: what such an observer is told, and that its failure harms nobody."""

from twisted.logger import Logger
from zope.interface import Interface

log = Logger()


class ISessionObserver(Interface):
    """Whoever overhears one session.  The bytes have passed already when it is told."""

    def gateway_sent(data: bytes) -> None:
        """Bytes from the gateway passed to the boiler."""

    def boiler_sent(data: bytes) -> None:
        """Bytes from the boiler passed to the gateway."""

    def over(reason: str) -> None:
        """The session is over; nothing follows."""


class IExchangeObserver(ISessionObserver):
    """A watcher that is also told what passes between the bridge itself and the boiler."""

    def bridge_sent(data: bytes) -> None:
        """A request of the bridge's own was sent to the boiler: whole lines."""

    def bridge_received(data: bytes) -> None:
        """The boiler's answer to the bridge came, and did not pass: whole lines."""


class Guard:
    """Keeps a watcher's exceptions from the proxy, and says the first."""

    def __init__(self, watcher: ISessionObserver, session: int) -> None:
        self._watcher = watcher
        self._exchanges = watcher if IExchangeObserver.providedBy(watcher) else None
        self._session = session
        self._failed = False

    def gateway_sent(self, data: bytes) -> None:
        try:
            self._watcher.gateway_sent(data)
        except Exception:
            self._say()

    def boiler_sent(self, data: bytes) -> None:
        try:
            self._watcher.boiler_sent(data)
        except Exception:
            self._say()

    def bridge_sent(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_sent(data)
            except Exception:
                self._say()

    def bridge_received(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_received(data)
            except Exception:
                self._say()

    def over(self, reason: str) -> None:
        try:
            self._watcher.over(reason)
        except Exception:
            self._say()

    def _say(self) -> None:
        if not self._failed:
            self._failed = True
            log.failure(
                "session {session}: overhearing failed; the bytes passed, "
                "and further failures in this session are not logged",
                session=self._session,
            )
