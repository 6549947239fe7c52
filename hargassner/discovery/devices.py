"""Who was found on the two networks: the gateway, and the boiler."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.discovery.gateways import FoundGateway, Gateways, Verdict, address_of
from hargassner.discovery.packets import Announcement, ServiceList
from hargassner.observers import Listeners, Observers, Once

log = Logger()


@dataclass(frozen=True, slots=True)
class FoundBoiler:
    """The boiler that answered last."""

    address: str
    services: ServiceList


class BoilerUnknownError(Exception):
    """No boiler has answered the gateway's broadcast yet."""


class Devices:
    """Who was found on the two networks.

    ``gateway_heard`` is the moment at which the gateway announced itself last, or another one
    became it; None before that.

    Args:
        clock: for that, and for the waiting of ``boiler_address``.
        boiler_host: the boiler's address where the owner configured it, else "".
    """

    def __init__(self, clock: IReactorTime, boiler_host: str = "") -> None:
        self.boiler: FoundBoiler | None = None
        self.gateway_heard: float | None = None
        self._gateways = Gateways()
        self._clock = clock
        self._boiler_host = boiler_host
        self._waiting: list[Deferred[str]] = []
        self._on_announcement: Observers[Callable[[str, str | None], None]] = Observers(
            "a gateway's announcement"
        )
        self._on_gateway: Listeners[FoundGateway] = Listeners("the gateway")
        self._on_boiler: Listeners[FoundBoiler] = Listeners("the boiler")
        self._said = Once()

    @property
    def gateway(self) -> FoundGateway | None:
        """The gateway: the one that logged in, or the newest candidate before any did."""
        return self._gateways.gateway

    @property
    def trusted_gateway(self) -> FoundGateway | None:
        """The gateway that logged in last, where it did; None before the first login."""
        return self._gateways.trusted

    def is_gateway(self, address: str) -> bool:
        """Whether the gateway is at this address: the trusted one, or the newest candidate before
        any has logged in.
        """
        return address_of(self._gateways.trusted or self._gateways.gateway) == address

    def may_be_gateway(self, address: str) -> bool:
        """Whether the gateway, or a candidate, announced itself from this address."""
        return self._gateways.knows(address)

    def on_announcement(self, listener: Callable[[str, str | None], None]) -> None:
        """Have ``listener`` called with each announcement: its address, and the gateway's former
        one if the gateway moved.
        """
        self._on_announcement.add(listener)

    def on_gateway(self, listener: Callable[[FoundGateway], None]) -> None:
        """Have ``listener`` called when the gateway announces itself, or another one becomes it."""
        self._on_gateway.add(listener)

    def on_boiler(self, listener: Callable[[FoundBoiler], None]) -> None:
        """Have ``listener`` called each time that a boiler answers."""
        self._on_boiler.add(listener)

    def recall(
        self,
        gateway: FoundGateway | None,
        boiler: FoundBoiler | None,
        *,
        logged_in: bool = False,
    ) -> None:
        """Start from who was found before a restart.

        ``logged_in`` tells whether this gateway had logged in, and is trusted.
        """
        self._gateways.recall(gateway, logged_in=logged_in)
        self.boiler = boiler

    def gateway_announced(
        self, address: str, announcement: Announcement, silence: float | None = None
    ) -> None:
        """A datagram says that a gateway starts over; what it means depends on who is trusted.

        Args:
            address: where it came from, which can be forged.
            announcement: what it says.
            silence: seconds since the trusted gateway's session heard something of it; None where
                there is no session, or no gateway is trusted.
        """
        before, trusted = self.gateway, self.trusted_gateway
        verdict = self._gateways.announced(address, announcement, silence)
        announcing = FoundGateway(address, announcement)
        doubted = verdict is Verdict.CANDIDATE and trusted is not None
        if doubted:
            self._say_once(
                announcing,
                "{address} announces itself as gateway {serial} too; it is the gateway when it has "
                "logged in",
            )
        elif self.gateway == announcing != before:
            self._say_once(announcing, "gateway {serial} at {address}, software {software}")
        moved_from = address_of(trusted) if verdict is Verdict.MOVED else None
        self._on_announcement.notify(lambda listener: listener(address, moved_from))
        if not doubted:
            self._notify_of_gateway()

    def gateway_logged_in(self, address: str) -> None:
        """The boiler took a login over a session from this address: that is the gateway."""
        before, shown = self.trusted_gateway, self.gateway
        now = self._gateways.logged_in(address)
        if before == shown == now:
            return
        if before is not None and before != now:
            self._say_once(
                now, "gateway {serial} at {address} has logged in: it is the gateway now"
            )
        self._notify_of_gateway()

    def boiler_answered(self, address: str, services: ServiceList) -> None:
        """A boiler answered; whoever waits for its address gets it."""
        before, boiler = self.boiler, FoundBoiler(address, services)
        self.boiler = boiler
        if before != boiler:
            _say_found(boiler)
        while self._waiting:
            self._waiting.pop(0).callback(address)
        self._on_boiler.tell(boiler)

    def boiler_address(self, timeout: float) -> "Deferred[str]":
        """Where the boiler is: configured, found, or found within ``timeout`` seconds.

        Errors: ``BoilerUnknownError`` after that.
        """
        address: Deferred[str] = Deferred(self._waiting.remove)
        if self._boiler_host:
            address.callback(self._boiler_host)
        elif self.boiler is not None:
            address.callback(self.boiler.address)
        else:
            self._waiting.append(address)
            unknown = Failure(BoilerUnknownError("no boiler has answered yet"))
            address.addTimeout(timeout, self._clock, lambda *_: unknown)
        return address

    def _notify_of_gateway(self) -> None:
        gateway = self.gateway
        if gateway is not None:
            self.gateway_heard = self._clock.seconds()
            self._on_gateway.tell(gateway)

    def _say_once(self, gateway: FoundGateway, message: str) -> None:
        """Say it of this gateway for the first time only; bounded, since anybody can forge it."""
        if self._said.first((message, gateway)):
            log.info(
                message,
                serial=gateway.announcement.serial or "without number",
                address=gateway.address,
                software=gateway.announcement.software or "unknown",
            )


def _say_found(boiler: FoundBoiler) -> None:
    log.info(
        "boiler at {address}: {model}, firmware {firmware}",
        address=boiler.address,
        model=boiler.services.model or "unknown model",
        firmware=boiler.services.firmware or "unknown",
    )
