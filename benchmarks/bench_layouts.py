"""Which layout invented and real lines are recognised as: ``python benchmarks/bench_layouts.py``.

Rows are the layouts that lines are made of, columns those that they are recognised as; each row
has so many boilers, whose sensors, states and values differ. ``-`` is not recognised. In the second
table each row's own layout, and one that is its twin, is taken out of those to choose from: then
none may be recognised. A twin differs from another layout in the name of one channel at the end.
At last the recordings beside the repository (``../shared``), with the number of lines it took.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from time import process_time

from hargassner.monitor.layouts import Layout, known_layouts
from hargassner.monitor.recognition import Recogniser, Recognition
from tests.doubles.lines import lines_of

SHARED = Path(__file__).resolve().parents[2] / "shared"
RECORDINGS = (
    "layouts/neo-hv30-nano20-combi-V10.2HAR.n1.txt",
    "firmware/nano2-25-V14.0k3.txt",
    "firmware/sthv2-V10.2e1.txt",
)
TWINS = {"V14.0m": "V14.0m5", "V14.0m5": "V14.0m"}
LINES = 140


def recognised(
    lines: Iterable[bytes], layouts: Sequence[Layout]
) -> tuple[Recognition | None, int, float]:
    """What lines are recognised as, after how many, and the longest time that one took."""
    recogniser = Recogniser(layouts)
    longest, number = 0.0, 0
    for number, line in enumerate(lines, start=1):
        began = process_time()
        recognition = recogniser.take(line)
        longest = max(longest, process_time() - began)
        if recognition is not None:
            return recognition, number, longest
    return None, number, longest


def row(layout: Layout, boilers: int, layouts: Sequence[Layout]) -> Counter[str]:
    """As what so many boilers of a layout are recognised."""
    found: Counter[str] = Counter()
    for seed in range(boilers):
        lines = islice(lines_of(layout.descriptor, seed), LINES)
        recognition, _, _ = recognised(lines, layouts)
        found[recognition.origin.layout if recognition else "-"] += 1
    return found


def print_matrix(boilers: int, leave_out: bool) -> None:
    """Print as what the boilers of each layout are recognised."""
    right = wrong = unknown = 0
    for layout in known_layouts():
        out = {layout.name, TWINS.get(layout.name, "")} if leave_out else set()
        found = row(layout, boilers, [each for each in known_layouts() if each.name not in out])
        cells = ", ".join(f"{name}: {count}" for name, count in found.most_common())
        print(f"  {layout.name:18} {cells}")
        mine = sum(count for name, count in found.items() if layout.name in name.split(" or "))
        right, unknown = right + mine, unknown + found["-"]
        wrong += boilers - mine - found["-"]
    print(f"  right {right}, not recognised {unknown}, wrong {wrong}")


def main(boilers: int) -> None:
    """Print the tables."""
    print(f"lines of {boilers} boilers of each layout, recognised within {LINES} lines:")
    print_matrix(boilers, leave_out=False)
    print("the same, each layout's own one not being known:")
    print_matrix(boilers, leave_out=True)
    for name in RECORDINGS:
        if not (SHARED / name).exists():
            print(f"../shared/{name} is absent")
            continue
        content = (SHARED / name).read_bytes()
        lines = [line.rstrip() for line in content.splitlines() if line.startswith(b"pm ")]
        recognition, number, longest = recognised(lines, known_layouts())
        said = recognition.origin.layout if recognition else "not recognised"
        print(f"{name}: {said} after {number} lines, {1000 * longest:.0f} ms in a line at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
