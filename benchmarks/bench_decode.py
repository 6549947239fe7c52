"""How many telemetry lines a second one core decodes: ``python benchmarks/bench_decode.py``.

The lines are like those of a Nano.2 25: 190 values, of which 182 are analog and 8 are digital
words with 82 bits described. Most values rest, as in a real boiler. Between two lines nothing
changes, or four values do (three of 43 that wander in small steps, and a digital word in which a
bit comes or goes), or all of them. The time is processor time.
"""

import random
from time import process_time

from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel
from hargassner.dialogue.telemetry import Decoder

ANALOG = 182
WORDS = 8
BITS = 82
WANDERING = 43
RESTING = ["0", "0", "0", "0", "0", "-1", "1", "20", "-20", "100"]
LINES = 20_000
ROUNDS = 5


def synthetic_descriptor() -> Descriptor:
    """A descriptor of 190 values."""
    return Descriptor(
        analog=tuple(
            AnalogChannel(f"analog_{place}", f"Analog {place}", place, "°C", None)
            for place in range(ANALOG)
        ),
        digital=tuple(
            DigitalChannel(f"bit_{number}", f"Bit {number}", number % WORDS, number // WORDS)
            for number in range(BITS)
        ),
        analog_values=ANALOG,
        words=WORDS,
    )


def line_of(values: list[str], words: list[int]) -> bytes:
    """A telemetry line in the boiler's own form."""
    tokens = values + [f"{word:04X}" for word in words]
    return "".join(["pm ", *(f"{token} " for token in tokens)]).encode("latin-1")


def lines_with(changes: int) -> list[bytes]:
    """Lines in each of which so many values differ from the line before."""
    chance = random.Random(20191007)
    values = chance.choices(RESTING, k=ANALOG)
    words = [chance.randrange(1 << 10) for _ in range(WORDS)]
    wandering = {place: chance.randrange(1000) for place in chance.sample(range(ANALOG), WANDERING)}
    lines = []
    for number in range(LINES):
        if changes > WANDERING:
            values = [f"{(place + number) % 100}.{number % 10}" for place in range(ANALOG)]
            words = [word ^ 1 for word in words]
        elif changes:
            for place in chance.sample(sorted(wandering), changes - 1):
                wandering[place] = (wandering[place] + chance.choice((-2, -1, 1, 2))) % 1000
                # Some channels print whole numbers, some a decimal.
                values[place] = str(wandering[place] if place % 2 else wandering[place] / 10)
            words[chance.randrange(WORDS)] ^= 1 << chance.randrange(2)
        lines.append(line_of(values, words))
    return lines


def best_rate(lines: list[bytes]) -> float:
    """Lines a second in the quickest of some rounds, each with a new decoder."""
    quickest = float("inf")
    for _ in range(ROUNDS):
        decoder = Decoder(synthetic_descriptor())
        begin = process_time()
        for line in lines:
            decoder.decode(line)
        quickest = min(quickest, process_time() - begin)
    return len(lines) / quickest


def main() -> None:
    """Print the rates."""
    print(f"lines of {ANALOG + WORDS} values, best of {ROUNDS} rounds of {LINES} lines")
    for changes in (0, 4, ANALOG + WORDS):
        # A copy each, as lines from a socket are never the very same object.
        rate = best_rate([bytes(bytearray(line)) for line in lines_with(changes)])
        print(f"{changes:4} changed: {rate:12,.0f} lines/s {1e6 / rate:8.2f} µs a line")


if __name__ == "__main__":
    main()
