"""The value that is requested for a parameter, as the boiler takes it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.control.values import (
    InvalidValueError,
    get_request,
    has_value,
    requested_value,
    set_request,
)
from hargassner.dialogue.parameters import parse_parameter

MODE = parse_parameter("PR001;6;2;4;1;0;0;0;Mode;Manu;Arr;Ballon;Auto;Arr combustion;0;")
DAY = parse_parameter(
    "4;3;19.500;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Zone 1 Temp. ambiante jour;"
)
CORRECTION = parse_parameter("A6d;3;0.000;-6.000;6.000;0.050;;0.000;0;0;0;Correction;")
ODD = parse_parameter("X;9;something;")


class ValueCase(SynchronousTestCase):
    """What is refused, and why."""

    def refused(self, parameter, requested: str) -> str:
        return str(self.assertRaises(InvalidValueError, requested_value, parameter, requested))


class ChoiceTests(ValueCase):
    """One of several options."""

    def test_by_its_text(self) -> None:
        self.assertEqual("1", requested_value(MODE, "Arr"))

    def test_by_its_text_in_any_case_where_that_tells_which(self) -> None:
        self.assertEqual("3", requested_value(MODE, "aUTO"))
        twins = replace(MODE, options=("AUTO", "auto", "Aus", "x", "y"))
        self.assertEqual("1", requested_value(twins, "auto"))
        self.assertIn("no option", self.refused(twins, "Auto"))

    def test_by_its_index(self) -> None:
        self.assertEqual("4", requested_value(MODE, "4"))
        self.assertIn("no option", self.refused(MODE, "5"))
        self.assertIn("no option", self.refused(MODE, "-1"))

    def test_a_text_comes_before_an_index(self) -> None:
        self.assertEqual(
            "0", requested_value(replace(MODE, options=("2", "1", "0", "a", "b")), "2")
        )

    def test_another_one_is_refused_with_the_options(self) -> None:
        self.assertEqual(
            "'Eco\\x1b' is no option of parameter PR001: Manu, Arr, Ballon, Auto, Arr combustion",
            self.refused(MODE, "Eco\x1b"),
        )


class NumberTests(ValueCase):
    """A number."""

    def test_it_gets_the_places_of_its_steps(self) -> None:
        self.assertEqual("20.0", requested_value(DAY, "20"))
        self.assertEqual("20.5", requested_value(DAY, "20.5"))
        self.assertEqual("1.00", requested_value(CORRECTION, "1"))
        self.assertEqual("0.00", requested_value(CORRECTION, "-0.000"))
        self.assertEqual("20", requested_value(replace(DAY, step=Decimal("1.000")), "+20"))

    def test_limits_are_allowed_and_what_is_beyond_is_not(self) -> None:
        self.assertEqual("14.0", requested_value(DAY, "14"))
        self.assertEqual("26.0", requested_value(DAY, "26.000"))
        self.assertEqual("26.5 is not within 14 to 26 \xb0C", self.refused(DAY, "26.5"))
        self.assertIn("not within", self.refused(DAY, "13.9"))

    def test_a_number_that_a_program_has_computed_is_put_on_the_grid(self) -> None:
        self.assertEqual("20.5", requested_value(DAY, "20.50025"))
        self.assertEqual("26.0", requested_value(DAY, "26.0001"))

    def test_one_that_is_farther_off_is_refused(self) -> None:
        self.assertEqual(
            "20.50026 is between two steps: parameter 4 goes from 14 in steps of 0.5",
            self.refused(DAY, "20.50026"),
        )

    def test_the_grid_starts_at_the_minimum(self) -> None:
        grid = replace(DAY, minimum=Decimal("14.25"))
        self.assertEqual("14.75", requested_value(grid, "14.75"))
        self.assertIn("between two steps", self.refused(grid, "15"))

    def test_the_last_step_can_be_below_the_maximum(self) -> None:
        self.assertIn("between two steps", self.refused(replace(DAY, step=Decimal(7)), "26"))

    def test_without_steps_any_number_within_the_limits_is_taken(self) -> None:
        self.assertEqual("20.123", requested_value(replace(DAY, step=Decimal(0)), "20.1230"))

    def test_what_is_no_plain_number_is_refused(self) -> None:
        for requested in (
            "",
            "20,5",
            "1e1",
            "NaN",
            "inf",
            "0x14",
            "2 0",
            "\u0662\u0660",
            "20.",
            "9" * 99,
        ):
            self.assertIn("is no number", self.refused(DAY, requested))

    @given(st.integers(0, 24), st.decimals(Decimal("-0.00025"), Decimal("0.00025"), places=6))
    def test_what_is_sent_is_always_on_the_grid(self, steps: int, off: Decimal) -> None:
        number = 14 + steps * Decimal("0.5")
        self.assertEqual(Decimal(requested_value(DAY, str(number + off))), number)


class RequestTests(SynchronousTestCase):
    """The lines that go to the boiler, and whether it has the value then."""

    def test_the_type_belongs_to_it(self) -> None:
        self.assertEqual(b'$par set "PR001;6;3"\r\n', set_request(MODE, "3"))
        self.assertEqual(b'$par set "4;3;20.0"\r\n', set_request(DAY, "20.0"))
        self.assertEqual(b"$par get A6d\r\n", get_request("A6d"))

    def test_whether_it_has_the_value(self) -> None:
        self.assertTrue(has_value(MODE, "2"))
        self.assertFalse(has_value(MODE, "1"))
        self.assertTrue(has_value(DAY, "19.5"))
        self.assertFalse(has_value(DAY, "20.0"))

    def test_a_parameter_of_another_type_is_not_set(self) -> None:
        why = str(self.assertRaises(InvalidValueError, requested_value, ODD, "1"))
        self.assertEqual("parameter X is of type 9, which nobody knows to set", why)
