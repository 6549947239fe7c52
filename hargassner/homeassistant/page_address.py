"""Where others find the status page."""

import re

from hargassner.config import WebConfig

_LOOPBACK = re.compile(r"127\.|localhost$|::1$")
_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - how "any address" is written
_SCHEMES = {"tcp": "http", "tcp6": "http", "ssl": "https"}

_KIND = re.compile(r"^(\w+)")
_PORT = re.compile(r"(?<!\\):(?:port=)?(\d+)(?=:|$)")
_INTERFACE = re.compile(r"(?<!\\):interface=((?:\\.|[^:\\])*)")
"""What stands where in the description of an endpoint."""


def status_page(web: WebConfig, host: str) -> str:
    """The address of the status page, or an empty string if only this machine can see it.

    Args:
        web: where it listens, and the names by which the owner asks for it.
        host: this machine's address in the home network, for a page that listens on any address;
            a bare name would not be known in every home.
    """
    kind, port, interface = (_found(each, web.listen) for each in (_KIND, _PORT, _INTERFACE))
    own = (*web.hosts, host)[0]
    asked = dict.fromkeys(_ANY_ADDRESS, own).get(interface, interface)
    if kind not in _SCHEMES or _LOOPBACK.match(interface) or not asked:
        return ""
    return f"{_SCHEMES[kind]}://{_bracketed(asked)}:{port}"


def _found(pattern: re.Pattern[str], listen: str) -> str:
    """What an endpoint's description has there, empty for nothing."""
    found = pattern.search(listen)
    return found[1].replace("\\", "") if found else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
