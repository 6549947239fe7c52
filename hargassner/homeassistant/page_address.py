"""Where others find the status page."""

import re
from dataclasses import dataclass

from hargassner.config import WebConfig

_LOOPBACK = re.compile(r"127\.|localhost$|::1$")
_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - how "any address" is written
_SCHEMES = {"tcp": "http", "tcp6": "http", "ssl": "https"}
_SEPARATOR = re.compile(r"(?<!\\):")


@dataclass(frozen=True, slots=True)
class _Listening:
    """An endpoint's description, as far as it matters here."""

    kind: str
    host: str
    port: str


def status_page(web: WebConfig, host: str) -> str:
    """The address of the status page, or an empty string if only this machine can see it.

    Args:
        web: where it listens, and the names by which the owner asks for it.
        host: this machine's address in the home network, for a page that listens on any address;
            a bare name would not be known in every home.
    """
    listening = _parsed(web.listen)
    if listening.kind not in _SCHEMES or _LOOPBACK.match(listening.host):
        return ""
    own = next(iter((*web.hosts, host)))
    asked = own if listening.host in _ANY_ADDRESS else listening.host
    return f"{_SCHEMES[listening.kind]}://{_bracketed(asked)}:{listening.port}" if asked else ""


def _parsed(listen: str) -> _Listening:
    kind, *arguments = _SEPARATOR.split(listen)
    named = dict(each.partition("=")[::2] for each in arguments if "=" in each)
    positional = [each for each in arguments if "=" not in each]
    port = named.get("port") or "".join(positional[:1])
    return _Listening(kind, named.get("interface", "").replace("\\", ""), port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
