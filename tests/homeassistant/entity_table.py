"""The table of entities in docs/entities.md: the simulated boiler as Home Assistant shows it.

.venv/bin/python -m tests.homeassistant.entity_table > docs/entities.md
"""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from hargassner.boiler.model import Boiler
from hargassner.boiler.settable import Settable
from hargassner.config import Config
from hargassner.dialogue.events import Identified, TelemetryLine
from hargassner.homeassistant.discovery import Discovery
from hargassner.homeassistant.entities import device_of
from hargassner.simulator.boiler.layout import standard_layout
from hargassner.simulator.boiler.plant import Plant
from tests.mqtt.cases import standard_boiler, with_options
from tests.telling import tell

LANGUAGES = ("en", "de", "fr")
HEAD = """# Every entity of the simulated boiler

What `make demo` shows in Home Assistant, device by device. Real boilers have the same names and ids
for the same things, and lack or add some. This page is generated
(`.venv/bin/python -m tests.homeassistant.entity_table > docs/entities.md`), and a test holds it to
what the bridge announces. [home-assistant.md](home-assistant.md) explains.

- *entity id*: as Home Assistant first makes it, with the default `node`. It is the same in every
  language.
- *topic*: where the value is, below `hargassner/boiler/`; without Home Assistant, too.
- *shown*: `yes` = enabled from the start; `no` = there and disabled; `all` = only with
  `entities = "all"`, because the simulated boiler does not have it.
"""


@cache
def simulated_boiler() -> Boiler:
    """The simulated boiler after two hours of work; nobody changes it."""
    boiler, plant, layout = Boiler(), Plant(seed=1), standard_layout()
    boiler.apply(Identified("model", "Nano.2 20"), 0.0)
    standard_boiler(boiler)
    for second in range(0, 7200, 10):
        plant.advance(10.0)
        line = layout.line(plant.values(), plant.bits()).rstrip(b"\r\n")
        tell(boiler, TelemetryLine(line), float(second))
    return boiler


def discovered(boiler: Boiler, language: str, entities: str) -> Discovery:
    """What is announced of a boiler."""
    config = with_options(Config(), language=language, entities=entities)
    settable = Settable(config.control.parameters, boiler.catalogue, boiler.equipment)
    return Discovery(boiler, config, settable, can_restart=True)


def names(boiler: Boiler, entities: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The components by their keys, in each language."""
    return {each: discovered(boiler, each, entities).components() for each in LANGUAGES}


def table() -> str:
    """The whole page."""
    boiler = simulated_boiler()
    everything, usual = names(boiler, "all"), names(boiler, "standard")
    devices = list(dict.fromkeys(map(device_of, everything["en"])))
    called = [device_names(boiler, each) for each in LANGUAGES]
    lines = [HEAD]
    for device in devices:
        keys = [key for key in everything["en"] if device_of(key) == device]
        own = dict.fromkeys(each[identifier(device)] for each in called)
        lines += [f"## {' · '.join(own)}\n", *HEADINGS]
        lines += rows(keys, everything, usual["en"])
        lines.append("")
    return "\n".join(lines)


HEADINGS = ("| English | Deutsch | français | entity id | topic | shown |", "|---" * 6 + "|")


def device_names(boiler: Boiler, language: str) -> dict[str, str]:
    """What each device is called, by its identifier."""
    discovery = discovered(boiler, language, "all")
    messages = discovery.messages(discovery.components(), {}).values()
    own = [message["device"] for message in messages]
    return {each["identifiers"][0]: str(each["name"]) for each in own}


def identifier(device: str) -> str:
    """A device's identifier; the boiler's own has no suffix."""
    return "hargassner_boiler" if device == "boiler" else f"hargassner_boiler_{device}"


def rows(
    keys: list[str], everything: dict[str, dict[str, Any]], usual: dict[str, Any]
) -> Iterator[str]:
    """A row an entity."""
    for key in keys:
        component = everything["en"][key]
        called = [everything[each][key]["name"] or "*(the device)*" for each in LANGUAGES]
        cells = [
            *called,
            f"`{component['default_entity_id']}`",
            f"`{topic_of(component)}`",
            shown(usual.get(key)),
        ]
        yield f"| {' | '.join(each.replace('|', '/') for each in cells)} |"


def topic_of(component: dict[str, Any]) -> str:
    """Where a component's state is, or where its commands go."""
    topics = ("state_topic", "mode_state_topic", "command_topic")
    [topic, *_] = [component[each] for each in topics if each in component]
    return str(topic).removeprefix("hargassner/boiler/")


def shown(component: dict[str, Any] | None) -> str:
    """Whether an owner sees it without asking."""
    if component is None:
        return "all"
    return "yes" if component.get("enabled_by_default", True) else "no"


if __name__ == "__main__":
    sys.stdout.write(table())
