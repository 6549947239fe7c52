"""The table of entities in docs/entities-by-layout.md: every known layout in Home Assistant.

.venv/bin/python -m tests.homeassistant.layout_table > docs/entities-by-layout.md
"""

import sys
from dataclasses import dataclass, field

from hargassner.boiler.model import Boiler
from hargassner.dialogue.events import Described, ParameterSeen, TelemetryLine
from hargassner.dialogue.parameters import parse_parameter
from hargassner.homeassistant.entities import device_of
from hargassner.monitor.layouts import Layout, known_layouts
from hargassner.simulator.boiler.parameters import standard_parameters
from tests.homeassistant.entity_table import LANGUAGES, device_names, discovered, identifier
from tests.telling import tell

HEAD = """# Entities by layout

What each layout that the bridge knows by itself ([telemetry.md](telemetry.md)) is called in Home
Assistant, if everything is there that it describes (`entities = "all"`), by device. Names that the
bridge does not know are the boiler's own. This page is generated
(`.venv/bin/python -m tests.homeassistant.layout_table > docs/entities-by-layout.md`).
What an owner is shown of it, and its topics: [entities.md](entities.md).

*in*: the layouts that have it, by their numbers; `all` for every one.
"""


@dataclass
class Row:
    """An entity: its names by language, and the numbers of the layouts that have it."""

    device: str
    names: dict[str, str] = field(default_factory=dict)
    layouts: list[int] = field(default_factory=list)


def boiler_of(layout: Layout) -> Boiler:
    """A boiler with this layout, of which everything that there could be is there."""
    boiler = Boiler()
    boiler.apply(Described(layout.descriptor), 0.0)
    values = "33 " * layout.descriptor.analog_values
    tell(boiler, TelemetryLine(f"pm {values}{'FFFFFFFF ' * layout.descriptor.words}".encode()))
    for parameter in standard_parameters():
        boiler.apply(ParameterSeen(parse_parameter(parameter.record())), 0.0)
    return boiler


def collect() -> tuple[dict[str, Row], dict[str, str]]:
    """Every entity by its id, and the devices' English names."""
    rows: dict[str, Row] = {}
    devices: dict[str, str] = {}
    for number, layout in enumerate(known_layouts(), start=1):
        boiler = boiler_of(layout)
        for language in LANGUAGES:
            for key, each in discovered(boiler, language, "all").components().items():
                entity = each["default_entity_id"].replace("hargassner_boiler_", "")
                row = rows.setdefault(entity, Row(device_of(key)))
                row.names.setdefault(language, each["name"] or "*(the device)*")
                if language == "en":
                    row.layouts.append(number)
        seen = dict.fromkeys(row.device for row in rows.values())
        unnamed = [each for each in seen if each not in devices]
        called = device_names(boiler, "en") if unnamed else {}
        devices.update({each: called[identifier(each)] for each in unnamed})
    return rows, devices


def table() -> str:
    """The whole page."""
    rows, devices = collect()
    layouts = known_layouts()
    lines = [HEAD, "| number | layout | published by |", "|---|---|---|"]
    lines += [
        f"| {number} | {each.name} | {each.published} |"
        for number, each in enumerate(layouts, start=1)
    ]
    for device, name in sorted(devices.items(), key=lambda pair: pair[1]):
        lines += ["", f"## {name}", "", "| entity id | English | Deutsch | français | in |"]
        lines.append("|---" * 5 + "|")
        lines += [
            row_text(identifier, row, len(layouts))
            for identifier, row in sorted(rows.items())
            if row.device == device
        ]
    return "\n".join([*lines, ""])


def row_text(identifier: str, row: Row, everywhere: int) -> str:
    """An entity as a row."""
    layouts = "all" if len(row.layouts) == everywhere else ", ".join(map(str, row.layouts))
    cells = [f"`{identifier}`", *(row.names[each] for each in LANGUAGES), layouts]
    return f"| {' | '.join(each.replace('|', '/') for each in cells)} |"


if __name__ == "__main__":
    sys.stdout.write(table())
