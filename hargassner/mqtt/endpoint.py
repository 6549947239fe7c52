"""The endpoint of the broker: its address, TLS, and the files that the configuration names.

Files are read at each attempt to connect, so that a renewed certificate or a corrected password
is taken without a restart.
"""

import stat
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import crypto
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import (
    Certificate,
    KeyPair,
    PrivateCertificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.config import MqttConfig

CONNECT_TIMEOUT = 15.0
"""Seconds that an address of the broker's has to accept a connection."""

_LARGEST_FILE = 1_048_576
_LARGEST_SECRET = 65_535
"""Bytes of a password: what MQTT has room for."""

T = TypeVar("T")
_Key = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey


class UnusableFileError(Exception):
    """A file that the configuration names cannot be used; the message says which and why."""


class IBrokerReactor(IReactorTCP, IReactorTime):
    """A reactor that connects and has a clock."""


def _read(key: str, name: str) -> bytes:
    """The content of a small file that the configuration names."""
    path = Path(name).expanduser()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # Reading it might wait for ever.
            raise UnusableFileError(f"mqtt.{key}: {path} is not a regular file")
        if found.st_size > _LARGEST_FILE:
            raise UnusableFileError(f"mqtt.{key}: {path} is too large")
        return path.read_bytes()
    except OSError as wrong:
        raise UnusableFileError(f"mqtt.{key}: {path} cannot be read: {wrong.strerror}") from None


def _parsed(key: str, name: str, what: str, parse: Callable[[bytes], T]) -> T:
    content = _read(key, name)
    try:
        return parse(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The parser's words may quote the file, which may hold a key.
        raise UnusableFileError(f"mqtt.{key}: {name} holds no {what}") from None


def password(config: MqttConfig) -> str:
    """The password, from the configuration or the file that it names.

    Raises:
        UnusableFileError: the file cannot be read, or holds no password.
    """
    if not config.password_file:
        return config.password

    def parse(content: bytes) -> str:
        # Some editors put a byte order mark before UTF-8.
        secret = content.removeprefix(BOM_UTF8).decode().rstrip("\r\n")
        if not secret or "\n" in secret or len(secret) > _LARGEST_SECRET:
            raise ValueError
        return secret

    return _parsed("password_file", config.password_file, "password in one line of UTF-8", parse)


def _authorities(content: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(content)


def _key(content: bytes) -> _Key:
    key = load_pem_private_key(content, password=None)
    if not isinstance(key, _Key):
        raise TypeError
    return key


def _own_certificate(config: MqttConfig) -> tuple[PrivateCertificate, list[crypto.X509]]:
    """The client certificate with its key, and the certificates between it and the authority."""
    first, *others = _parsed(
        "client_certificate", config.client_certificate, "PEM certificate", _authorities
    )
    key = _parsed("client_key", config.client_key, "PEM key without a passphrase", _key)
    if key.public_key() != first.public_key():
        raise UnusableFileError(
            f"mqtt.client_key: {config.client_key} is not the key of mqtt.client_certificate"
        )
    pair = KeyPair(crypto.PKey.from_cryptography_key(key))
    certificate = PrivateCertificate.fromCertificateAndKeyPair(_twisted(first), pair)
    return certificate, [crypto.X509.from_cryptography(each) for each in others]


def _twisted(certificate: x509.Certificate) -> Certificate:
    return Certificate.load(certificate.public_bytes(Encoding.DER))


def tls_options(config: MqttConfig, host: str) -> IOpenSSLClientConnectionCreator:
    """TLS as the configuration wants it, with the broker's certificate checked for ``host``.

    Raises:
        UnusableFileError: a file cannot be read, or is not what it should be.
    """
    trust = platformTrust()
    if config.ca_file:
        authorities = _parsed("ca_file", config.ca_file, "PEM certificate", _authorities)
        trust = trustRootFromCertificates([_twisted(each) for each in authorities])
    own, extra = None, {}
    if config.client_certificate:
        own, chain = _own_certificate(config)
        extra = {"extraCertChain": chain}
    return optionsForClientTLS(
        host, trustRoot=trust, clientCertificate=own, extraCertificateOptions=extra
    )


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
        self._port = parts.port or (8883 if self._tls else 1883)

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        """Connect; the result is the factory's connected protocol, TLS or not.

        Errors: ``UnusableFileError``, and the endpoint's.
        """
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            self._reactor, self._host, self._port, timeout=CONNECT_TIMEOUT
        )
        if self._tls:
            try:
                options = tls_options(self._config, self._host)
            except UnusableFileError:
                return fail(Failure())
            endpoint = wrapClientTLS(options, endpoint)
        return endpoint.connect(protocolFactory)
