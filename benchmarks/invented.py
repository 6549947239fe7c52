"""The telemetry of a boiler that there is not, and how a boiler cuts what it says."""

import random
import time

ANALOG = 182
WORDS = 8
BITS = 16
TAIL = 4
"""Bytes in the second segment of a message."""
GAP = 130e-6
"""Seconds between the segments."""


def lines() -> list[bytes]:
    """Lines of 190 values, of which four differ from one to the next."""
    chance = random.Random(5)
    values = [b"%.1f" % (chance.random() * 80 + 10) for _ in range(ANALOG)]
    words = [b"%X" % chance.randrange(16**4) for _ in range(WORDS)]
    made = []
    for _ in range(100):
        for place in chance.sample(range(ANALOG), 4):
            values[place] = b"%.1f" % (chance.random() * 80 + 10)
        made.append(b"pm " + b" ".join(values + words) + b" \r\n")
    return made


def document() -> bytes:
    """What those lines mean."""
    analog = "".join(f"<CHANNEL id='{place}' name='A {place}'/>" for place in range(ANALOG))
    digital = "".join(
        f"<CHANNEL id='{word}' bit='{bit}' name='D {word} {bit}'/>"
        for word in range(WORDS)
        for bit in range(BITS)
    )
    return f"<DAQPRJ><ANALOG>{analog}</ANALOG><DIGITAL>{digital}</DIGITAL></DAQPRJ>".encode()


def spin(seconds: float) -> None:
    """Wait more exactly than a sleep can."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
