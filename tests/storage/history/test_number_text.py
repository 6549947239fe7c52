"""Numbers as text, many at a time."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history import number_text
from hargassner.storage.history.number_text import repeated, table

CELLS = st.lists(st.floats(-1e6, 1e6), max_size=100)


class NumberTextTests(SynchronousTestCase):
    def setUp(self) -> None:
        # So few that some operations follow each other.
        self.patch(number_text, "AT_ONCE", 12)

    @given(CELLS)
    def test_together_they_are_what_each_is_alone(self, cells: list[float]) -> None:
        self.assertEqual(repeated("%.2f,", cells), "".join(f"{each:.2f}," for each in cells))

    @given(st.integers(1, 20), CELLS)
    def test_a_table_has_all_cells_of_a_row_beside_each_other(
        self, width: int, cells: list[float]
    ) -> None:
        columns = [cells for _ in range(width)]
        rows = table(["%.2f"] * width, columns, ";").splitlines()
        self.assertEqual(rows, [";".join([f"{each:.2f}"] * width) for each in cells])
