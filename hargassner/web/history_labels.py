"""What the things in the history are called."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hargassner.boiler.model import Boiler
from hargassner.catalogue import AnalogEntry, Catalogue, Family
from hargassner.catalogue.activities import OTHER, activities
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import named


@dataclass(frozen=True, slots=True)
class Labels:
    """What things are called, as it was known when the answer began."""

    catalogue: Catalogue
    family: Family
    language: str
    names: Mapping[str, str]
    kwh_per_kg: float

    def entry(self, recorded: Recorded) -> AnalogEntry | None:
        """What the catalogue knows of a channel."""
        return self.catalogue.analog(recorded.name, recorded.unit)

    def role(self, recorded: Recorded) -> str:
        """The role of a channel, empty for none."""
        entry = self.entry(recorded)
        return entry.role if entry else ""

    def by_role(self, channels: Iterable[Recorded]) -> Mapping[str, list[Recorded]]:
        """Channels by their roles."""
        roles: defaultdict[str, list[Recorded]] = defaultdict(list)
        for each in channels:
            roles[self.role(each)].append(each)
        return roles

    def of_channel(self, recorded: Recorded) -> str:
        """What a channel is called."""
        return named(self.entry(recorded), self.language, recorded.name)

    def of_pump(self, object_: str) -> str:
        """What a pump is called."""
        name = self.names.get(object_, object_)
        return named(self.catalogue.digital(name), self.language, name)

    def of_state(self, state: Recorded, code: int) -> str:
        """What a code of the boiler's state means."""
        words = self.catalogue.state_text(state.name, code, self.family, self.language)
        return words or str(code)

    def codes(self, state: Recorded) -> dict[str, Mapping[str, str]]:
        """What each known code of the boiler's state means, and what the boiler does then."""
        codes = self.catalogue.states(state.name, self.family)
        known = self.activities(state)
        return {
            "texts": {str(code): self.of_state(state, code) for code in codes},
            "activities": {str(code): known.get(code, OTHER) for code in codes},
        }

    def activities(self, state: Recorded) -> Mapping[int, str]:
        """What the boiler does in each state."""
        return activities(self.catalogue, state.name, self.family)


def labels_of(boiler: Boiler, kwh_per_kg: float, language: str) -> Labels:
    """What things are called now."""
    names = {each.object: each.name for each in boiler.channels.values()}
    return Labels(boiler.catalogue, boiler.family, language, names, kwh_per_kg)
