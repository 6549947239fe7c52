"""What the page shows of the model, as values that become JSON.

Everything is computed from the model and a status anew; nothing is kept here. Values
are the boiler's own texts, in its own precision. ``date`` makes dates of the model's moments; it
is the same one for all that is shown together.
"""

from collections.abc import Callable, Mapping, Sequence

from hargassner.boiler.faults import Fault
from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.boiler.roles import BUFFER, CIRCUITS, TANKS, by_role
from hargassner.catalogue import AnalogEntry, DigitalEntry, ParameterEntry
from hargassner.catalogue.fault_advice import fault_advice
from hargassner.dialogue.parameters import NumberParameter
from hargassner.storage.history.consumed import Consumed
from hargassner.web.dashboard import TILES, rank
from hargassner.web.pellets import Pellets
from hargassner.web.status import Link, Status
from hargassner.web.texts import problem_text, text

Date = Callable[[float], float]
"""Makes the date of a moment (``hargassner.clock.dates``)."""

Entry = AnalogEntry | DigitalEntry | ParameterEntry
"""What the catalogue knows of something that has a name."""

Json = Mapping[str, object] | Sequence[object] | str | float | int | bool | None


def _since(moment: float | None, date: Date) -> float | None:
    return None if moment is None else date(moment)


def chain_picture(status: Status, language: str, date: Date) -> Json:
    """The chain, in words; only the links that there are."""
    links = {
        "gateway": status.gateway,
        "bridge": status.bridge,
        "boiler": status.boiler,
        "broker": status.broker,
    }
    return {name: _link(link, language, date) for name, link in links.items() if link is not None}


def _link(link: Link, language: str, date: Date) -> Json:
    return {
        "state": link.state,
        "level": link.level,
        "text": text(link.state, language),
        "since": _since(link.since, date),
        "address": link.address,
        "problem": problem_text(link.problem, language),
        "advice": text(link.advice, language, **dict(link.fields)) if link.advice else "",
    }


def named(entry: Entry | None, language: str, otherwise: str) -> str:
    """What something is called, as the catalogue has it, else as is given."""
    return entry.text.to(language) if entry else otherwise


def label(channel: Channel, language: str) -> str:
    """What a channel is called, as the catalogue has it, else as the boiler has it."""
    return named(channel.entry, language, channel.name)


def channel_picture(boiler: Boiler, channel: Channel, language: str, date: Date) -> Json:
    """One channel."""
    return {
        "kind": channel.kind,
        "rank": rank(channel),
        "name": channel.name,
        "label": label(channel, language),
        "value": channel.text,
        "unit": channel.unit,
        "meaning": boiler.state_text(channel, language),
        "since": _since(channel.since, date),
        "connected": channel.connected,
    }


def setting_picture(setting: Setting, language: str, date: Date) -> Json:
    """One of the boiler's parameters."""
    parameter = setting.parameter
    return {
        "kind": "setting",
        "name": setting.id,
        "label": setting.name or named(setting.entry, language, setting.id),
        "value": setting.text,
        "unit": parameter.unit if isinstance(parameter, NumberParameter) else "",
        "since": date(setting.since),
    }


def faults_picture(boiler: Boiler, language: str, date: Date) -> Json:
    """What the boiler complains of."""
    return [_fault(each, language, date) for each in boiler.faults]


def _fault(fault: Fault, language: str, date: Date) -> Json:
    # Advice goes by what the catalogue says; the boiler's own words are in any language.
    advice = fault_advice(fault.text.to("en") if fault.number else "").to(language)
    return {
        "number": fault.number,
        "text": fault.text.to(language),
        "advice": advice,
        "since": date(fault.since),
    }


def boiler_picture(boiler: Boiler, pellets: Pellets, language: str, date: Date) -> Json:
    """What an owner wants to know of the boiler; only what this one has."""

    def state(role: str) -> Json:
        channel = channels.get(role)
        if channel is None:
            return None
        words = boiler.state_text(channel, language) or channel.text
        return {"text": words, "since": _since(channel.since, date)}

    channels = {role: found[0] for role, found in by_role(boiler).items()}
    return {
        "current": boiler.availability.telemetry,
        "state": state("boiler_state") or state("pellet_boiler_state"),
        "tiles": _tiles(channels, language),
        "buffer": _buffer(channels, state),
        "water": _tanks(channels, state, language),
        "circuits": _circuits(channels, state, language),
        "pellets": _pellets(boiler, pellets),
    }


def _pellets(boiler: Boiler, pellets: Pellets) -> Json:
    supply = pellets.supply
    return {
        "stock": boiler.counters.stock,
        **_burnt_today(pellets.consumed),
        "lasts": None if supply is None else {"days": supply.days, "pace": round(supply.pace, 1)},
    }


def _burnt_today(consumed: Consumed | None) -> dict[str, Json]:
    if consumed is None:
        return {"today": None, "since": None}
    return {"today": consumed.kilograms, "since": consumed.since}


def _tiles(channels: Mapping[str, Channel], language: str) -> list[object]:
    return [
        {"role": tile, "label": text(f"tile.{tile}", language), "value": value}
        for tile, roles in TILES.items()
        if (value := _value(channels, *roles))
    ]


def _value(channels: Mapping[str, Channel], *roles: str) -> Json:
    """What the channel with the first of these roles that there is shows, None without any."""
    for role in roles:
        if role in channels:
            return {"text": channels[role].text, "unit": channels[role].unit}
    return None


def _is_on(channels: Mapping[str, Channel], role: str) -> bool:
    return role in channels and bool(channels[role].value)


def _buffer(channels: Mapping[str, Channel], state: Callable[[str], Json]) -> Json:
    heights = {height: _value(channels, role) for height, role in BUFFER.items()}
    fill = _value(channels, "buffer_fill")
    if not any(heights.values()):
        return None
    return {**heights, "fill": fill, "state": state("buffer_state")}


def _tanks(
    channels: Mapping[str, Channel], state: Callable[[str], Json], language: str
) -> list[object]:
    return [
        {
            "name": text("tank", language, name=each),
            "value": _value(channels, f"tank_{each}"),
            "target": _value(channels, f"tank_{each}_setpoint"),
            "pump": _is_on(channels, f"tank_{each}_pump"),
            "state": state(f"tank_{each}_state"),
        }
        for each in TANKS
        if f"tank_{each}" in channels
    ]


def _circuits(
    channels: Mapping[str, Channel], state: Callable[[str], Json], language: str
) -> list[object]:
    return [
        {
            "name": text("circuit", language, name=each),
            "value": _value(channels, f"circuit_{each}_flow"),
            "target": _value(channels, f"circuit_{each}_flow_setpoint"),
            "room": _value(channels, f"circuit_{each}_room"),
            "pump": _is_on(channels, f"circuit_{each}_pump"),
            "state": state(f"circuit_{each}_state"),
        }
        for each in CIRCUITS
        if _has_circuit(channels, each)
    ]


def _has_circuit(channels: Mapping[str, Channel], circuit: str) -> bool:
    # One without a mixer has no flow sensor, but does not stay off for ever.
    return f"circuit_{circuit}_flow" in channels or _is_on(channels, f"circuit_{circuit}_state")


def picture(
    boiler: Boiler,
    status: Status,
    pellets: Pellets,
    words: Sequence[str],
    language: str,
    date: Date,
) -> dict[str, Json]:
    """All but the channels and the parameters.

    ``words`` are the digital words of the last line; ``bits`` tells in which word and bit each
    channel is.
    """
    digital = boiler.descriptor.digital if boiler.descriptor else ()
    return {
        "chain": chain_picture(status, language, date),
        "boiler": boiler_picture(boiler, pellets, language, date),
        "faults": faults_picture(boiler, language, date),
        "identity": {"model": boiler.identity.model, "firmware": boiler.identity.firmware},
        "words": words,
        "bits": {each.object: (each.word, each.bit) for each in digital},
    }
