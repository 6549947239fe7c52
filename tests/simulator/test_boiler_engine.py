"""The simulated boiler's dialogue, by values: a line in, messages out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.engine import BoilerEngine, Message, Mishap
from hargassner.simulator.boiler.identity import Identity
from hargassner.simulator.boiler.parameters import RefusedError
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.login import key_for
from hargassner.simulator.segments import segments


class Talk:
    """An engine, its clock, and a first connection."""

    def __init__(self, mishap: Callable[[str], Mishap | None] = lambda _request: None) -> None:
        self.now = datetime(2024, 1, 15, 7, 0, 0)
        self.plant = Plant()
        self.engine = BoilerEngine(self.plant, lambda: self.now, address="192.0.2.9", mishap=mishap)
        self.number, _ = self.engine.connect()

    def ask(self, request: str, number: int | None = None) -> list[Message]:
        """Everything that one request brings about."""
        asked = self.number if number is None else number
        return self.engine.received(asked, request.encode("latin-1"))

    def own(self, request: str) -> bytes:
        """What the first connection gets for its request."""
        return b"".join(each.data for each in self.ask(request) if each.connection == self.number)

    def log_in(self) -> "Talk":
        """Log the first connection in."""
        token = self.own("$login token")[1:9].decode()
        self.own(f"$login key {key_for(token)}")
        return self


class MishapTests(SynchronousTestCase):
    """Boilers that don't do as they are told."""

    SET = '$par set "4;3;22.0"'

    def talk(self, mishap: Mishap) -> Talk:
        return Talk(lambda command: mishap if command.startswith("par set") else None).log_in()

    def test_something_else_is_said_and_nothing_done(self) -> None:
        talk = self.talk(Mishap(("zERR", "$err limit")))
        self.assertEqual(b"zERR\r\n$err limit\r\n", talk.own(self.SET))
        self.assertEqual(b"$4;3;20.", talk.own("$par get 4")[:8])

    def test_nothing_is_said_and_nothing_done(self) -> None:
        talk = self.talk(Mishap(()))
        self.assertEqual([], talk.ask(self.SET))
        self.assertEqual(b"$4;3;20.", talk.own("$par get 4")[:8])

    def test_it_is_done_and_told_to_all_but_the_reply_is_missing(self) -> None:
        talk = self.talk(Mishap())
        other, _ = talk.engine.connect()
        messages = talk.ask(self.SET)
        self.assertEqual({each.connection for each in messages}, {talk.number, other})
        for each in messages:
            self.assertIn(b"zPa N: 4", each.data)
            self.assertNotIn(b"$", each.data)
        self.assertEqual(b"$4;3;22.", talk.own("$par get 4")[:8])


class LoginTests(SynchronousTestCase):
    """Who may ask."""

    def test_a_token_has_eight_hexadecimal_digits(self) -> None:
        """And the next one is another."""
        talk = Talk()
        tokens = [talk.own("$login token") for _ in range(2)]
        for each in tokens:
            self.assertRegex(each, rb"^\$[0-9A-F]{8}\r\n$")
        self.assertNotEqual(*tokens)

    def test_the_key_for_the_token_logs_in(self) -> None:
        """A notice and an acknowledgement, in one message."""
        talk = Talk()
        key = key_for(talk.own("$login token")[1:9].decode())
        self.assertRegex(key, "^13[0-9A-F]{32}$")
        expected = f"zclient login ({talk.number})\r\n$ack\r\n".encode()
        self.assertEqual([Message(talk.number, expected)], talk.ask(f"$login key {key}"))
        self.assertEqual(b"$0\r\n", talk.own("$uptime"))

    def test_another_key_is_refused(self) -> None:
        """So is the right one a second time, or without a token."""
        talk = Talk()
        self.assertEqual(b"$permission denied\r\n", talk.own("$login key 13"))
        token = talk.own("$login token")[1:9].decode()
        self.assertEqual(b"$permission denied\r\n", talk.own(f"$login key 13{'0' * 32}"))
        self.assertEqual(b"$permission denied\r\n", talk.own(f"$login key {key_for(token)}"))
        self.assertEqual(b"$permission denied\r\n", talk.own("$uptime"))

    def test_without_login_every_command_is_refused_and_telemetry_comes(self) -> None:
        """A reader needs no login; whoever commands does."""
        talk = Talk()
        for request in ("$daq stop", "$info", "$par get PR001", "$dhcp renew", "$nonsense"):
            self.assertEqual(b"$permission denied\r\n", talk.own(request))
        [line] = talk.engine.telemetry()
        self.assertTrue(line.data.startswith(b"pm "))


class ReplyTests(SynchronousTestCase):
    """The requests of section 3."""

    def setUp(self) -> None:
        self.talk = Talk().log_in()

    def test_simple_requests_have_their_replies(self) -> None:
        """One message each."""
        for request, reply in [
            ("$apiversion", b"$1.0.1\r\n"),
            ("$setkomm", b"$3100001 ack\r\n"),
            ("$asnr get", b"$\r\n"),
            ("$igw set 0012345", b"$ack\r\n"),
            ("$bootversion", b"$V2.18\r\n"),
            ("$rtc get", b"$2024-01-15 07:00:00\r\n"),
            ("$erract", b"$no errors\r\n"),
            ("$igw clear", b"$ack\r\n"),
            ("$what is this", b"$Unknown Command\r\n"),
        ]:
            self.assertEqual([Message(self.talk.number, reply)], self.talk.ask(request))
        self.assertEqual("0012345", self.talk.engine.gateway_serial)

    def test_info_has_five_lines(self) -> None:
        """In one message."""
        [message] = self.talk.ask("$info")
        self.assertEqual(
            b"$KT: 'Nano-SIM 20'\r\n$SWV: 'V14.0HAR.s'\r\n$FWV I/O: 'V1.2.8'\r\n"
            b"$SN I/O: '3100002'\r\n$SN BCE: '3100003'\r\n",
            message.data,
        )

    def test_uptime_and_clock_go_on(self) -> None:
        """By the clock that was given."""
        self.talk.now += timedelta(hours=1, seconds=1)
        self.assertEqual(b"$3601\r\n", self.talk.own("$uptime"))
        self.assertEqual(b"$2024-01-15 08:00:01\r\n", self.talk.own("$rtc get"))

    def test_the_descriptor_comes_in_blocks(self) -> None:
        """Joined they are the document; its line end stands inside the last block."""
        reply = self.talk.own("$daq desc")
        self.assertTrue(reply.startswith(b"$<<<DAQPRJ>") and reply.endswith(b"</DAQPRJ>\r\n>>\r\n"))
        pieces = reply[3:-4].split(b">>\r\n$<<")
        self.assertEqual(b"".join(pieces), self.talk.engine.layout.document())

    def test_telemetry_is_stopped_and_started_a_connection(self) -> None:
        """The other connection's goes on."""
        other, _ = self.talk.engine.connect()

        def listeners() -> list[int]:
            return [each.connection for each in self.talk.engine.telemetry()]

        self.assertEqual(b"$daq stopped\r\n", self.talk.own("$daq stop"))
        self.assertEqual(listeners(), [other])
        self.assertEqual(b"$daq started\r\n", self.talk.own("$daq start"))
        self.assertEqual(listeners(), [self.talk.number, other])

    def test_notices_are_stopped_and_started_a_connection(self) -> None:
        """``$logging disable`` keeps them away."""
        self.assertEqual(b"$logging disabled\r\n", self.talk.own("$logging disable"))
        self.assertEqual(b"$ack\r\n", self.talk.own('$par set "4;3;21"'))
        self.assertEqual([], self.talk.engine.change("4", "22"))
        self.assertEqual(b"$logging enabled\r\n", self.talk.own("$logging enable"))
        self.assertEqual(1, len(self.talk.engine.change("4", "23")))

    def test_dhcp_renew_has_no_reply_and_later_a_notice(self) -> None:
        """A fifth of a second later."""
        [message] = self.talk.ask("$dhcp renew")
        self.assertEqual(
            Message(self.talk.number, b"zIP 0.0.0.0\r\nzIP 192.0.2.9\r\n", after=0.2), message
        )

    def test_active_errors_are_a_line_each(self) -> None:
        """With number and text."""
        self.talk.plant.raise_fault(70)
        self.talk.plant.raise_fault(5)
        self.assertEqual(
            b"$0070 Pellets-Lagerstand gering\r\n$0005 Aschelade entleeren\r\n",
            self.talk.own("$erract"),
        )


class ParameterTests(SynchronousTestCase):
    """Parameters are read, set and refused."""

    def setUp(self) -> None:
        self.talk = Talk().log_in()

    def test_one_parameter_ends_with_a_zero_field(self) -> None:
        """A number and a choice."""
        self.assertEqual(
            b"$4;3;20.500;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Heizkreis 1 Raumtemp. Tag;0;\r\n",
            self.talk.own("$par get 4"),
        )
        self.assertEqual(
            b"$PR001;6;3;4;1;0;0;0;Betriebsart;Hand;Aus;Boiler;Auto;Feuerung aus;0;\r\n",
            self.talk.own("$par get PR001"),
        )
        self.assertEqual(b"$err parameter\r\n", self.talk.own("$par get PR999"))

    def test_the_documented_parameters_are_there(self) -> None:
        """Those that the interface of a home would offer."""
        ids = ["PR001", "PR003", "PR004", "PR030", "4", "5", "7", "8", "A6d"]
        ids += [f"PR0{number}" for number in (*range(10, 18), *range(40, 46))]
        for id_ in ids:
            self.assertTrue(self.talk.own(f"$par get {id_}").startswith(f"${id_};".encode()), id_)

    def test_all_parameters_come_in_blocks_of_records(self) -> None:
        """Each record ends with a bare line feed; the end is marked by ``$--``."""
        reply = self.talk.own("$par get all")
        self.assertTrue(reply.endswith(b">>\r\n$--\r\n"))
        records = reply[3 : -len(b">>\r\n$--\r\n")].replace(b">>\r\n$<<", b"").split(b"\n")
        self.assertEqual(b"", records[-1])
        self.assertEqual(len(records) - 1, len(list(self.talk.plant.parameters)))
        self.assertTrue(records[0].startswith(b"PR001;6;"))

    def test_a_setting_is_taken_and_told_to_everybody(self) -> None:
        """Old and new value, then who did it, then the acknowledgement to whoever asked."""
        other, _ = self.talk.engine.connect()
        notices = (
            b"zPa A: PR001 (Betriebsart) = Auto\r\nzPa N: PR001 (Betriebsart) = Aus\r\n"
            b"zSet Para changed\r\nzParamter PR001 per APP verstellt\r\n"
        )
        self.assertEqual(
            [Message(self.talk.number, notices + b"$ack\r\n"), Message(other, notices)],
            self.talk.ask('$par set "PR001;6;1"'),
        )
        self.assertIn(b"$PR001;6;1;", self.talk.own("$par get PR001"))
        self.talk.engine.advance(1)
        self.assertEqual(1, self.talk.plant.values()["Programm"])

    def test_a_setting_to_the_same_value_is_only_acknowledged(self) -> None:
        """Nothing changed, nothing is told."""
        self.assertEqual(b"$ack\r\n", self.talk.own('$par set "4;3;20.5"'))

    def test_bad_values_are_refused(self) -> None:
        """And change nothing."""
        before = self.talk.own("$par get all")
        for setting, why in [
            ("4;3;99", b"limit"),
            ("4;3;20.3", b"step"),
            ("4;3;warm", b"value"),
            ("4;6;1", b"type"),
            ("XY;3;1", b"parameter"),
            ("PR001;6;9", b"limit"),
        ]:
            self.assertEqual(self.talk.own(f'$par set "{setting}"'), b"$err " + why + b"\r\n")
        self.assertEqual(b"$Unknown Command\r\n", self.talk.own("$par set nothing"))
        self.assertEqual(self.talk.own("$par get all"), before)

    def test_what_is_not_fitted_is_refused_by_a_notice(self) -> None:
        """There is no third hot water tank."""
        self.assertEqual(
            b"zERR Boiler 3 nicht vorhanden\r\n", self.talk.own('$par set "PR044;6;1"')
        )

    def test_changed_parameters_since_a_date(self) -> None:
        """Without the zero field, ended by ``$--``, and nothing older."""
        self.assertEqual(b"$--\r\n", self.talk.own('$par get changed "2024-01-15 00:00:00"'))
        self.talk.now += timedelta(minutes=5)
        self.talk.engine.change("PR011", "Absenken")
        self.assertEqual(
            self.talk.own('$par get changed "2024-01-15 07:00:01"'),
            "$PR011;6;2;5;1;0;0;0;Heizkreis 1 Betriebsart;"
            "Aus;Auto;Absenken;Heizen;1x Heizen;Kühlen;\r\n$--\r\n".encode("latin-1"),
        )
        self.assertEqual(b"$--\r\n", self.talk.own('$par get changed "2024-01-15 07:05:01"'))
        self.assertEqual(b"$err date\r\n", self.talk.own('$par get changed "yesterday"'))

    def test_a_change_at_the_panel_is_told_to_everybody(self) -> None:
        """Also to those who did not log in."""
        other, _ = self.talk.engine.connect()
        messages = self.talk.engine.change("A6d", "1")
        notice = (
            b"zPa A: A6d (Heizkreis 1 Raumkorrektur FR35) = 0.0\r\n"
            b"zPa N: A6d (Heizkreis 1 Raumkorrektur FR35) = 1.0\r\nzSet Para changed\r\n"
        )
        self.assertEqual([Message(self.talk.number, notice), Message(other, notice)], messages)
        self.assertRaises(RefusedError, self.talk.engine.change, "A6d", "9")
        self.assertRaises(RefusedError, self.talk.engine.change, "none", "1")

    def test_a_finished_charge_goes_back_to_no(self) -> None:
        """The boiler changes the parameter itself, and says so."""
        self.talk.own('$par set "PR042;6;1"')
        told = b""
        for _ in range(600):
            told += b"".join(each.data for each in self.talk.engine.advance(60))
            if b"PR042" in told:
                break
        self.assertIn(b"zPa N: PR042 (Boiler 1 Ladung starten) = Nein\r\n", told)


class RobustnessTests(SynchronousTestCase):
    """Whatever is asked."""

    @given(st.lists(st.binary(max_size=60)))
    def test_any_line_is_answered_with_whole_lines(self, lines: list[bytes]) -> None:
        """Nothing raises."""
        talk = Talk().log_in()
        for line in lines:
            for start in (b"", b"$", b"$par set ", b'$par get changed "'):
                for message in talk.engine.received(talk.number, start + line):
                    self.assertTrue(message.data.endswith(b"\r\n"))

    def test_connections_come_and_go(self) -> None:
        """The others are told, and a number is never used twice."""
        talk = Talk()
        number, told = talk.engine.connect()
        self.assertEqual([Message(talk.number, b"zclient connected (7402)\r\n")], told)
        told = talk.engine.disconnect(number)
        self.assertEqual([Message(talk.number, b"zclient connection abort (7402)\r\n")], told)
        self.assertEqual(1, talk.engine.connections)
        self.assertEqual(7403, talk.engine.connect()[0])


class IdentityTests(SynchronousTestCase):
    """The datagrams."""

    def test_the_service_list_has_its_fields_where_they_belong(self) -> None:
        """318 bytes."""
        data = Identity().service_list()
        self.assertEqual(318, len(data))
        self.assertEqual(b"\0\2", data[:2])
        self.assertEqual(b"SIM/CL 9-60KW V14.0HAR.s", data[2:32].rstrip(b"\0"))
        self.assertEqual(b"HSV1", data[32:36])
        self.assertEqual(b"\0\x50", data[52:54])
        for place, name in [(54, b"par.cgi"), (84, b"daqdesc.cgi"), (276, b"trykey.cgi")]:
            self.assertEqual(data[place : place + len(name) + 1], name + b"\0")
        self.assertEqual(b"51AB0125\0\0", data[308:])


class SegmentTests(SynchronousTestCase):
    """Section 2: almost every message is cut in two."""

    def test_the_last_four_bytes_come_alone(self) -> None:
        """As captured."""
        for message, pieces in [
            (b"$3313C1F2\r\n", [b"$3313C1", b"F2\r\n"]),
            (b"zclient login (7421)\r\n$ack\r\n", [b"zclient login (7421)\r\n$a", b"ck\r\n"]),
            (b"$\r\n", [b"$\r\n"]),
            (b"", []),
        ]:
            self.assertEqual(segments(message), pieces)

    @given(st.binary(max_size=10_000))
    def test_nothing_is_lost_and_short_follows_long(self, message: bytes) -> None:
        """1456, 4, 1456, 4, and a rest cut in the same way."""
        pieces = segments(message)
        self.assertEqual(b"".join(pieces), message)
        self.assertTrue(all(0 < len(piece) <= 1456 for piece in pieces))
        for one, other in pairwise(pieces):
            self.assertTrue(len(one) == 4 or len(other) == 4)
