"""Commands in the midst of the gateway's dialogue: thousands of ways in which both can mix.

Everything is in memory and on one clock; each seed has segments, delays, commands and mishaps of
its own. ``INTERLEAVINGS`` in the environment asks for more seeds than the suite takes.
"""

import os
from collections.abc import Callable
from decimal import Decimal
from random import Random

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.engine import Mishap
from hargassner.simulator.boiler.parameters import Number
from tests.house import PARAMETERS, House

STEPS = 8
SEEDS = int(os.environ.get("INTERLEAVINGS", "20"))

COMMANDS = [
    ("PR001", "Auto"),
    ("PR001", "Aus"),
    ("PR001", "3"),
    ("pr011", "Heizen"),
    ("PR011", "auto"),
    ("PR011", "Unfug"),
    ("4", "20.5"),
    ("4", "21"),
    ("4", "99"),
    ("A6d", "-1"),
    ("A6d", "0.5"),
    ("nothing", "1"),
]


def replies(stream: bytes) -> list[bytes]:
    return [line for line in stream.splitlines(keepends=True) if line.startswith(b"$")]


def others(stream: bytes) -> list[bytes]:
    return [line for line in stream.splitlines(keepends=True) if not line.startswith(b"$")]


class InterleavingTests(SynchronousTestCase):
    """The gateway gets what it asked for, notices and telemetry; each command has one outcome."""

    def live(self, house: House, steps: int) -> None:
        """Commands at random times, and now and then the gateway sets something too."""
        random = house.random
        for _ in range(steps):
            house.advance(random.choice((0, 0.001, 0.01, 0.1, 1)) * random.random())
            if random.random() < 0.2:
                value = random.choice(("20.0", "20.5", "99"))
                house.gateway_says(house.dialogue.set_parameter("7", 3, value, lambda _reply: None))
            else:
                house.command(*random.choice(COMMANDS))

    def check(self, house: House, all_known: bool) -> None:
        """Nobody got anything wrong, and nothing is under way any more."""
        self.assertEqual([], house.problems)
        self.assertEqual(len(house.outcomes), house.commands)
        counters = house.control.counters
        self.assertEqual(
            sum(getattr(counters, each) for each in counters.__slots__), house.commands
        )
        self.assertEqual(
            b"".join(line + b"\r\n" for line in house.boiler.asked_by_gateway), house.sent
        )
        self.assertEqual(replies(house.received), replies(house.boiler.for_gateway))
        self.assertEqual(others(house.received), others(house.boiler.for_gateway))
        for id_ in PARAMETERS if all_known else ():
            setting = house.model.settings[id_]
            parameter = house.engine.plant.parameters.get(setting.id)
            if isinstance(parameter, Number):
                self.assertEqual(Decimal(setting.text), parameter.value)
            else:
                self.assertEqual(setting.text, parameter.text())

    def run_seeds(
        self,
        name: int,
        hesitation: Callable[[Random], float] = lambda _random: 0.0,
        mishap: Callable[[str, Random], Mishap | None] = lambda _command, _random: None,
        *,
        all_known: bool = True,
    ) -> dict[str, int]:
        """Let it happen with every seed; what became of the commands."""
        ended: dict[str, int] = {}
        for seed in range(SEEDS):
            house = self.house(seed, Random(seed * 1000 + name), hesitation, mishap)
            try:
                house.advance(house.random.random() * 4)
                self.live(house, STEPS)
                house.stop_polling()
                # A parameter whose reading failed is read again.
                house.advance(300)
                # What was changed while notices were off is seen in the gateway's next cycle.
                house.gateway_says(house.dialogue.poll())
                house.advance(20)
                self.check(house, all_known)
            except Exception as wrong:
                wrong.add_note(f"seed {seed} of {name}")
                raise
            for each in house.control.counters.__slots__:
                ended[each] = ended.get(each, 0) + getattr(house.control.counters, each)
            house.end()
            self.assertEqual([], house.clock.getDelayedCalls())
        return ended

    def house(
        self,
        seed: int,
        chance: Random,
        hesitation: Callable[[Random], float],
        mishap: Callable[[str, Random], Mishap | None],
    ) -> House:
        """A house in which only the bridge's requests meet with mishaps."""

        def hesitate(line: bytes) -> float:
            return hesitation(chance) if house.boiler.is_ours(line) else 0.0

        def go_wrong(command: str) -> Mishap | None:
            return mishap(command, chance) if house.boiler.is_ours(f"${command}".encode()) else None

        house = House(
            seed,
            slowness=chance.choice((0, 0.002, 0.02)),
            poll_pause=chance.choice((0, 0, 1)),
            hesitation=hesitate,
            mishap=go_wrong,
        )
        return house

    def test_a_boiler_that_answers(self) -> None:
        ended = self.run_seeds(1)
        self.assertGreater(ended["ok"], SEEDS)
        self.assertEqual(0, ended["timed_out"])

    def test_a_boiler_that_refuses(self) -> None:
        lines = ("$permission denied", "$err limit", "zERR nicht vorhanden", "$Unknown Command")

        def refuse(command: str, chance: Random) -> Mishap | None:
            setting = command.startswith("par set")
            return Mishap((chance.choice(lines),)) if setting and chance.random() < 0.5 else None

        ended = self.run_seeds(2, mishap=refuse)
        self.assertGreater(ended["refused"], SEEDS / 2)
        self.assertGreater(ended["ok"], SEEDS / 2)

    def test_a_boiler_that_answers_late(self) -> None:
        ended = self.run_seeds(3, hesitation=lambda chance: chance.choice((0, 0, 0, 5.1, 5.5, 9)))
        self.assertGreater(ended["timed_out"], SEEDS / 4)
        self.assertGreater(ended["ok"], SEEDS / 3)

    def test_a_boiler_that_forgets_to_answer(self) -> None:
        def forget(_command: str, chance: Random) -> Mishap | None:
            return Mishap(chance.choice((None, ()))) if chance.random() < 0.3 else None

        ended = self.run_seeds(4, mishap=forget, all_known=False)
        self.assertGreater(ended["timed_out"], SEEDS / 4)
        self.assertGreater(ended["ok"], SEEDS / 3)

    def test_sessions_that_end_at_any_moment(self) -> None:
        ended = 0
        for seed in range(SEEDS // 2):
            house = House(seed, slowness=0.02 * (seed % 2), poll_pause=0)
            house.advance(house.random.random() * 3)
            self.live(house, 6)
            ways = self.ways_to_end(house)
            ways[seed % len(ways)]()
            self.live_on(house)
            house.end()
            self.assertEqual(len(house.outcomes), house.commands)
            self.assertEqual([], house.clock.getDelayedCalls())
            asked = b"".join(line + b"\r\n" for line in house.boiler.asked_by_gateway)
            self.assertTrue(house.sent.startswith(asked))
            # The last line can have broken off anywhere.
            complete = house.received[: house.received.rfind(b"\r\n") + 2]
            for kind in (replies, others):
                got, said = kind(complete), kind(house.boiler.for_gateway)
                self.assertEqual(got, said[: len(got)])
            ended += house.control.counters.session_ended
        self.assertGreater(ended, SEEDS / 8)

    def ways_to_end(self, house: House) -> list[Callable[[], None]]:
        return [
            lambda: house.client.gone(ConnectionLost()),
            lambda: house.client.gone(ConnectionDone()),
            lambda: house.boiler_leg.gone(ConnectionLost()),
            house.client.sends_fin,
            house.boiler_closes,
            lambda: house.session.end("enough"),
            lambda: house.gateway_says(b"$igw clear\r\n"),
        ]

    def live_on(self, house: House) -> None:
        house.advance(house.random.random() * 3)
        for id_, requested in COMMANDS[:3]:
            house.command(id_, requested)
        house.advance(40)
