"""Asking a bridge that runs already, over its own web page."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

from hargassner.config import WebConfig

TIMEOUT = 5.0
"""Seconds that the answer may take."""

_PAGE = re.compile(r"tcp:(?:port=)?(?P<port>\d+)(?:.*:interface=(?P<host>[\d.]+)|)")
# A page that listens everywhere listens on loopback, too.
_LOOPBACK = {None: "127.0.0.1", "0.0.0.0": "127.0.0.1"}  # noqa: S104


class NoAnswerError(Exception):
    """The running bridge cannot be asked; the message says why."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """How a running bridge sees one of its links.

    ``level`` is "ok", "wait", "broken" or "off"; ``text`` and ``advice`` are for people.
    """

    level: str
    text: str
    address: str
    advice: str


def page_address(config: WebConfig) -> str | None:
    """The URL of the bridge's state where it has a page that can be asked, else None."""
    listens = _PAGE.match(config.listen)
    if listens is None:
        return None
    host = _LOOPBACK.get(listens["host"], listens["host"])
    return f"http://{host}:{listens['port']}/api/state"


async def ask(reactor: Any, config: WebConfig) -> dict[str, LinkReport]:
    """How the running bridge sees its links, by their names.

    Raises:
        NoAnswerError: it has no page, or the page does not answer.
    """
    url = page_address(config)
    if url is None:
        raise NoAnswerError("its web page is switched off")
    links = _links(await _page(reactor, url))
    if not links:
        raise NoAnswerError(f"{url} is not the bridge's page")
    return links


async def _page(reactor: Any, url: str) -> bytes:
    clock: IReactorTime = reactor
    agent = Agent(reactor, connectTimeout=TIMEOUT)
    headers = Headers({"accept-language": ["en"]})
    try:
        response = await agent.request(b"GET", url.encode(), headers).addTimeout(TIMEOUT, clock)
        return await readBody(response).addTimeout(TIMEOUT, clock)
    except Exception as wrong:
        why = str(wrong) or type(wrong).__name__
        raise NoAnswerError(f"{url} does not answer: {why}") from wrong


def _links(body: bytes) -> dict[str, LinkReport]:
    """The links in what a page says; none if it is no page of the bridge's."""
    try:
        chain = json.loads(body)["chain"]
        return {name: _link(link.get) for name, link in chain.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _link(get: Callable[[str], object]) -> LinkReport:
    return LinkReport(*(str(get(each.name) or "") for each in fields(LinkReport)))
