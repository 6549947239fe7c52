"""Asking a running bridge over its page."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from hargassner.cli.check.running import LinkReport, NoAnswerError, ask, page_address
from hargassner.config import WebConfig


class AddressTests(SynchronousTestCase):
    def test_where_the_page_can_be_asked(self) -> None:
        for listen, address in (
            ("tcp:8080:interface=127.0.0.1", "http://127.0.0.1:8080/api/state"),
            ("tcp:port=8081", "http://127.0.0.1:8081/api/state"),
            ("tcp:8080:interface=0.0.0.0", "http://127.0.0.1:8080/api/state"),
            ("tcp:8080:interface=192.0.2.1", "http://192.0.2.1:8080/api/state"),
            ("unix:/run/page", None),
            ("", None),
        ):
            self.assertEqual(page_address(WebConfig(listen)), address)


class State(Resource):
    """A page that says what it is told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.says = b""
        self.asked = b""

    def render_GET(self, request: Any) -> bytes:
        self.asked = request.path
        return self.says


class AskTests(TestCase):
    timeout = 120

    def setUp(self) -> None:
        self.state = State()
        port = reactor.listenTCP(0, Site(self.state), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.config = WebConfig(f"tcp:{port.getHost().port}:interface=127.0.0.1")

    def ask(self) -> "Deferred[dict[str, LinkReport]]":
        return Deferred.fromCoroutine(ask(reactor, self.config))

    @inlineCallbacks
    def test_its_links_are_told(self) -> Any:
        self.state.says = (
            b'{"chain": {"boiler": {"level": "broken", "text": "The boiler is away.",'
            b' "address": "192.0.2.2", "advice": "Look at it.", "since": 1.5}, "broker":'
            b' {"level": "off", "text": "No broker.", "address": null}}, "channels": []}'
        )
        links = yield self.ask()
        self.assertEqual(b"/api/state", self.state.asked)
        self.assertEqual(
            {
                "boiler": LinkReport("broken", "The boiler is away.", "192.0.2.2", "Look at it."),
                "broker": LinkReport("off", "No broker.", "", ""),
            },
            links,
        )

    @inlineCallbacks
    def test_another_kind_of_page_is_no_answer(self) -> Any:
        for says in (b"<html>", b"[]", b'{"chain": 7}', b'{"chain": {"boiler": 7}}', b"\xff"):
            self.state.says = says
            why = yield self.assertFailure(self.ask(), NoAnswerError)
            self.assertIn("is not the bridge's page", str(why))

    @inlineCallbacks
    def test_nobody_there(self) -> Any:
        self.config = WebConfig("tcp:1:interface=127.0.0.1")
        yield self.assertFailure(self.ask(), NoAnswerError)
        self.config = WebConfig("")
        why = yield self.assertFailure(self.ask(), NoAnswerError)
        self.assertEqual("its web page is switched off", str(why))
