"""The observers of a session: what they get, and the guard that isolates one that fails."""

from twisted.logger import Logger
from zope.interface import Interface

log = Logger()


class ISessionObserver(Interface):
    """An observer of one session. When it is called, the bytes have passed already."""

    def gateway_sent(data: bytes) -> None:
        """Bytes from the gateway passed to the boiler."""

    def boiler_sent(data: bytes) -> None:
        """Bytes from the boiler passed to the gateway."""

    def over(reason: str) -> None:
        """The session is over; nothing follows."""


class IExchangeObserver(ISessionObserver):
    """An observer that also gets what passes between the bridge itself and the boiler."""

    def bridge_sent(data: bytes) -> None:
        """A request of the bridge's own was sent to the boiler: whole lines."""

    def bridge_received(data: bytes) -> None:
        """The boiler's answer to the bridge came, and did not pass: whole lines."""

    def notice_follows(of_bridge: bool) -> None:
        """The notice that ends with the boiler's next bytes is not the next one by its place.

        It refuses the bridge's request; or, if not, it passes before replies that came before it
        and are held, so that nobody can tell by the order which request it refuses.
        """


class ISegmentObserver(ISessionObserver):
    """An observer that gets each segment by itself, as it was read.

    Others get segments joined that passed one after the other from the same side.
    """


class Guard:
    """Isolates an observer: its exceptions go no further, and the first of them is logged.

    Args:
        observer: one of a session.
        session: the session's number, for the log.
    """

    __slots__ = ("_exchanges", "_failed", "_observer", "_session", "by_segment")

    def __init__(self, observer: ISessionObserver, session: int) -> None:
        self.by_segment = ISegmentObserver.providedBy(observer)
        """Whether it wants each segment by itself."""
        self._observer = observer
        self._exchanges = observer if IExchangeObserver.providedBy(observer) else None
        self._session = session
        self._failed = False

    def gateway_sent(self, data: bytes) -> None:
        try:
            self._observer.gateway_sent(data)
        except Exception:
            self._log_first()

    def boiler_sent(self, data: bytes) -> None:
        try:
            self._observer.boiler_sent(data)
        except Exception:
            self._log_first()

    def bridge_sent(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_sent(data)
            except Exception:
                self._log_first()

    def bridge_received(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_received(data)
            except Exception:
                self._log_first()

    def notice_follows(self, of_bridge: bool) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.notice_follows(of_bridge)
            except Exception:
                self._log_first()

    def over(self, reason: str) -> None:
        try:
            self._observer.over(reason)
        except Exception:
            self._log_first()

    def _log_first(self) -> None:
        if not self._failed:
            self._failed = True
            log.failure(
                "session {session}: overhearing failed; the bytes passed, "
                "and further failures in this session are not logged",
                session=self._session,
            )
