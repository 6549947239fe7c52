"""The boiler's faults at the broker: two states, their details, and an event for each new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hargassner.boiler.model import Fault
from hargassner.catalogue import Text
from hargassner.catalogue.fault_advice import fault_advice
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.own_entities import NEW_FAULT
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.homeassistant.states import LONGEST_STATE, States
from hargassner.homeassistant.topics import Topics
from hargassner.mqtt.interfaces import IBroker

_NO_FAULT = Text("no fault", "keine Störung", "aucun défaut")


@dataclass(frozen=True, slots=True)
class FaultStates:
    """Publishes the faults.

    Args:
        topics: where.
        broker: takes events.
        states: publishes states.
        retained: has the faults that were active before a restart, which are not new.
        language: of the texts.
    """

    topics: Topics
    broker: IBroker
    states: States
    retained: RetainedSnapshot
    language: str

    def show(self, faults: Sequence[Fault]) -> None:
        """Publish the active faults."""
        text = "; ".join(map(self._line, faults)) or _NO_FAULT.to(self.language)
        all_ = list(map(self._attributes, faults))
        first = next(iter(all_), {})
        self.states.show(self.topics.state("faults"), compact({**first, "faults": all_}))
        self.states.show(self.topics.state("fault"), "ON" if faults else "OFF")
        self.states.show(self.topics.state("fault_text"), text[:LONGEST_STATE])
        self._publish_new(faults)

    def _publish_new(self, faults: Sequence[Fault]) -> None:
        """Publish an event for each fault that was not active before."""
        before = self.retained.known.faults
        now = list(map(_key, faults))
        for fault in faults:
            if _key(fault) not in before:
                self._publish_event(fault)
        if now != before:
            self.retained.known.faults = now
            self.retained.changed()

    def _publish_event(self, fault: Fault) -> None:
        event = {"event_type": NEW_FAULT, **self._attributes(fault)}
        self.broker.publish(self.topics.state("fault_event"), compact(event), retain=False)

    def _attributes(self, fault: Fault) -> Json:
        """What is known of a fault, and what an owner can do about it."""
        advice = fault_advice(fault.text.en if fault.number else "")
        return {
            "number": fault.number,
            "text": fault.text.to(self.language),
            "advice": advice.to(self.language),
        }

    def _line(self, fault: Fault) -> str:
        text = fault.text.to(self.language)
        return text if fault.number is None else f"{fault.number}: {text}"


def _key(fault: Fault) -> list[Any]:
    """What distinguishes a fault from others, in every language."""
    return [fault.number, fault.text.en]
