"""Parameter lines as values."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.parameters import (
    ChoiceParameter,
    NumberParameter,
    OtherParameter,
    ParameterError,
    parse_parameter,
    tells_one,
)

TEMPERATURE = NumberParameter(
    id="4",
    name="Zone 1 Temp. ambiante jour",
    value=Decimal("19.5"),
    text="19.500",
    minimum=Decimal(14),
    maximum=Decimal(26),
    step=Decimal("0.5"),
    unit="°C",
    default=Decimal(20),
)
MODE = ChoiceParameter(
    id="PR001",
    name="Mode",
    index=2,
    options=("Manu", "Arr", "Ballon", "Auto", "Arr combustion"),
    default=1,
)

_field = st.text(st.characters(max_codepoint=255, exclude_characters=";\r\n"), max_size=12)
_name = _field.filter(bool)
_number = st.decimals(-9999, 9999, places=3)


class NumberTests(SynchronousTestCase):
    """Parameters of type 3."""

    line = b"4;3;19.500;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Zone 1 Temp. ambiante jour;"

    def test_is_read_with_and_without_a_last_field(self) -> None:
        """A final ``0;`` changes nothing, nor does a last semicolon that is missing."""
        for end in (b"", b"0;", b"0"):
            self.assertEqual(TEMPERATURE, parse_parameter(self.line + end))
        self.assertEqual(TEMPERATURE, parse_parameter(self.line.removesuffix(b";")))

    def test_keeps_the_precision_of_the_boiler(self) -> None:
        """The text is what the boiler wrote."""
        self.assertEqual("19.500", parse_parameter(self.line).text)

    def test_can_be_negative(self) -> None:
        """Corrections have a lower limit below nought."""
        line = "A6d;3;-1.500;-6.000;6.000;0.500;°C;0.000;0;0;0;Korrektur;"
        parameter = parse_parameter(line)
        assert isinstance(parameter, NumberParameter)
        self.assertEqual(("A6d", Decimal("-1.5")), (parameter.id, parameter.value))
        self.assertEqual(Decimal(-6), parameter.minimum)

    def test_what_is_no_number_is_refused(self) -> None:
        """Neither words nor the numbers that are none are values or limits."""
        for wrong in ("", "Auto", "NaN", "Infinity", "1e9", "1,5", "--1", "9" * 99, "²"):
            for place in (2, 3, 4, 5, 7):
                fields = self.line.decode("latin-1").split(";")
                fields[place] = wrong
                self.assertRaises(ParameterError, parse_parameter, ";".join(fields))

    def test_missing_fields_are_refused(self) -> None:
        """A line that was cut short is no parameter."""
        self.assertRaises(ParameterError, parse_parameter, b"4;3;19.500;14.000;26.000;0.500;")

    @given(_name, _name, _number, _number, _field)
    def test_whatever_the_fields_they_come_back(
        self, identifier: str, name: str, value: Decimal, limit: Decimal, unit: str
    ) -> None:
        """Id, name, value, limits and unit are read as they were written."""
        line = f"{identifier};3;{value};{limit};{limit};{limit};{unit};{limit};0;0;0;{name};0;"
        expected = NumberParameter(
            identifier, name, value, str(value), limit, limit, limit, unit, limit
        )
        self.assertEqual(expected, parse_parameter(line))


class ChoiceTests(SynchronousTestCase):
    """Parameters of type 6."""

    line = b"PR001;6;2;4;1;0;0;0;Mode;Manu;Arr;Ballon;Auto;Arr combustion;"

    def test_is_read_with_and_without_a_last_field(self) -> None:
        """A final ``0;`` is no option."""
        for end in (b"", b"0;", b"0"):
            self.assertEqual(MODE, parse_parameter(self.line + end))

    def test_text_is_the_option_that_is_set(self) -> None:
        """The text names the option, in the boiler's language."""
        self.assertEqual("Ballon", parse_parameter(self.line).text)

    def test_options_are_latin_1(self) -> None:
        """Accents are read as the boiler sends them."""
        line = b"PR011;6;1;1;1;0;0;0;Zone 1 Mode;Arr;R\xe9duire;"
        self.assertEqual("Réduire", parse_parameter(line).text)

    def test_an_option_that_is_missing_is_refused(self) -> None:
        """There has to be a name for each option that is promised."""
        line = b"PR001;6;2;4;1;0;0;0;Mode;Manu;Arr;Ballon;Auto;"
        self.assertRaises(ParameterError, parse_parameter, line)

    def test_an_index_without_option_is_refused(self) -> None:
        """What is set has to be one of the options."""
        self.assertRaises(ParameterError, parse_parameter, b"A;6;2;1;1;0;0;0;Mode;Manu;Arr;")

    def test_an_index_that_is_no_number_is_refused(self) -> None:
        """Index, highest and default index are whole numbers."""
        for line in ("A;6;x;1;1;0;0;0;M;a;b;", "A;6;0;;1;0;0;0;M;a;b;", "A;6;0;1;-1;0;0;0;M;a;b;"):
            self.assertRaises(ParameterError, parse_parameter, line)

    def test_missing_fields_are_refused(self) -> None:
        """A line that was cut short is no parameter."""
        self.assertRaises(ParameterError, parse_parameter, b"PR001;6;2;4;1;0;")

    @given(_name, _name, st.lists(_name, min_size=1, max_size=9), st.data())
    def test_whatever_the_options_they_come_back(
        self, identifier: str, name: str, options: list[str], data: st.DataObject
    ) -> None:
        """Id, name, options and index are read as they were written."""
        index = data.draw(st.integers(0, len(options) - 1))
        line = f"{identifier};6;{index};{len(options) - 1};0;0;0;0;{name};{';'.join(options)};"
        expected = ChoiceParameter(identifier, name, index, tuple(options), 0)
        self.assertEqual(expected, parse_parameter(line))


class EndTests(SynchronousTestCase):
    """Lines that answer a question for one parameter have a field more than those of a list."""

    def test_a_line_of_a_list_does_not_end_as_one_that_was_asked_for(self) -> None:
        listed = b"PR001;6;2;1;1;0;0;0;Mode;Manu;Auto;"
        self.assertEqual((False, True), (tells_one(listed), tells_one(listed + b"0;")))

    def test_a_highest_index_of_any_length_is_no_error(self) -> None:
        """Python converts no text of thousands of digits."""
        line = b"PR001;6;2;" + b"9" * 5_000 + b";1;0;0;0;Mode;Manu;Auto;0;"
        self.assertFalse(tells_one(line))


class OtherTests(SynchronousTestCase):
    """Everything else."""

    def test_an_unknown_type_is_kept_as_it_came(self) -> None:
        """Its fields are there, its text is the first, and it has no name."""
        parameter = parse_parameter(b"D17;9;06:00;22:00;Heizzeit;")
        expected = OtherParameter("D17", "9", ("06:00", "22:00", "Heizzeit"))
        self.assertEqual(expected, parameter)
        self.assertEqual(("06:00", ""), (parameter.text, parameter.name))

    def test_an_unknown_type_may_have_no_fields(self) -> None:
        """Its text is then empty."""
        self.assertEqual("", parse_parameter(b"D17;9;").text)

    def test_what_has_no_id_or_type_is_refused(self) -> None:
        """A line needs both."""
        for line in (b"", b"PR001", b";3;1", b";"):
            self.assertRaises(ParameterError, parse_parameter, line)

    @given(st.binary(max_size=60) | st.lists(st.sampled_from([b";", b"3", b"6"])).map(b"".join))
    def test_any_bytes_are_a_parameter_or_an_error(self, line: bytes) -> None:
        """Nothing else is raised, and a parameter has an id."""
        try:
            parameter = parse_parameter(line)
        except ParameterError:
            return
        self.assertTrue(parameter.id)
        self.assertIsInstance(parameter.text, str)
