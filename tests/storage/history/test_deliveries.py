"""When pellets have come, and when the stock was only misread."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.deliveries import HOLDS, NOTHING, Delivery, Stock
from tests.storage.history.cases import NOON

STOCK = st.one_of(st.integers(100, 130), st.integers(100, 10_000)).map(float)
READ = st.one_of(st.integers(80, 150).map(float), st.floats(0, 1e5))
BURNT = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0]), min_size=1, max_size=40)
"""kg that are burnt in each of some minutes."""
MISREAD = st.lists(
    st.tuples(st.integers(0, 3), st.lists(READ, min_size=1, max_size=HOLDS - 1)),
    max_size=8,
)
"""What is read for less than it has to hold, with right readings in between."""


def read(stocks: list[float], stock: Stock = NOTHING) -> tuple[Stock, list[Delivery]]:
    """Read one stock a minute from noon on."""
    deliveries: list[Delivery] = []
    for at, kilograms in enumerate(stocks):
        stock, found = stock.read(kilograms, NOON + 60 * at)
        deliveries += found
    return stock, deliveries


def burning(stock: float, burnt: list[float]) -> list[float]:
    """The stock in each of these minutes."""
    return [stock - sum(burnt[:at]) for at in range(len(burnt))]


def misread(stocks: list[float], wrong: list[tuple[int, list[float]]]) -> list[float]:
    """Stocks with others in between, each time after some right ones."""
    right = iter(stocks)
    told: list[float] = []
    for between, others in wrong:
        sound = [*islice(right, HOLDS + between)]
        told += [*sound, *(others if len(sound) >= HOLDS else [])]
    return [*told, *right]


class DeliveryTests(SynchronousTestCase):
    @given(STOCK, BURNT, MISREAD)
    def test_what_is_read_for_a_moment_is_none(
        self, stock: float, burnt: list[float], wrong: list[tuple[int, list[float]]]
    ) -> None:
        stocks = [stock] * HOLDS + burning(stock, burnt)
        self.assertEqual([], read(misread(stocks, wrong))[1])

    @given(STOCK, BURNT, MISREAD, st.integers(10, 8000), BURNT, MISREAD)
    def test_one_that_stays_is_found_once_with_its_amount(
        self,
        stock: float,
        burnt: list[float],
        wrong: list[tuple[int, list[float]]],
        came: int,
        burnt_later: list[float],
        wrong_later: list[tuple[int, list[float]]],
    ) -> None:
        before = [stock] * HOLDS + burning(stock, burnt)
        after = before[-1] + came
        told = [*misread(before, wrong), *[before[-1]] * HOLDS]
        told += misread([after] * HOLDS + burning(after, burnt_later), wrong_later)
        found = read(told)[1]
        self.assertEqual([each.kilograms for each in found], [came])

    def test_it_came_between_the_last_reading_before_and_the_first_one_after(self) -> None:
        found = read([500.0, 500.0, 500.0, 9000.0, 3500.0, 3500.0, 3499.0])[1]
        self.assertEqual([Delivery(NOON + 120, NOON + 240, 3000.0)], found)

    def test_of_what_was_not_known_before_none_has_come(self) -> None:
        stock, found = read([0.0, 3500.0, 3500.0, 3500.0, 3499.0])
        self.assertEqual((3499.0, []), (stock.kilograms, found))

    def test_what_comes_little_by_little_is_found_when_it_ends(self) -> None:
        rising = [500.0 + 200.0 * at for at in range(16)]
        found = read([500.0] * HOLDS + rising + [3500.0] * HOLDS)[1]
        self.assertEqual([3000.0], [each.kilograms for each in found])

    def test_what_was_burnt_while_nobody_looked_is_believed_at_once(self) -> None:
        stock, _ = read([500.0] * HOLDS)
        stock, found = stock.read(300.0, NOON + 86_400)
        self.assertEqual((300.0, ()), (stock.kilograms, found))
