"""What the dialogue makes of what passes."""

import tracemalloc
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.descriptor import (
    LARGEST_DOCUMENT,
    MOST_CHANNELS,
    parse_descriptor,
)
from hargassner.dialogue.dialogue import MOST_KINDS, Dialogue, LineState
from hargassner.dialogue.events import (
    ActiveErrors,
    BoilerDescribed,
    Clearing,
    ClockRead,
    Event,
    Identified,
    LoggedIn,
    Notice,
    ParameterChanged,
    ParameterSeen,
    Passthrough,
    Refused,
    TelemetryLine,
    Unreadable,
    UptimeRead,
)
from hargassner.dialogue.lines import LONGEST_LINE
from hargassner.dialogue.masking import LONGEST_SHOWN
from hargassner.dialogue.pairing import MOST_OPEN
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.dialogue.replies import MOST_ERRORS
from tests import EXAMPLES
from tests.doubles.documents import document

TOKEN = "5EC2E7A0"
KEY = "13F00DFACE0123456789ABCDEF01234567"

Said = Sequence[tuple[str, bytes]]
"""Who said something, and what."""


def said(*lines: str) -> Said:
    """Lines of a conversation: the gateway's begin ``>``, the boiler's ``<``."""
    return [
        ("gateway" if line[0] == ">" else "boiler", line[2:].encode("latin-1") + b"\r\n")
        for line in lines
    ]


def hear(dialogue: Dialogue, conversation: Said) -> list[Event]:
    """The events of a conversation, each turn in one segment."""
    events: list[Event] = []
    for who, data in conversation:
        events += dialogue.gateway_sent(data) if who == "gateway" else dialogue.boiler_sent(data)
    return events


def events_of(*lines: str) -> list[Event]:
    """The events of a whole conversation."""
    return hear(Dialogue(), said(*lines))


def choice(identifier: str, index: int, *options: str) -> ParameterSeen:
    """A choice was seen that is called Mode and has option 1 for its default."""
    return ParameterSeen(ChoiceParameter(identifier, "Mode", index, options, 1))


def numbered(channels: int = 3) -> bytes:
    """A descriptor with so many analog channels."""
    return document([(f"Größe {number}", "°C") for number in range(channels)], {3: "Störung"})


def blocks(content: bytes, size: int) -> str:
    """A block for each so many bytes."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return "\r\n".join(f"$<<{piece.decode('latin-1')}>>" for piece in pieces)


def no_reply(request: str) -> Unreadable:
    """A request's reply never came."""
    return Unreadable("gateway", request, "no reply to this request came")


def belongs_to_nothing(line: str) -> Unreadable:
    """A reply came that nobody asked for."""
    return Unreadable("boiler", line, "no request is open that this can be a reply to")


class LoginTests(SynchronousTestCase):
    """The login, and what of it is told."""

    def test_the_key_that_is_accepted_logs_in(self) -> None:
        """The notice that comes before the ``$ack`` is told too."""
        events = events_of(
            "> $login token",
            f"< ${TOKEN}",
            f"> $login key {KEY}",
            "< zclient login (7421)",
            "< $ack",
        )
        self.assertEqual([Notice("zclient login (7421)"), LoggedIn()], events)

    def test_the_notice_alone_does_not_log_in(self) -> None:
        """Only the reply to the key counts."""
        events = events_of(f"> $login key {KEY}", "< zclient login (7421)")
        self.assertEqual([Notice("zclient login (7421)")], events)

    def test_an_ack_to_something_else_does_not_log_in(self) -> None:
        """The boiler says ``$ack`` to many requests."""
        self.assertNotIn(LoggedIn(), events_of("> $igw set 0039808", "< $ack"))

    def test_a_key_that_is_refused_does_not_log_in(self) -> None:
        """The refusal does not show the key."""
        events = events_of(f"> $login key {KEY}", "< $permission denied")
        self.assertEqual([Refused("$login key …", "$permission denied")], events)

    def test_the_token_is_told_in_no_event(self) -> None:
        """Neither its reply nor a line that repeats it shows it."""
        events = events_of("> $login token", f"< ${TOKEN}", f"< zyou got {TOKEN}", f"< ${TOKEN}")
        self.assertEqual(events, [Notice("zyou got ********"), belongs_to_nothing("$********")])

    def test_what_comes_in_place_of_the_token_is_not_shown(self) -> None:
        """It may be a token in a form that is not known."""
        [event] = events_of("> $login token", "< $this-is-my-token")
        self.assertEqual(event, belongs_to_nothing("…"))

    def test_whoever_repeats_the_key_is_not_quoted(self) -> None:
        """Refusals, notices, unknown requests and unreadable lines are shown without it."""
        events = events_of(
            f"> $login key {KEY}",
            f"< zERR key {KEY}",
            f"< $err key {KEY} is wrong",
            f"> $trykey {KEY}",
            f"< ?? {KEY}",
            f"> LOGIN  KEY {KEY}",
        )
        self.assertEqual(5, len(events))
        self.assertNotIn(KEY[:6], repr(events))


class RequestTests(SynchronousTestCase):
    """Each request of section 3 and its reply."""

    def test_facts_of_one_word(self) -> None:
        """Versions are identity, the uptime is a number."""
        self.assertEqual(
            [Identified("api_version", "1.0.1"), Identified("boot_version", "V2.18")],
            events_of("> $apiversion", "< $1.0.1", "> $bootversion", "< $V2.18"),
        )
        self.assertEqual([UptimeRead(666151)], events_of("> $uptime", "< $666151"))

    def test_asnr_may_be_empty(self) -> None:
        """A ``$`` alone is the reply, and says nothing."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said("> $asnr get", "< $")))
        self.assertEqual((), dialogue.open_requests)

    def test_asnr_may_be_a_number(self) -> None:
        """Where there is one, it is identity."""
        self.assertEqual([Identified("asnr", "4711")], events_of("> $asnr get", "< $4711"))

    def test_the_gateway_is_identified_when_the_boiler_took_its_number(self) -> None:
        """The serial number is in the request, and counts with the ``$ack``."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said("> $igw set 0039808")))
        identified = Identified("gateway_serial", "0039808")
        self.assertEqual(hear(dialogue, said("< $ack")), [identified])

    def test_formalities_say_nothing(self) -> None:
        """Replies that only confirm give no event, and close their requests."""
        dialogue = Dialogue()
        events = hear(
            dialogue,
            said(
                *("> $setkomm", "< $2225410 ack"),
                *("> $daq stop", "< $daq stopped"),
                *("> $daq start", "< $daq started"),
                *("> $logging disable", "< $logging disabled"),
                *("> $logging enable", "< $logging enabled"),
                *("> $logging enable", "< $ack"),
            ),
        )
        self.assertEqual(([], ()), (events, dialogue.open_requests))

    def test_info_has_five_facts(self) -> None:
        """Names and values are in the lines; a value may have any character."""
        events = events_of(
            "> $info",
            "< $KT: 'Nano.2(.3) 15'",
            "< $SWV: 'V14.0n3'",
            "< $FWV I/O: 'V1.2.8'",
            "< $SN I/O: '2581475'",
            "< $SN BCE: '2727152'",
        )
        expected = [
            Identified("model", "Nano.2(.3) 15"),
            Identified("firmware", "V14.0n3"),
            Identified("io_firmware", "V1.2.8"),
            Identified("io_serial", "2581475"),
            Identified("controller_serial", "2727152"),
        ]
        self.assertEqual(expected, events)

    def test_info_may_have_fewer_facts(self) -> None:
        """The next reply ends it; nothing is missed."""
        events = events_of("> $info", "< $KT: 'HSV'", "> $uptime", "< $12")
        self.assertEqual([Identified("model", "HSV"), UptimeRead(12)], events)

    def test_info_may_have_more_facts(self) -> None:
        """A fact that is not known is told as such, whether or not the next request came."""
        lines = ["> $info", "< $SN BCE: '1'", "< $SN X: '2'", "> $uptime", "< $SN Y: '3'", "< $9"]
        reason = "the boiler told a fact that is not known"
        self.assertEqual(
            [
                Identified("controller_serial", "1"),
                Unreadable("boiler", "SN X: '2'", reason),
                Unreadable("boiler", "SN Y: '3'", reason),
                UptimeRead(9),
            ],
            events_of(*lines),
        )

    def test_the_clock_is_read(self) -> None:
        """It is the boiler's own time, without a zone."""
        events = events_of("> $rtc get", "< $2023-11-12 18:32:35")
        self.assertEqual([ClockRead(datetime(2023, 11, 12, 18, 32, 35))], events)

    def test_a_date_that_is_none_is_unreadable(self) -> None:
        """The request has its reply all the same."""
        dialogue = Dialogue()
        events = hear(dialogue, said("> $rtc get", "< $2023-02-30 18:32:35"))
        reason = "this is no date and time"
        self.assertEqual([Unreadable("boiler", "2023-02-30 18:32:35", reason)], events)
        self.assertEqual((), dialogue.open_requests)

    def test_requests_are_known_in_any_case(self) -> None:
        """The boiler takes them so, and so does the dialogue."""
        self.assertEqual([UptimeRead(12)], events_of("> $UpTime ", "< $12"))

    def test_changed_parameters_end_with_dashes(self) -> None:
        """A line a parameter, without the last field, and then ``$--``."""
        dialogue = Dialogue()
        request = '> $par get changed "2023-11-12 18:21:37"'
        events = hear(dialogue, said(request, "< $PR001;6;1;1;1;0;0;0;Mode;Manu;Arrêt;"))
        self.assertEqual(events, [choice("PR001", 1, "Manu", "Arrêt")])
        self.assertEqual(1, len(dialogue.open_requests))
        self.assertEqual([], hear(dialogue, said("< $--")))
        self.assertEqual((), dialogue.open_requests)

    def test_no_parameter_may_have_changed(self) -> None:
        """Often ``$--`` is all there is."""
        self.assertEqual([], events_of('> $par get changed "2023-11-12 18:21:37"', "< $--"))

    def test_one_parameter_is_one_line(self) -> None:
        """The line has a last field here."""
        line = "< $4;3;19.500;14.000;26.000;0.500;°C;20.000;0;0;0;Zone 1;0;"
        limits = Decimal(14), Decimal(26), Decimal("0.5")
        number = NumberParameter(
            "4", "Zone 1", Decimal("19.5"), "19.500", *limits, "°C", Decimal(20)
        )
        for request in ("> $par get 4", '> $par get "4"'):
            self.assertEqual([ParameterSeen(number)], events_of(request, line))

    def test_a_parameter_goes_to_the_request_that_names_it(self) -> None:
        """The reply to an earlier request may be lost."""
        dialogue = Dialogue()
        lines = said("> $par get PR001", "> $par get PR011", "< $PR011;6;0;1;1;0;0;0;Mode;A;B;0;")
        events = hear(dialogue, lines)
        self.assertEqual(events, [no_reply("$par get PR001"), choice("PR011", 0, "A", "B")])
        self.assertEqual((), dialogue.open_requests)

    def test_all_parameters_come_in_blocks(self) -> None:
        """Each record ends with LF; a record can be cut by the end of its block."""
        records = b"PR001;6;0;1;1;0;0;0;Mode;A;B;\nPR011;6;1;1;1;0;0;0;Mode;C;D;\n"
        expected = [choice("PR001", 0, "A", "B"), choice("PR011", 1, "C", "D")]
        for size in (len(records), 30, 17):
            events = events_of("> $par get all", f"< {blocks(records, size)}")
            self.assertEqual(expected, events)

    def test_the_next_request_ends_the_blocks(self) -> None:
        """A last record without LF is then read, and blocks that come late are too."""
        dialogue = Dialogue()
        first = hear(dialogue, said("> $par get all", "< $<<A;6;0;0;1;0;0;0;Mode;x;>>"))
        self.assertEqual(([], ("$par get all",)), (first, dialogue.open_requests))
        events = hear(dialogue, said("> $uptime", "< $<<B;6;0;0;1;0;0;0;Mode;y;\n>>", "< $5"))
        self.assertEqual(events, [choice("A", 0, "x"), choice("B", 0, "y"), UptimeRead(5)])

    def test_all_parameters_may_come_as_lines(self) -> None:
        """They are read, up to ``$--``, as if they had changed."""
        dialogue = Dialogue()
        lines = said("> $par get all", "< $A;6;0;0;1;0;0;0;Mode;x;", "< $--")
        self.assertEqual(hear(dialogue, lines), [choice("A", 0, "x")])
        self.assertEqual((), dialogue.open_requests)

    def test_a_parameter_that_cannot_be_read_is_told(self) -> None:
        """The others are read all the same."""
        line = "A;6;7;1;1;0;0;0;Mode;x;y;"
        events = events_of('> $par get changed ""', f"< ${line}", "< $B;6;0;0;1;0;0;0;Mode;y;")
        reason = "option 7 is set, and the last one is 1"
        self.assertEqual(events, [Unreadable("boiler", line, reason), choice("B", 0, "y")])

    def test_setting_a_parameter_is_told_by_the_notices(self) -> None:
        """The old value and the new one are one change; the ``$ack`` adds nothing."""
        events = events_of(
            '> $par set "PR011;6;1"',
            "< zPa A: PR011 (Mode) = Arr",
            "< zPa N: PR011 (Mode) = Auto",
            "< zSet Para changed",
            "< zParamter PR011 per APP verstellt",
            "< $ack",
        )
        self.assertEqual(
            [
                ParameterChanged("PR011", "Mode", "Arr", "Auto"),
                Notice("zSet Para changed"),
                Notice("zParamter PR011 per APP verstellt"),
            ],
            events,
        )

    def test_setting_a_parameter_can_be_refused_by_a_reply(self) -> None:
        """Whatever the boiler says of it, the request is told."""
        for reply in ("$permission denied", "$err range", "$error", "$Unknown Command"):
            events = events_of('> $par set "4;3;99"', f"< {reply}")
            self.assertEqual([Refused('$par set "4;3;99"', reply)], events)

    def test_setting_a_parameter_can_be_refused_by_a_notice(self) -> None:
        """The notice is told as well, and nobody knows whether a reply follows."""
        dialogue = Dialogue()
        events = hear(dialogue, said('> $par set "4;3;99"', "< zERR 4 nicht vorhanden"))
        text = "zERR 4 nicht vorhanden"
        self.assertEqual([Notice(text), Refused('$par set "4;3;99"', text)], events)
        self.assertIs(dialogue.line_state, LineState.UNCERTAIN)
        self.assertEqual([UptimeRead(5)], hear(dialogue, said("> $uptime", "< $5")))
        self.assertIs(dialogue.line_state, LineState.FREE)

    def test_a_reply_after_the_notice_that_refused_adds_nothing(self) -> None:
        """It belongs to the same request."""
        for reply in ("< $err 4", "< $ack"):
            events = events_of('> $par set "4;3;99"', "< zERR 4", reply)
            self.assertEqual(2, len(events))

    def test_an_error_notice_refuses_nothing_but_a_setting(self) -> None:
        """With nothing being set it is a notice like others."""
        self.assertEqual([Notice("zERR 4")], events_of("> $uptime", "< zERR 4"))

    def test_no_errors(self) -> None:
        """The boiler says so in words."""
        self.assertEqual([ActiveErrors(())], events_of("> $erract", "< $no errors"))

    def test_active_errors_are_told_when_the_next_request_comes(self) -> None:
        """Until then nobody knows whether that was all."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said("> $erract", "< $0070 Lagerstand", "< $0015")))
        events = hear(dialogue, said("> $erract", "< $no errors"))
        self.assertEqual([ActiveErrors(("0070 Lagerstand", "0015")), ActiveErrors(())], events)

    def test_active_errors_are_told_when_the_next_reply_comes(self) -> None:
        """The next request may have come before the errors."""
        events = events_of("> $erract", "> $setkomm", "< $0070 Lagerstand", "< $1 ack")
        self.assertEqual([ActiveErrors(("0070 Lagerstand",))], events)

    def test_active_errors_may_end_with_dashes(self) -> None:
        """The dashes are no error."""
        events = events_of("> $erract", "< $0070 Lagerstand", "< $--")
        self.assertEqual([ActiveErrors(("0070 Lagerstand",))], events)

    def test_active_errors_are_bounded(self) -> None:
        """A list that does not end is cut."""
        lines = [f"< $error number {number}" for number in range(1000)]
        events = events_of("> $erract", "< $0001", *lines, "> $setkomm")
        [errors] = events
        assert isinstance(errors, ActiveErrors)
        self.assertEqual(MOST_ERRORS, len(errors.errors))

    def test_renewing_the_address_has_no_reply(self) -> None:
        """Nothing is open after it, and what comes are notices."""
        dialogue = Dialogue()
        events = hear(dialogue, said("> $dhcp renew", "< zIP 0.0.0.0", "< zIP 10.0.0.72"))
        self.assertEqual([Notice("zIP 0.0.0.0"), Notice("zIP 10.0.0.72")], events)
        self.assertEqual((), dialogue.open_requests)

    def test_every_request_can_be_refused(self) -> None:
        """The refusal is told with its request, which is open no more."""
        requests = (
            *("login token", "apiversion", "setkomm", "asnr get", "igw set 0039808", "igw clear"),
            *("daq stop", "daq start", "daq desc", "logging disable", "logging enable", "info"),
            *("bootversion", "uptime", "rtc get", "par get all", "par get 4", "erract"),
            *('par get changed "2023-11-12 18:21:37"', 'par set "4;3;1"', "dhcp renew", "what"),
        )
        for request in requests:
            for reply in ("permission denied", "err 5", "Unknown Command"):
                dialogue = Dialogue()
                *_, refused = hear(dialogue, said(f"> ${request}", f"< ${reply}"))
                self.assertEqual(Refused(f"${request}", f"${reply}"), refused)
                self.assertEqual((), dialogue.open_requests)


class DescriptorTests(SynchronousTestCase):
    """The reply to ``$daq desc``."""

    def test_the_blocks_are_joined(self) -> None:
        """The document is told as it came, wherever it was cut."""
        described = BoilerDescribed(numbered(), parse_descriptor(numbered()))
        for size in (10, 101, 1 << 14):
            events = events_of("> $daq desc", f"< {blocks(numbered(), size)}")
            self.assertEqual(events, [described])

    def test_a_line_end_may_stand_inside_a_block(self) -> None:
        """The last block's content ends with one, as it seems."""
        content = numbered() + b"\r\n"
        events = events_of("> $daq desc", f"< {blocks(content, 1 << 14)}")
        self.assertEqual([BoilerDescribed(content, parse_descriptor(numbered()))], events)

    def test_telemetry_is_not_swallowed_by_a_block(self) -> None:
        """A line of telemetry or a notice is none of a block's, even where it should not be."""
        content = numbered().decode("latin-1")
        telemetry, notice, described = events_of(
            "> $daq desc", f"< $<<{content}", "< pm 1 2 ", "< zx", "< >>"
        )
        self.assertEqual((TelemetryLine(b"pm 1 2 "), Notice("zx")), (telemetry, notice))
        self.assertIsInstance(described, BoilerDescribed)

    def test_a_block_that_does_not_end_is_given_up(self) -> None:
        """The next reply is read as one."""
        dialogue = Dialogue()
        events = hear(dialogue, said("> $uptime", "< $<<PR001", "< more", "< $12"))
        self.assertEqual(
            [Unreadable("boiler", "$<<PR001\r\nmore", "the block does not end"), UptimeRead(12)],
            events,
        )

    def test_a_block_is_bounded(self) -> None:
        """One that gets too long is told once, and later lines are read."""
        dialogue = Dialogue()
        dialogue.boiler_sent(b"$<<\r\n")
        line = b"x" * 1000 + b"\r\n"
        events: list[Event] = []
        while not events:
            events = dialogue.boiler_sent(line)
        [event] = events
        assert isinstance(event, Unreadable)
        self.assertEqual("the block is too long", event.reason)
        self.assertFalse(dialogue.boiler_midline)

    def test_a_block_with_a_line_that_is_too_long_is_given_up(self) -> None:
        """Nothing of it is waited for, and the rest is not taken for it."""
        dialogue = Dialogue()
        hear(dialogue, said("> $uptime", "< $<<PR001", "< " + "x" * (LONGEST_LINE + 1)))
        self.assertFalse(dialogue.boiler_midline)
        rest = Unreadable("boiler", "rest>>", "no such line is known")
        self.assertEqual([rest, UptimeRead(12)], hear(dialogue, said("< rest>>", "< $12")))

    def test_a_document_that_breaks_off_is_told(self) -> None:
        """Another reply comes before its end."""
        events = events_of("> $daq desc", "> $uptime", "< $<<<DAQPRJ>>>", "< $12")
        reason = "the reply to this request broke off"
        self.assertEqual([Unreadable("gateway", "$daq desc", reason), UptimeRead(12)], events)

    def test_a_document_that_cannot_be_read_is_told(self) -> None:
        """The reader's own words say why."""
        [event] = events_of("> $daq desc", "< $<<<DAQPRJ></DAQPRJ>>>")
        expected = Unreadable("boiler", "<DAQPRJ></DAQPRJ>", "the descriptor describes no channel")
        self.assertEqual(expected, event)

    def test_a_document_with_too_many_channels_is_taken_in_part_and_that_is_told(self) -> None:
        channels = "<CHANNEL id='0' name='TK'/>" * (MOST_CHANNELS + 1)
        content = f"<DAQPRJ><ANALOG>{channels}</ANALOG></DAQPRJ>".encode()
        described, event = events_of("> $daq desc", f"< {blocks(content, 1 << 14)}")
        self.assertEqual(BoilerDescribed(content, parse_descriptor(content)), described)
        assert isinstance(event, Unreadable)
        self.assertEqual(
            "more than 4096 channels are described; the others are left out", event.reason
        )

    def test_a_document_is_bounded(self) -> None:
        """One that gets too long is told once; its blocks are taken up to its end."""
        dialogue = Dialogue()
        dialogue.gateway_sent(b"$daq desc\r\n")
        block = b"$<<" + b" " * 60_000 + b">>\r\n"
        events = [
            event
            for _ in range(3 * LARGEST_DOCUMENT // 60_000)
            for event in dialogue.boiler_sent(block)
        ]
        reason = "the reply to this request is too long"
        self.assertEqual([Unreadable("boiler", "$daq desc", reason)], events)
        self.assertEqual([], hear(dialogue, said("< $<<</DAQP>>", "< $<<RJ>>>")))
        self.assertEqual((), dialogue.open_requests)


class PairingTests(SynchronousTestCase):
    """Which request gets which reply."""

    def test_requests_may_come_back_to_back(self) -> None:
        """Replies come in order, and telemetry may come between them."""
        events = events_of(
            "> $daq start",
            "> $uptime",
            "> $igw set 0039808",
            "< $daq started",
            "< pm 1 2.0 ",
            "< $12",
            "< zkeine Anforderung",
            "< $ack",
        )
        self.assertEqual(
            [
                TelemetryLine(b"pm 1 2.0 "),
                UptimeRead(12),
                Notice("zkeine Anforderung"),
                Identified("gateway_serial", "0039808"),
            ],
            events,
        )

    def test_the_end_of_a_session(self) -> None:
        """The ``$ack`` is the one to ``$igw clear``, whatever is renewed around it."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said("> $dhcp renew", "> $igw clear")))
        self.assertEqual([Clearing()], hear(dialogue, said("< $ack")))
        events = hear(
            dialogue,
            said("> $dhcp renew", "< zIP 0.0.0.0", "< zIP 10.0.0.72", "< pm 1 1.2 7.7 18.8 "),
        )
        notices = [Notice("zIP 0.0.0.0"), Notice("zIP 10.0.0.72")]
        self.assertEqual(events, [*notices, TelemetryLine(b"pm 1 1.2 7.7 18.8 ")])

    def test_a_lost_reply_costs_its_own_request_only(self) -> None:
        """What cannot be its reply goes to the next request, and the loss is told."""
        dialogue = Dialogue()
        lines = said("> $uptime", "> $bootversion", "> $rtc get", "< $V2.18")
        events = hear(dialogue, lines)
        self.assertEqual(events, [no_reply("$uptime"), Identified("boot_version", "V2.18")])
        self.assertEqual(("$rtc get",), dialogue.open_requests)

    def test_an_acknowledgement_behind_a_notice_that_refuses_is_no_unknown_request_s(self) -> None:
        dialogue = Dialogue()
        hear(dialogue, said("> $what", '> $par set "4;3;1"', "< zERR 4", "< $ack"))
        self.assertEqual(("$what",), dialogue.open_requests)

    def test_a_reply_that_has_begun_ends_what_came_before_it(self) -> None:
        """What would have been read of that is no part of it any more."""
        dialogue = Dialogue()
        hear(dialogue, said("> $info", "< $SN BCE: '1'", "< $KT: 'late'"))
        hear(dialogue, said("> $par get changed", "< $4;3;1;1;1;1;;1;0;0;0;x"))
        self.assertEqual([belongs_to_nothing("$KT: 'x'")], hear(dialogue, said("< $KT: 'x'")))

    def test_a_refusal_goes_to_the_oldest_request(self) -> None:
        """Any request can be refused."""
        events = events_of("> $uptime", "> $bootversion", "< $permission denied", "< $V2.18")
        expected = [Refused("$uptime", "$permission denied"), Identified("boot_version", "V2.18")]
        self.assertEqual(expected, events)

    def test_a_reply_that_nobody_asked_for_is_told(self) -> None:
        """So is a second reply to the same request."""
        self.assertEqual(events_of("< $ack"), [belongs_to_nothing("$ack")])
        events = events_of("> $uptime", "< $12", "< $13")
        self.assertEqual(events, [UptimeRead(12), belongs_to_nothing("$13")])

    def test_replies_must_have_the_form_of_their_request(self) -> None:
        """A request stays open until something comes that fits it."""
        dialogue = Dialogue()
        events = hear(dialogue, said("> $uptime", "< $what"))
        self.assertEqual(events, [belongs_to_nothing("$what")])
        self.assertEqual(("$uptime",), dialogue.open_requests)

    def test_requests_that_get_no_reply_are_bounded(self) -> None:
        """The oldest is given up."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said(*["> $uptime"] * MOST_OPEN)))
        self.assertEqual(hear(dialogue, said("> $info")), [no_reply("$uptime")])
        self.assertEqual(MOST_OPEN, len(dialogue.open_requests))

    def test_open_requests_are_shown_without_secrets(self) -> None:
        """They come oldest first, and leave with their reply."""
        dialogue = Dialogue()
        hear(dialogue, said("> $login token", f"> $login key {KEY}", "> $uptime"))
        self.assertEqual(("$login token", "$login key …", "$uptime"), dialogue.open_requests)
        hear(dialogue, said(f"< ${TOKEN}", "< $ack"))
        self.assertEqual(("$uptime",), dialogue.open_requests)

    def test_lines_half_through_are_known_of_both_sides(self) -> None:
        """A block is half through until it ends, whatever line ends are in it."""
        dialogue = Dialogue()
        dialogue.gateway_sent(b"$upt")
        self.assertEqual((True, False), (dialogue.gateway_midline, dialogue.boiler_midline))
        dialogue.gateway_sent(b"ime\r\n")
        dialogue.boiler_sent(b"$<<\r\n")
        self.assertEqual((False, True), (dialogue.gateway_midline, dialogue.boiler_midline))
        dialogue.boiler_sent(b">>\r\n")
        self.assertFalse(dialogue.boiler_midline)


class GapTests(SynchronousTestCase):
    """Whether somebody else can ask on the same connection."""

    def state(self, *conversation: str) -> LineState:
        dialogue = Dialogue()
        hear(dialogue, said(*conversation))
        return dialogue.line_state

    def test_it_is_free_when_every_reply_has_ended(self) -> None:
        self.assertIs(self.state(), LineState.FREE)
        self.assertIs(self.state("> $uptime", "< $5"), LineState.FREE)
        self.assertIs(self.state("> $dhcp renew"), LineState.FREE)

    def test_it_is_busy_while_a_reply_is_due_or_goes_on(self) -> None:
        self.assertIs(self.state("> $uptime"), LineState.BUSY)
        self.assertIs(self.state("> $info", "< $KT: 'x'"), LineState.BUSY)
        self.assertIs(self.state("> $erract"), LineState.BUSY)
        self.assertIs(self.state("> $hello", "> $uptime"), LineState.BUSY)

    def test_it_is_busy_while_a_block_is_open(self) -> None:
        """Though nobody knows how many of them there are."""
        opening = ("> $par get all", "< $<<A;6;", "< >>")
        self.assertIs(self.state(*opening), LineState.UNCERTAIN)
        self.assertIs(self.state(*opening, "< $<<B;6;"), LineState.BUSY)

    def test_it_is_busy_while_a_line_is_half_through(self) -> None:
        dialogue = Dialogue()
        dialogue.boiler_sent(b"pm 1 ")
        self.assertIs(dialogue.line_state, LineState.BUSY)
        dialogue.boiler_sent(b"\r\n")
        dialogue.gateway_sent(b"$upt")
        self.assertIs(dialogue.line_state, LineState.BUSY)

    def test_behind_a_reply_of_which_nobody_knows_the_end_it_is_uncertain(self) -> None:
        self.assertIs(self.state("> $hello"), LineState.UNCERTAIN)
        self.assertIs(self.state("> $hello", "< $you"), LineState.UNCERTAIN)
        self.assertIs(self.state("> $erract", "< $0013 ash"), LineState.UNCERTAIN)
        self.assertIs(self.state("> $par get all", "< $<<1;9;x;>>"), LineState.UNCERTAIN)

    def test_a_reply_in_a_form_that_is_not_known_may_have_been_the_one_that_is_due(self) -> None:
        self.assertIs(self.state("> $rtc get", "< $12.11.2023 18:32"), LineState.UNCERTAIN)
        self.assertIs(self.state("> $rtc get", "> $uptime", "< $now"), LineState.BUSY)

    def test_what_is_owed_to_the_bridge_does_not_count(self) -> None:
        dialogue = Dialogue()
        dialogue.bridge_sent(b"$par get 4\r\n")
        self.assertIs(dialogue.line_state, LineState.FREE)
        self.assertEqual((), dialogue.open_requests)

    def test_each_request_and_each_reply_is_a_turn(self) -> None:
        dialogue = Dialogue()
        hear(dialogue, said("> $hello", "< $you", "< $there", "< zfoo", "< pm 1"))
        self.assertEqual(3, dialogue.turns)

    def test_what_is_received_for_the_bridge_pairs_with_its_request_only(self) -> None:
        dialogue = Dialogue()
        dialogue.bridge_sent(b'$par set "4;3;99"\r\n')
        hear(dialogue, said("> $igw set 1"))
        self.assertEqual(
            [Refused('$par set "4;3;99"', "$err limit", "bridge")],
            dialogue.bridge_received(b"$err limit\r\n"),
        )
        self.assertEqual(("$igw set 1",), dialogue.open_requests)
        self.assertEqual([Identified("gateway_serial", "1")], dialogue.boiler_sent(b"$ack\r\n"))

    def test_what_passes_pairs_with_the_gateways_requests_only(self) -> None:
        dialogue = Dialogue()
        dialogue.bridge_sent(b'$par set "4;3;99"\r\n')
        hear(dialogue, said("> $igw set 1"))
        self.assertEqual([Identified("gateway_serial", "1")], dialogue.boiler_sent(b"$ack\r\n"))

    def test_a_notice_that_refuses_the_bridges_request_leaves_the_gateways_open(self) -> None:
        dialogue = Dialogue()
        dialogue.bridge_sent(b'$par set "4;3;99"\r\n')
        hear(dialogue, said('> $par set "7;3;20"'))
        dialogue.notice_follows(of_bridge=True)
        self.assertEqual(
            [Notice("zERR 4"), Refused('$par set "4;3;99"', "zERR 4", "bridge")],
            dialogue.boiler_sent(b"zERR 4\r\n"),
        )
        self.assertIs(dialogue.line_state, LineState.BUSY)
        self.assertEqual([], dialogue.boiler_sent(b"$ack\r\n"))
        self.assertIs(dialogue.line_state, LineState.FREE)

    def test_a_notice_that_overtakes_replies_refuses_nobody_known(self) -> None:
        dialogue = Dialogue()
        hear(dialogue, said('> $par set "7;3;20"', "> $uptime", '> $par set "4;3;99"', "> $uptime"))
        dialogue.notice_follows(of_bridge=False)
        self.assertEqual([Notice("zERR 4")], dialogue.boiler_sent(b"zERR 4\r\n"))
        dialogue.boiler_sent(b"$ack\r\n$1000\r\n")
        self.assertEqual(('$par set "4;3;99"', "$uptime"), dialogue.open_requests)
        self.assertIs(dialogue.line_state, LineState.BUSY)
        dialogue.boiler_sent(b"$1001\r\n")
        self.assertIs(dialogue.line_state, LineState.FREE)

    def test_what_such_a_notice_may_have_refused_may_be_over(self) -> None:
        dialogue = Dialogue()
        hear(dialogue, said('> $par set "7;3;20"'))
        dialogue.notice_follows(of_bridge=False)
        dialogue.boiler_sent(b"zERR 7\r\n")
        self.assertIs(dialogue.line_state, LineState.UNCERTAIN)
        dialogue.boiler_sent(b"$ack\r\n")
        self.assertIs(dialogue.line_state, LineState.FREE)

    def test_a_notice_after_one_that_overtook_refuses_by_the_order(self) -> None:
        dialogue = Dialogue()
        hear(dialogue, said('> $par set "7;3;20"'))
        dialogue.notice_follows(of_bridge=False)
        dialogue.boiler_sent(b"zPuffer Aus\r\n")
        self.assertEqual(
            [Notice("zERR 7"), Refused('$par set "7;3;20"', "zERR 7", "gateway")],
            dialogue.boiler_sent(b"zERR 7\r\n"),
        )

    def test_an_answer_to_the_bridge_that_did_not_come_is_said_with_its_next_request(self) -> None:
        dialogue = Dialogue()
        dialogue.bridge_sent(b"$par get 4\r\n")
        self.assertEqual(
            [Unreadable("bridge", "$par get 4", "no reply to this request came")],
            dialogue.bridge_sent(b"$par get 5\r\n"),
        )

    def test_what_the_bridge_did_not_ask_for_cannot_be_read_as_its_answer(self) -> None:
        [event] = Dialogue().bridge_received(b"$ack\r\n")
        self.assertIsInstance(event, Unreadable)

    def test_whoever_sent_it_is_heard(self) -> None:
        dialogue = Dialogue()
        dialogue.sent("bridge", b"$uptime\r\n")
        dialogue.sent("gateway", b"$uptime\r\n")
        self.assertEqual([UptimeRead(5)], dialogue.sent("boiler", b"$5\r\n", kept=True))
        self.assertEqual([UptimeRead(6)], dialogue.sent("boiler", b"$6\r\n"))


class PassthroughTests(SynchronousTestCase):
    """Requests that are not known."""

    def test_a_kind_is_told_once(self) -> None:
        """The first word makes the kind, with the next if that is one."""
        events = events_of("> $io test 4", "> $io test 5", "> $io 7", "> $io", "> hello")
        self.assertEqual(
            [
                Passthrough("$io test 4", "$io test"),
                Passthrough("$io 7", "$io"),
                Passthrough("hello", "hello"),
            ],
            events,
        )

    def test_kinds_are_bounded(self) -> None:
        """Somebody who makes up requests is not told for ever."""
        events = events_of(*(f"> $made{number}" for number in range(MOST_KINDS + 9)))
        told = [event for event in events if isinstance(event, Passthrough)]
        self.assertEqual(MOST_KINDS, len(told))

    def test_any_lines_are_its_reply(self) -> None:
        """They are not understood, and nothing is said of them."""
        events = events_of("> $what", "< $ack", "< $12", "< $<<block>>", "< $")
        self.assertEqual([Passthrough("$what", "$what")], events)

    def test_it_is_open_until_the_next_request(self) -> None:
        """After it has had a reply it can have no more."""
        dialogue = Dialogue()
        hear(dialogue, said("> $what", "< $one"))
        self.assertEqual(("$what",), dialogue.open_requests)
        events = hear(dialogue, said("> $uptime", "< $two", "< $3"))
        self.assertEqual(events, [belongs_to_nothing("$two"), UptimeRead(3)])

    def test_its_reply_may_come_after_the_next_request(self) -> None:
        """What cannot be the next one's is its own."""
        events = events_of("> $what", "> $uptime", "< $one", "< $two", "< $3")
        self.assertEqual([Passthrough("$what", "$what"), UptimeRead(3)], events)

    def test_a_reply_of_the_next_request_is_not_taken_for_its_own(self) -> None:
        """It may have no reply at all, so a line that fits a known request is that one's."""
        dialogue = Dialogue()
        events = hear(dialogue, said("> $what", "> $igw clear", "< $ack"))
        self.assertEqual([Passthrough("$what", "$what"), Clearing()], events)
        self.assertEqual((), dialogue.open_requests)

    def test_an_empty_line_asks_nothing(self) -> None:
        """No request is open after it."""
        dialogue = Dialogue()
        self.assertEqual([], hear(dialogue, said("> ", ">  ")))
        self.assertEqual((), dialogue.open_requests)


class NoticeTests(SynchronousTestCase):
    """Lines beginning with ``z``."""

    def test_text_is_latin_1(self) -> None:
        """It is told from the ``z`` on."""
        self.assertEqual([Notice("zHK1 Restwärme")], events_of("< zHK1 Restwärme"))

    def test_an_older_boiler_leaves_out_the_name(self) -> None:
        """The id is enough."""
        events = events_of("< zPa A: A6d = 1.5", "< zPa N: A6d = 1.0")
        self.assertEqual([ParameterChanged("A6d", "", "1.5", "1.0")], events)

    def test_a_new_value_may_come_alone(self) -> None:
        """The old one is then not known."""
        events = events_of("< zPa N: 4 (Temp. ambiante jour) = 20.0")
        self.assertEqual([ParameterChanged("4", "Temp. ambiante jour", None, "20.0")], events)

    def test_an_old_value_is_used_once(self) -> None:
        """A second new value has no old one."""
        events = events_of("< zPa A: 4 = 1", "< zPa N: 4 = 2", "< zPa N: 4 = 3")
        expected = [ParameterChanged("4", "", "1", "2"), ParameterChanged("4", "", None, "3")]
        self.assertEqual(expected, events)

    def test_changes_may_be_interleaved(self) -> None:
        """Old and new values meet by the parameter's id."""
        events = events_of(
            "< zPa A: 4 (Jour) = 20.0",
            "< zPa A: 5 (Nuit) = 16.0",
            "< zPa N: 4 (Jour) = 21.0",
            "< zPa N: 5 (Nuit) = 17.0",
        )
        expected = [
            ParameterChanged("4", "Jour", "20.0", "21.0"),
            ParameterChanged("5", "Nuit", "16.0", "17.0"),
        ]
        self.assertEqual(expected, events)

    def test_name_and_value_may_have_anything_in_them(self) -> None:
        """Parentheses, equal signs, blanks and nothing at all."""
        lines = {
            "zPa N: 4 (Temp. (jour) 1) = 20.0": ("Temp. (jour) 1", "20.0"),
            "zPa N: 4 (a=b) = c = (d) = e": ("a=b", "c = (d) = e"),
            "zPa N: 4 = (x)": ("", "(x)"),
            "zPa N: 4 () = ": ("", ""),
            "zPa N: 4 (Ein\nAus) = a\nb": ("Ein\nAus", "a\nb"),
        }
        for line, (name, new) in lines.items():
            self.assertEqual([ParameterChanged("4", name, None, new)], events_of(f"< {line}"))

    def test_a_change_that_cannot_be_read_is_a_notice(self) -> None:
        """Nothing is made up."""
        for line in ("zPa N: PR011", "zPa X: 4 = 1", "zPa N:  = 1", "zPa"):
            self.assertEqual([Notice(line)], events_of(f"< {line}"))


class UnreadableTests(SynchronousTestCase):
    """What cannot be read."""

    def test_a_connection_may_begin_within_a_line(self) -> None:
        """The first line is told so, and the next one is read."""
        events = events_of("< .0 20.0 E 1021 0 0 ", "< pm 1 2 ")
        reason = "the connection began within this line"
        unreadable = Unreadable("boiler", ".0 20.0 E 1021 0 0 ", reason)
        self.assertEqual(events, [unreadable, TelemetryLine(b"pm 1 2 ")])

    def test_other_lines_are_not_known(self) -> None:
        """An empty one is none of the boiler's either."""
        reason = "no such line is known"
        for line in ("tm 1 2 3", "", "pm"):
            events = events_of("< zx", f"< {line}")
            self.assertEqual([Notice("zx"), Unreadable("boiler", line, reason)], events)

    def test_what_is_shown_is_bounded(self) -> None:
        """The beginning of a line is enough to know it again."""
        [event] = events_of(f"< {'x' * 5000}")
        assert isinstance(event, Unreadable)
        self.assertEqual("x" * LONGEST_SHOWN + "…", event.text)

    def test_a_boiler_line_that_is_too_long_is_told_once(self) -> None:
        """The next line is read."""
        dialogue = Dialogue()
        events = hear(dialogue, [("boiler", b"pm " + b"1 " * LONGEST_LINE)] * 3)
        events += hear(dialogue, [("boiler", b"\r\npm 1 \r\n")])
        unreadable = Unreadable(
            "boiler", ("pm " + "1 " * LONGEST_LINE)[:LONGEST_SHOWN] + "…", "the line is too long"
        )
        self.assertEqual(events, [unreadable, TelemetryLine(b"pm 1 ")])

    def test_a_request_that_is_too_long_is_open_like_an_unknown_one(self) -> None:
        """Its reply is nobody else's, and the key in it is not shown."""
        dialogue = Dialogue()
        request = b"$login key " + KEY.encode() * (LONGEST_LINE // 30) + b"\r\n"
        events = hear(dialogue, [("gateway", request), *said("< $no such thing")])
        reason = "the line is too long"
        self.assertEqual([Unreadable("gateway", "$login key …", reason)], events)


CONVERSATION = said(
    *("< 0 0 ", "> $login token", f"< ${TOKEN}", f"> $login key {KEY}"),
    *("< zclient login (7421)\r\n$ack", "> $asnr get", "< $", "> $daq desc"),
    *(f"< {blocks(numbered() + bytes([13, 10]), 61)}", "< pm 1 2 \r\nzx\ny"),
    *("> $what", "< $one\r\n$two", "> $daq start\r\n$logging enable"),
    *("< $daq started\r\npm 1 2 3 \r\n$logging enabled", "> $info"),
    *("< $KT: 'Größe'\r\n$SN BCE: '1'\r\n$SN X: ''", "> $par get all"),
    *("< $<<A;6;0;0;1;0;0;0;Mode;x;\nB;6;0;0;1;0;0;0;Mo>>\r\n$<<de;é;\n>>", "> $erract"),
    *(
        "< $0070 Lager\r\n$0015",
        '> $par set "4;3;20"',
        "< zPa A: 4 = 1\r\nzPa N: 4 (T) = 2\r\n$ack",
    ),
    *("> $dhcp renew\r\n$igw clear", "< $ack", "> $dhcp renew", "< zIP 0.0.0.0\r\n$<<\r\n$nothing"),
)


def cut(conversation: Said, places: Iterable[int]) -> Said:
    """The same conversation in other segments."""
    pieces = []
    for who, data in conversation:
        ends = sorted({0, len(data), *(place % len(data) for place in places)})
        pieces += [(who, data[start:end]) for start, end in pairwise(ends)]
    return pieces


_KEYS = st.text(
    st.characters(max_codepoint=255, exclude_characters=" …*", categories=["L", "N", "P", "S"]),
    min_size=8,
    max_size=64,
)
_PARTS = b"""\
$|$<<|>>|pm |z|zPa A: 4 (x) = |zPa N: 4 = |zERR|<DAQPRJ>|</DAQPRJ>|--|
A;6;0;0;0;0;0;0;M;x;|A;3;1;1;1;1;;1;0;0;0;x"""
_LINES = b"""\
$ack|$no errors|$permission denied|$1.0|$99|$12 ack|$--|$|$2023-11-12 18:32:35|
$0000-00-00 00:00:00|$KT: 'x'|$SN BCE: ''|$<<<DAQPRJ/></DAQPRJ>>>|$<<A;6;\n>>|
$login token|$login key x|$daq desc|$par get all|$info|$par get A|$par get changed ""|
$erract|$rtc get|$what|$uptime|$dhcp renew|$igw clear|$asnr get|$par set "A"|$igw set 1"""
_FRAGMENTS = st.one_of(
    st.sampled_from(_PARTS.replace(b"|\n", b"|").split(b"|")),
    st.sampled_from(_LINES.replace(b"|\n", b"|").split(b"|")).map(lambda line: line + b"\r\n"),
    st.sampled_from([b"\r\n", b"\r", b"\n"]),
    st.binary(max_size=30),
)


class LawTests(SynchronousTestCase):
    """What holds for any bytes."""

    def test_the_conversation_has_most_kinds_of_events(self) -> None:
        """It is what the next test is worth."""
        kinds = {type(event) for event in hear(Dialogue(), CONVERSATION)}
        expected = {
            *(ActiveErrors, BoilerDescribed, Clearing, Identified, LoggedIn, Notice),
            *(ParameterChanged, ParameterSeen, Passthrough, TelemetryLine, Unreadable),
        }
        self.assertEqual(expected, kinds)

    @given(st.lists(st.integers(0, 400), max_size=12))
    def test_any_segmentation_gives_the_same_events(self, places: list[int]) -> None:
        """Events depend on what was said, not on how the network cut it."""
        events = hear(Dialogue(), CONVERSATION)
        self.assertEqual(hear(Dialogue(), cut(CONVERSATION, places)), events)

    def test_single_bytes_give_the_same_events(self) -> None:
        """The smallest segments there are."""
        events = hear(Dialogue(), CONVERSATION)
        self.assertEqual(hear(Dialogue(), cut(CONVERSATION, range(400))), events)

    @settings(max_examples=6 * EXAMPLES)
    @given(st.lists(st.tuples(st.sampled_from(["gateway", "boiler"]), _FRAGMENTS), max_size=60))
    def test_any_bytes_raise_nothing(self, conversation: list[tuple[str, bytes]]) -> None:
        """Either side may say anything at any time; joined segments give the same events."""
        events = hear(Dialogue(), conversation)
        bytewise = [(who, bytes([each])) for who, data in conversation for each in data]
        self.assertEqual(hear(Dialogue(), bytewise), events)

    @given(st.text("0123456789ABCDEF", min_size=8, max_size=8), _KEYS, st.lists(st.integers(0, 99)))
    def test_no_event_shows_a_secret(self, token: str, key: str, places: list[int]) -> None:
        """However they are cut, and whoever repeats them."""
        conversation = said(
            *("> $login token", f"< ${token}", f"> $login key {key}", f"< zlogin {key}"),
            *(f"< $permission denied {key} for {token}", f"> $try {key}", f"> $try {token}"),
            *(f"< $<<{key}>>", f"< ${token}{key}", f"> $login  key {key}x{token}", "< $err"),
            *("> $igw clear", f"< ${key}", f"< ${token}", f"< {key}", f"< $<<{token}", "< $ack"),
            *("> $login token", f"< $-{token}-", "> $erract", f"< $login {key}", "> $uptime"),
        )
        events = hear(Dialogue(), cut(conversation, places))
        self.assertGreater(len(events), 5)
        for event in events:
            for name in event.__slots__:
                value = getattr(event, name)
                shown = "\n".join(value) if isinstance(value, tuple) else value
                self.assertNotIn(key, shown)
                self.assertNotIn(token, shown)

    def test_what_is_held_is_bounded(self) -> None:
        """Whatever is begun and never ended, a few megabytes are enough for it."""

        def boiler(start: bytes, end: bytes) -> Said:
            return [("boiler", start + b"x" * 60_000 + end)] * 100

        def gateway(start: bytes) -> Said:
            lines = (start % number + b"x" * 60_000 + b"\r\n" for number in range(100))
            return [("gateway", line) for line in lines]

        floods = [
            boiler(b"", b""),
            [*said("< $<<"), *boiler(b"", b"\r\n")],
            [*said("> $daq desc"), *boiler(b"$<<", b">>\r\n")],
            [*said("> $par get all"), *boiler(b"$<<", b">>\r\n")],
            [*said("> $erract"), *boiler(b"$", b"\r\n")],
            [("boiler", b"zPa A: %d = " % each + b"x" * 60_000 + b"\r\n") for each in range(100)],
            [("gateway", b"$x" * 9000)] * 500,
            gateway(b"$what%d"),
            gateway(b"$igw set %d"),
            gateway(b"$par get %d"),
            gateway(b"$login key %d"),
        ]
        for flood in floods:
            dialogue = Dialogue()
            tracemalloc.start()
            try:
                for who, data in flood:
                    if who == "gateway":
                        dialogue.gateway_sent(data)
                    else:
                        dialogue.boiler_sent(data)
                held, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(held, 3 << 20)
