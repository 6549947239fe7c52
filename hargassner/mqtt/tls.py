"""TLS to the broker, with the files that the configuration names; imported for mqtts only."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    KeyPair,
    PrivateCertificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)

from hargassner.config import MqttConfig
from hargassner.mqtt.files import UnusableFileError, parsed

_Key = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey


def _authorities(content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except UnsupportedAlgorithm as unknown:
        raise ValueError from unknown


def _key(content: bytes) -> _Key:
    try:
        key = load_pem_private_key(content, password=None)
    except UnsupportedAlgorithm as unknown:
        raise ValueError from unknown
    if not isinstance(key, _Key):
        raise TypeError
    return key


def _own_certificate(config: MqttConfig) -> tuple[PrivateCertificate, list[crypto.X509]]:
    """The client certificate with its key, and the certificates between it and the authority."""
    first, *others = parsed(
        "client_certificate", config.client_certificate, "PEM certificate", _authorities
    )
    key = parsed("client_key", config.client_key, "PEM key without a passphrase", _key)
    if key.public_key() != first.public_key():
        raise UnusableFileError(
            f"mqtt.client_key: {config.client_key} is not the key of mqtt.client_certificate"
        )
    pair = KeyPair(crypto.PKey.from_cryptography_key(key))
    certificate = PrivateCertificate.fromCertificateAndKeyPair(_twisted(first), pair)
    return certificate, list(map(crypto.X509.from_cryptography, others))


def _twisted(certificate: x509.Certificate) -> Certificate:
    return Certificate.load(certificate.public_bytes(Encoding.DER))


def tls_options(config: MqttConfig, host: str) -> IOpenSSLClientConnectionCreator:
    """TLS as the configuration wants it, with the broker's certificate checked for ``host``.

    Raises:
        UnusableFileError: a file cannot be read, or is not what it should be.
    """
    trust = platformTrust()
    if config.ca_file:
        authorities = parsed("ca_file", config.ca_file, "PEM certificate", _authorities)
        trust = trustRootFromCertificates(list(map(_twisted, authorities)))
    own, extra = None, {}
    if config.client_certificate:
        own, chain = _own_certificate(config)
        extra = {"extraCertChain": chain}
    return optionsForClientTLS(
        host, trustRoot=trust, clientCertificate=own, extraCertificateOptions=extra
    )
