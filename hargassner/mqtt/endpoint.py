"""The endpoint of the broker: its address, and TLS where the configuration wants it."""

from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.config import MqttConfig
from hargassner.mqtt.files import UnusableFileError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
CONNECT_TIMEOUT = 15.0
"""Seconds that an address of the broker's has to accept a connection."""


class IBrokerReactor(IReactorTCP, IReactorTime):
    """A reactor that connects and has a clock."""


@implementer(IStreamClientEndpoint)
class BrokerEndpoint:
    """The broker that the configuration names, as an endpoint.

    Args:
        config: names it.
        reactor: resolves the name and connects.
    """

    def __init__(self, config: MqttConfig, reactor: IBrokerReactor) -> None:
        parts = urlsplit(config.url)
        self._config = config
        self._reactor = reactor
        self._tls = parts.scheme == "mqtts"
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        """Connect; the result is the factory's connected protocol, TLS or not.

        Errors: ``UnusableFileError``, and the endpoint's.
        """
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            self._reactor, self._host, self._port, timeout=CONNECT_TIMEOUT
        )
        if self._tls:
            from hargassner.mqtt.tls import tls_options

            try:
                options = tls_options(self._config, self._host)
            except UnusableFileError:
                return fail(Failure())
            endpoint = wrapClientTLS(options, endpoint)
        return endpoint.connect(protocolFactory)
