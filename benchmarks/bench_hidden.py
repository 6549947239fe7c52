"""How much is shown of lines with hidden values, and how much of that is wrong.

``python benchmarks/bench_hidden.py [TRIALS]``: into the lines of each recording that is beside the
repository (``../shared``) 1, 2 or 3 values are inserted, at the two places where real boilers hide
some or anywhere, each of another kind from trial to trial. What the bridge then shows is compared
with what the line says without them: figures are percentages of the analog channels, and wrong is
every value shown that is another one than sent. The last figures are processor time a line.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time

from hargassner.catalogue import Catalogue
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.monitor.readings import LineReader

SHARED = Path(__file__).resolve().parents[2] / "shared"
RECORDINGS = (
    "layouts/neo-hv30-nano20-combi-V10.2HAR.n1",
    "firmware/nano2-25-V14.0k3",
    "firmware/sthv2-V10.2e1",
)
INSERTED = ("0", "20.0", "-20.0", "1", "0.0", "int", "decimal", "0.00")
LINES = 40


def recording(name: str) -> tuple[Descriptor, list[list[str]]]:
    """A descriptor and the tokens of the lines that go with it."""
    documents = sorted((SHARED / name).parent.glob(f"{Path(name).name}*.xml"))
    content = (SHARED / f"{name}.txt").read_text("latin-1")
    lines = [line.split()[1:] for line in content.splitlines() if line.startswith("pm ")]
    return parse_descriptor(documents[0].read_bytes()), lines[:LINES]


def known_slots(descriptor: Descriptor) -> list[int]:
    """The described places before which real boilers hide values."""
    roles = Catalogue.load().roles
    before, behind = roles["external_circuit_setpoint"], roles["tank_1_state"]
    slots = [each.place for each in descriptor.analog if each.name in before]
    return slots + [each.place + 1 for each in descriptor.analog if each.name in behind]


def inserted(kind: str, chance: random.Random) -> Iterator[str]:
    """What a hidden value shows in each line."""
    while True:
        match kind:
            case "int":
                yield str(chance.randrange(100))
            case "decimal":
                yield f"{chance.uniform(15, 80):.1f}"
            case _:
                yield kind


def with_hidden(
    lines: Sequence[list[str]], slots: Sequence[int], kind: str, chance: random.Random
) -> list[bytes]:
    """The lines with a value more before each of these places."""
    sources = [(slot, inserted(kind, chance)) for slot in sorted(slots, reverse=True)]
    changed = []
    for line in lines:
        tokens = list(line)
        for slot, source in sources:
            tokens.insert(slot, next(source))
        changed.append(("pm " + "".join(f"{token} " for token in tokens)).encode("latin-1"))
    return changed


def judge(
    descriptor: Descriptor, lines: Sequence[list[str]], longer: Sequence[bytes]
) -> tuple[int, int]:
    """How many analog channels are shown after the last line, and how many wrong in any line."""
    reader = LineReader()
    known: dict[str, str] = {}
    wrong = set()
    digital = {
        bit.object: (descriptor.analog_values + bit.word, bit.bit) for bit in descriptor.digital
    }
    for tokens, line in zip(lines, longer, strict=True):
        for reading in reader.read(line, descriptor).changed:
            known[reading.channel.object] = "" if reading.value is None else reading.text
        truth = {each.object: tokens[each.place] for each in descriptor.analog}
        truth |= {
            name: "ON" if int(tokens[place], 16) >> bit & 1 else "OFF"
            for name, (place, bit) in digital.items()
        }
        wrong |= {name for name, text in known.items() if text and text != truth[name]}
    return sum(bool(known[each.object]) for each in descriptor.analog), len(wrong)


def main(trials: int) -> None:
    """Print the figures."""
    for name in RECORDINGS:
        if not (SHARED / f"{name}.txt").exists():
            print(f"../shared/{name}.txt is absent")
            continue
        descriptor, lines = recording(name)
        began = process_time()
        for where in ("known places", "anywhere"):
            for hidden in (1, 2, 3):
                shown, wrong = judge_trials(descriptor, lines, where == "anywhere", hidden, trials)
                percent = 100 * shown / trials / len(descriptor.analog)
                print(
                    f"{Path(name).name:38} {hidden} hidden, {where:12}: "
                    f"{percent:5.1f} % shown, {wrong} wrong"
                )
        each = (process_time() - began) / (6 * trials * len(lines))
        print(f"{Path(name).name:38} {1e6 * each:.0f} µs a line")


def judge_trials(
    descriptor: Descriptor, lines: Sequence[list[str]], anywhere: bool, hidden: int, trials: int
) -> tuple[int, int]:
    """The sums of what ``judge`` tells of so many trials."""
    chance = random.Random(hidden)
    slots = range(descriptor.analog_values + 1) if anywhere else known_slots(descriptor)
    shown = wrong = 0
    for trial in range(trials):
        at = chance.choices(slots, k=hidden)
        longer = with_hidden(lines, at, INSERTED[trial % len(INSERTED)], chance)
        more, worse = judge(descriptor, lines, longer)
        shown, wrong = shown + more, wrong + worse
    return shown, wrong


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 80)
