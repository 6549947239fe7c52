"""The boiler's description of its telemetry."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel
from hargassner.dialogue.descriptor import (
    LARGEST_DOCUMENT,
    MOST_CHANNELS,
    DescriptorError,
    parse_descriptor,
)
from tests.shared import shared_file

SMALL = """<DAQPRJ><ANALOG>
<CHANNEL id='0' name='ZK' dop='0'/><CHANNEL id='1' name='TK' unit='°C'/>
<CHANNEL id='3' name='Wasserdruck' unit=' bar ' dop='2'/>
</ANALOG><DIGITAL>
<CHANNEL id='0' bit='0' name='Störung'/><CHANNEL id='2' bit='31' name='TK'/>
</DIGITAL></DAQPRJ>"""


def analog(*channels: str) -> bytes:
    """A document of analog channels, given as their attributes."""
    elements = "".join(f"<CHANNEL {attributes}/>" for attributes in channels)
    return f"<DAQPRJ><ANALOG>{elements}</ANALOG></DAQPRJ>".encode("latin-1")


def digital(*channels: str) -> bytes:
    """A document of digital channels, given as their attributes."""
    elements = "".join(f"<CHANNEL {attributes}/>" for attributes in channels)
    return f"<DAQPRJ><DIGITAL>{elements}</DIGITAL></DAQPRJ>".encode("latin-1")


class ReadingTests(SynchronousTestCase):
    """A sound document says what each value means."""

    def test_channels_are_described(self) -> None:
        """Names, places, units, decimals and bits come as they stand, in the document's order."""
        self.assertEqual(
            Descriptor(
                analog=(
                    AnalogChannel("zk", "ZK", 0, "", 0),
                    AnalogChannel("tk", "TK", 1, "°C", None),
                    AnalogChannel("wasserdruck", "Wasserdruck", 3, "bar", 2),
                ),
                digital=(
                    DigitalChannel("stoerung", "Störung", 0, 0),
                    DigitalChannel("tk_2", "TK", 2, 31),
                ),
                analog_values=4,
                words=3,
            ),
            parse_descriptor(SMALL.encode("latin-1")),
        )

    def test_gaps_between_ids_count_as_values(self) -> None:
        """A value or word without description is sent all the same."""
        self.assertEqual(7, parse_descriptor(SMALL.encode("latin-1")).values)

    def test_an_xml_declaration_names_the_encoding(self) -> None:
        """A published file is UTF-8, with a comment in front."""
        document = f"<?xml version='1.0' encoding='utf-8'?>\n<!-- a file -->\n{SMALL}\n"
        self.assertEqual(
            parse_descriptor(document.encode("utf-8")), parse_descriptor(SMALL.encode("latin-1"))
        )

    def test_utf8_needs_no_declaration(self) -> None:
        """An editor saves it so; latin-1 letters are hardly ever valid UTF-8."""
        self.assertEqual(
            parse_descriptor(SMALL.encode("utf-8")), parse_descriptor(SMALL.encode("latin-1"))
        )

    @given(st.text(alphabet="aäöüÄÖÜßéèàçôî ", min_size=1))
    def test_either_encoding_gives_the_same_name(self, name: str) -> None:
        """Every letter of the boilers' languages, and the degree sign."""
        document = f"<DAQPRJ><ANALOG><CHANNEL id='0' name='{name}' unit='°C'/></ANALOG></DAQPRJ>"
        for encoding in ("latin-1", "utf-8"):
            [channel] = parse_descriptor(document.encode(encoding)).analog
            self.assertEqual((channel.name, channel.unit), (name, "°C"), encoding)

    def test_line_ends_around_the_document_are_nothing(self) -> None:
        """The boiler ends its document with one, inside the last block."""
        document = SMALL.encode("latin-1")
        self.assertEqual(parse_descriptor(document + b"\r\n"), parse_descriptor(document))

    def test_unknown_attributes_and_elements_are_passed_over(self) -> None:
        """A newer firmware may say more."""
        plain = parse_descriptor(analog("id='0' name='TK'"))
        document = (
            b"<DAQPRJ v='2'><ANALOG><NOTE/><CHANNEL id='0' name='TK' x='y'/></ANALOG></DAQPRJ>"
        )
        self.assertEqual(parse_descriptor(document), plain)

    def test_channels_of_one_id_share_a_value(self) -> None:
        """Neither of them is lost."""
        descriptor = parse_descriptor(analog("id='0' name='TK'", "id='0' name='TRL'"))
        self.assertEqual(
            [("tk", 0), ("trl", 0)], [(each.object, each.place) for each in descriptor.analog]
        )
        self.assertEqual(1, descriptor.values)

    def test_a_strange_number_of_decimals_is_none(self) -> None:
        """It is only a check, and no reason to lose the telemetry."""
        descriptor = parse_descriptor(analog("id='0' name='TK' dop='many'"))
        self.assertIsNone(descriptor.analog[0].decimals)

    def test_damaged_umlauts_survive(self) -> None:
        """The name stays as it came, and the identifier is one."""
        document = "<?xml version='1.0' encoding='utf-8'?><DAQPRJ><ANALOG>"
        document += "<CHANNEL id='0' name='F\N{REPLACEMENT CHARACTER}ll'/></ANALOG></DAQPRJ>"
        [channel] = parse_descriptor(document.encode("utf-8")).analog
        self.assertEqual(("f_ll", "F\N{REPLACEMENT CHARACTER}ll"), (channel.object, channel.name))


class RefusalTests(SynchronousTestCase):
    """What is no description is refused with a sentence that says why."""

    def assert_refused(self, document: bytes, why: str) -> None:
        """The error's text contains ``why``, in one line."""
        error = self.assertRaises(DescriptorError, parse_descriptor, document)
        self.assertIn(why, str(error))
        self.assertNotIn("\n", str(error))

    def test_other_documents(self) -> None:
        """No XML, another root, nothing described, a part of a document."""
        self.assert_refused(b"", "not readable as XML")
        self.assert_refused(b"pm 1 2 3", "not readable as XML")
        self.assert_refused(b"<html/>", "not a 'DAQPRJ'")
        self.assert_refused(b"<DAQPRJ/>", "describes no channel")
        self.assert_refused(SMALL.encode("latin-1")[:-20], "not readable as XML")

    def test_unknown_encodings(self) -> None:
        """A declaration can name one that does not exist."""
        self.assert_refused(b"<?xml version='1.0' encoding='x'?><DAQPRJ/>", "unknown encoding")

    def test_entities(self) -> None:
        """A document type is not read, so nothing can be expanded."""
        self.assert_refused(
            b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + analog("id='0' name='&b;'"), "not readable as XML"
        )

    def test_missing_attributes(self) -> None:
        """Id, name and bit must be there; the sentence shows what else the channel has."""
        self.assert_refused(analog("name='TK'"), "has no id: name='TK'")
        self.assert_refused(analog("id='7'"), "has no name: id='7'")
        self.assert_refused(digital("id='7' name='TK'"), "has no bit: id='7' name='TK'")

    def test_impossible_numbers(self) -> None:
        """Ids and bits are small whole numbers, written in ASCII digits."""
        for number in ("-1", "4096", "1e3", "0x10", "", "\N{SUPERSCRIPT TWO}", "9" * 5000):
            self.assert_refused(analog(f"id='{number}' name='TK'"), "from 0 to 4095")
        self.assert_refused(digital("id='0' bit='32' name='TK'"), "from 0 to 31")

    def test_endless_nests_and_lists(self) -> None:
        """What is no channel is not read without end either."""
        many = 2 * MOST_CHANNELS
        self.assert_refused(b"<DAQPRJ>" + b"<A/>" * many + b"</DAQPRJ>", "too many elements")
        self.assert_refused(b"<DAQPRJ>" + b"<A>" * many, "too many elements")

    def test_endless_documents(self) -> None:
        """A document has a largest size."""
        self.assert_refused(b" " * (LARGEST_DOCUMENT + 1), f"at most {LARGEST_DOCUMENT}")

    @given(
        st.one_of(st.binary(), st.text(alphabet="<>/='\"DAQPRJCHNEL idbit0?!&;").map(str.encode))
    )
    def test_any_bytes(self, document: bytes) -> None:
        """Nothing but the one error is raised."""
        self.assertRaises(DescriptorError, parse_descriptor, document)


class LimitTests(SynchronousTestCase):
    """A descriptor that nobody sent for any good."""

    def described(self, count: int) -> Descriptor:
        """So many channels, half of each kind."""
        lists = [
            "".join(f"<CHANNEL id='{n}' bit='{n % 32}' name='{n}'/>" for n in range(half))
            for half in (count - count // 2, count // 2)
        ]
        return parse_descriptor(
            f"<DAQPRJ><ANALOG>{lists[0]}</ANALOG><DIGITAL>{lists[1]}</DIGITAL></DAQPRJ>".encode()
        )

    def test_so_many_channels_are_all_taken(self) -> None:
        descriptor = self.described(MOST_CHANNELS)
        self.assertEqual(
            (MOST_CHANNELS, False),
            (len(descriptor.analog) + len(descriptor.digital), descriptor.truncated),
        )

    def test_the_others_are_left_out_and_that_is_told(self) -> None:
        """The first ones mean what they meant."""
        most, more = self.described(MOST_CHANNELS), self.described(MOST_CHANNELS + 2)
        self.assertEqual(
            (MOST_CHANNELS, True), (len(more.analog) + len(more.digital), more.truncated)
        )
        self.assertEqual(more.analog[:-1], most.analog)

    def test_what_follows_the_last_one_is_not_even_parsed(self) -> None:
        channels = "<CHANNEL id='0' name='a'/>" * (MOST_CHANNELS + 1)
        document = f"<DAQPRJ><ANALOG>{channels}<<<".encode()
        self.assertTrue(parse_descriptor(document).truncated)


class RealDescriptorTests(SynchronousTestCase):
    """The descriptors of real boilers can be read."""

    def assert_counts(self, name: str, channels: int, bits: int, values: int) -> None:
        """The file describes so many channels, and every one has an identifier of its own."""
        descriptor = parse_descriptor(shared_file(f"firmware/{name}").read_bytes())
        self.assertEqual(
            (len(descriptor.analog), len(descriptor.digital), descriptor.values),
            (channels, bits, values),
        )
        objects = {each.object for each in [*descriptor.analog, *descriptor.digital]}
        self.assertEqual(len(objects), channels + bits)

    def test_hsv_cl(self) -> None:
        """Pellets, six words."""
        self.assert_counts("hsv-cl-9-60-V14.0d.xml", 165, 84, 171)

    def test_nano(self) -> None:
        """Pellets, with decimals promised."""
        self.assert_counts("nano-V14.0n2.xml", 127, 109, 135)

    def test_nano_pk(self) -> None:
        """Pellets, its umlauts damaged."""
        self.assert_counts("nano-pk15-V14.0HAR.q.xml", 111, 116, 119)

    def test_nano2(self) -> None:
        """Pellets, off an SD card."""
        self.assert_counts("nano2-25-V14.0k3.xml", 182, 82, 190)

    def test_sthv2(self) -> None:
        """Log wood."""
        self.assert_counts("sthv2-V10.2e1-a.xml", 156, 64, 164)
