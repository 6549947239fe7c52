"""The HTTP side, through a real site."""

import json
from pathlib import Path
from socket import gethostname

import hargassner.web
from hargassner.dialogue.events import LoggedIn, SessionOpened, SessionOver
from hargassner.discovery import Announcement, ServiceList
from hargassner.web.service import ChainObserver
from tests.web.cases import Answer, Connection, PageCase, show

PATHS = (
    "/",
    "/style.css",
    "/page.js",
    "/icon.svg",
    "/api/state",
    "/api/history",
    "/api/consumption",
    "/api/diagnostics",
    "/metrics",
)
STATIC = Path(hargassner.web.__file__).parent / "static"
SCRIPTS = [f"/{each.name}" for each in STATIC.glob("*.js") if each.name != "uplot.js"]
"""The page's own; the library is given no text that came over the wire as markup."""


class SiteTests(PageCase):
    def test_everything_is_there_with_its_type(self) -> None:
        types = [self.get(path).headers["content-type"] for path in PATHS]
        self.assertEqual(
            [
                "text/html",
                "text/css",
                "text/javascript",
                "image/svg+xml",
                "application/json",
                "application/json",
                "application/json",
                "text/plain",
                "text/plain",
            ],
            [each.partition(";")[0] for each in types],
        )
        self.assertEqual([self.get(path).code for path in PATHS], [200] * len(PATHS))

    def test_whatever_is_answered_has_safe_headers(self) -> None:
        for path in (*PATHS, "/healthz", "/nonsense", "/api", "/api/nonsense", "/page.js/more"):
            headers = self.get(path).headers
            policy = headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy, path)
            self.assertIn("frame-ancestors 'none'", policy, path)
            self.assertNotIn("unsafe", policy, path)
            self.assertEqual("nosniff", headers["x-content-type-options"], path)
            self.assertEqual("no-referrer", headers["referrer-policy"], path)
            self.assertNotIn("TwistedWeb", headers["server"], path)
            self.assertIn(headers["cache-control"], ("no-store", "no-cache"), path)

    def test_the_script_reads_no_clock_that_can_be_set(self) -> None:
        """An owner's device may have any date; only the bridge's counts."""
        self.assertGreater(len(SCRIPTS), 10)
        for path in SCRIPTS:
            script = self.get(path).body
            for each in (b"Date.now(", b"new Date()", b"Date()"):
                self.assertNotIn(each, script, path)

    def test_what_is_not_there_is_said_to_be_not_there(self) -> None:
        for path in ("/nonsense", "/nonsense/more", "/api", "/api/", "/api/nonsense", "/.."):
            self.assertEqual(404, self.get(path).code, path)

    def test_what_fails_is_said_to_be_broken_and_logged(self) -> None:
        """The next request is answered as ever."""
        self.patch(ChainObserver, "status", lambda _chain: 1 / 0)
        answer = self.get("/api/state")
        self.assertEqual((500, "no-store"), (answer.code, answer.headers["cache-control"]))
        self.assertNotIn(b"ZeroDivisionError", answer.body)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual(200, self.get("/").code)

    def test_nothing_can_be_changed(self) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            for path in ("/", "/api/state", "/api/events", "/nonsense"):
                answer = self.get(path, method=method, content_length="0")
                self.assertEqual(405, answer.code, (method, path))
                self.assertEqual("GET, HEAD", answer.headers["allow"])

    def test_the_headers_alone_can_be_asked_for(self) -> None:
        for path in PATHS:
            connection = Connection(self.site)
            connection.ask(path, method="HEAD", connection="close")
            head, _, body = connection.transport.value().partition(b"\r\n\r\n")
            self.assertIn(b"200 OK", head, path)
            self.assertEqual(b"", body, path)

    def test_the_page_is_in_the_browsers_language(self) -> None:
        for accepted, language in (("de-AT", "de"), ("fr;q=0.9, en;q=0.5", "fr"), ("it", "en")):
            answer = self.get("/", accept_language=accepted)
            self.assertEqual(answer.headers["content-language"], language)
            self.assertIn(f'<html lang="{language}"'.encode(), answer.body)

    def test_nothing_is_loaded_from_elsewhere(self) -> None:
        for path in ("/", "/style.css", "/charts.css", "/uplot.css", *SCRIPTS):
            body = self.get(path).body.replace(b"http://www.w3.org/2000/svg", b"")
            self.assertNotIn(b"http:", body, path)
            self.assertNotIn(b"https:", body, path)
            self.assertNotIn(b'src="//', body, path)

    def test_no_script_of_the_page_makes_markup_of_text(self) -> None:
        markup = (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"eval(", b"document.write")
        for path in SCRIPTS:
            script = self.get(path).body
            for dangerous in markup:
                self.assertNotIn(dangerous, script, path)

    def test_what_the_browser_has_already_is_not_sent_again(self) -> None:
        tag = self.get("/page.js").headers["etag"]
        again = self.get("/page.js", if_none_match=tag)
        self.assertEqual((304, b""), (again.code, again.body))

    def test_over_loopback_only_names_of_this_machine_are_answered(self) -> None:
        for host in ("localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080", "a.localhost"):
            self.assertEqual(200, self.get("/api/state", host=host).code, host)
        mapped = Connection(self.site, local="::ffff:127.0.0.1")
        mapped.ask("/api/state", host="evil.example", connection="close")
        self.assertEqual(421, Answer(mapped.transport.value()).code)
        for host in ("evil.example", "evil.example:8080", "localhost.evil.example", ""):
            answer = self.get("/api/state", host=host)
            self.assertEqual(421, answer.code, host)
            self.assertNotIn(b"chain", answer.body)

    def test_over_a_network_only_names_of_this_machine_are_answered_too(self) -> None:
        for host, code in (
            ("192.168.1.5:8080", 200),
            (f"{gethostname()}.local", 200),
            ("192.168.1.6", 421),
            ("evil.example", 421),
        ):
            connection = Connection(self.site, local="192.168.1.5")
            connection.ask("/api/state", host=host, connection="close")
            self.assertEqual(connection.code, code, host)

    def test_each_of_several_hosts_has_to_be_meant(self) -> None:
        for hosts in ("localhost\r\nHost: evil.example", "evil.example\r\nHost: localhost"):
            self.assertEqual(421, self.get("/api/state", host=hosts).code)

    def test_whoever_names_no_host_is_answered(self) -> None:
        connection = Connection(self.site, local="192.168.1.5")
        connection.send(b"GET /metrics HTTP/1.0\r\n\r\n")
        self.assertEqual(200, connection.code)

    def test_a_name_that_is_not_this_machines_is_said_once_and_counted(self) -> None:
        for _ in range(3):
            self.get("/", host="evil.example")
        [line] = self.log.lines[1:]
        self.assertIn("asked for the web page by the name evil.example", line)
        self.assertIn(
            b'hargassner_web_refused_total{reason="host"} 3.0\n', self.get("/metrics").body
        )

    def test_a_header_of_any_bytes_is_borne(self) -> None:
        for name in (b"Accept-Language", b"If-None-Match", b"Cookie", b"Referer", b"X-Y"):
            for value in (b"\xff", b"de;q=\xb2", b"=;=,;q=", b"\x80" * 5000):
                connection = Connection(self.site)
                connection.send(
                    b"GET / HTTP/1.1\r\nHost: localhost\r\n%b: %b\r\n\r\n" % (name, value)
                )
                self.assertEqual(200, connection.code, (name, value))

    def test_a_request_for_no_path_has_the_same_rules(self) -> None:
        connection = Connection(self.site)
        connection.ask("*", method="OPTIONS")
        answer = Answer(connection.transport.value())
        self.assertEqual((405, "hargassner"), (answer.code, answer.headers["server"]))

    def test_requests_are_not_logged(self) -> None:
        self.site.doStart()
        self.addCleanup(self.site.doStop)
        self.get("/api/state")
        self.get("/api/state", method="HEAD")
        self.assertEqual([], [event for event in self.log.everything if "/api/state" in str(event)])


class StateTests(PageCase):
    def test_the_model_is_there_as_json(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.devices.boiler_answered("198.51.100.2", ServiceList("HSV", "V14.0n3", "0BADCAFE"))
        show(self.boiler, {"TK": ("65.90", "°C")}, "Störung", at=self.clock.seconds())
        state = self.get("/api/state", accept_language="de").json
        self.assertEqual(state["now"], self.clock.wall())
        self.assertEqual("65.90", state["channels"]["tk"]["value"])
        self.assertEqual("ON", state["channels"]["stoerung"]["value"])
        self.assertEqual("Kessel", state["boiler"]["tiles"][0]["label"])
        self.assertEqual("Störung", state["faults"][0]["text"])
        self.assertEqual("gateway.announced", state["chain"]["gateway"]["state"])
        self.assertEqual("192.0.2.7", state["chain"]["gateway"]["address"])
        self.assertEqual("boiler.online", state["chain"]["boiler"]["state"])
        self.assertEqual("198.51.100.2", state["chain"]["boiler"]["address"])

    def test_the_end_of_a_session_is_remembered(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        for event in (SessionOpened(1, "192.0.2.7"), LoggedIn()):
            self.boiler.apply(event, self.clock.seconds(), 1)
        self.assertEqual("gateway.online", self.gateway()["state"])
        self.clock.advance(7)
        self.boiler.apply(SessionOver(1, "closed"), self.clock.seconds(), 1)
        gateway = self.gateway()
        self.assertEqual("gateway.waiting", gateway["state"])
        self.assertEqual(gateway["since"], self.clock.seconds())

    def test_what_came_before_the_page_is_known_to_it(self) -> None:
        """It is built when the bridge listens already, on a slow machine seconds later."""
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        heard = self.clock.seconds()
        for event in (SessionOpened(1, "192.0.2.7"), LoggedIn()):
            self.boiler.apply(event, heard, 1)
        self.clock.advance(5)
        chain = ChainObserver(self.parts, self.clock)
        self.boiler.apply(SessionOver(1, "closed"), heard + 5, 1)
        self.assertEqual(heard + 5, chain.status().gateway.since)

    def test_an_announcement_before_the_page_is_an_announcement(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        heard = self.clock.seconds()
        self.clock.advance(5)
        gateway = ChainObserver(self.parts, self.clock).status().gateway
        self.assertEqual(("gateway.announced", heard), (gateway.state, gateway.since))

    def test_a_session_before_its_login_is_seen_and_one_of_somebody_else_is_not(self) -> None:
        self.devices.gateway_announced("192.0.2.7", Announcement("6.4.1", "0012345"))
        self.boiler.apply(SessionOpened(1, "192.0.2.99"), self.clock.seconds(), 1)
        self.assertEqual("gateway.announced", self.gateway()["state"])
        self.boiler.apply(SessionOpened(2, "192.0.2.7"), self.clock.seconds(), 2)
        self.assertEqual("gateway.connected", self.gateway()["state"])

    def gateway(self) -> dict[str, object]:
        chain: dict[str, dict[str, object]] = self.get("/api/state").json["chain"]
        return chain["gateway"]

    def test_names_from_the_wire_are_plain_json(self) -> None:
        show(self.boiler, {"</script><script>alert(1)//": ("1", "<b>")})
        answer = self.get("/api/state")
        [channel] = answer.json["channels"].values()
        self.assertEqual("</script><script>alert(1)//", channel["name"])
        self.assertEqual("application/json", answer.headers["content-type"])


class HealthTests(PageCase):
    def test_it_is_well_while_everything_is_open(self) -> None:
        answer = self.get("/healthz")
        self.assertEqual((200, {"status": "ok"}), (answer.code, answer.json))

    def test_it_is_not_while_something_is_closed_which_is_named(self) -> None:
        self.boiler_opening.stopService()
        answer = self.get("/healthz")
        self.assertEqual(503, answer.code)
        self.assertEqual(
            answer.json, {"status": "closed", "closed": [str(self.boiler_opening.name)]}
        )
        self.assertEqual(
            "broken", json.loads(self.get("/api/state").body)["chain"]["bridge"]["level"]
        )
