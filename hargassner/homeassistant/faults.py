"""The boiler's faults at the broker: two states, their details, and an event for each new one."""

from collections.abc import Sequence

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


class FaultStates:
    """Publishes the faults.

    Args:
        topics: where.
        broker: takes events.
        states: publishes states.
        retained: has the faults that were active before a restart, which are not new.
        language: of the texts.
    """

    def __init__(
        self,
        topics: Topics,
        broker: IBroker,
        states: States,
        retained: RetainedSnapshot,
        language: str,
    ) -> None:
        self._topics = topics
        self._broker = broker
        self._states = states
        self._retained = retained
        self._language = language

    def show(self, faults: Sequence[Fault]) -> None:
        """Publish the active faults."""
        text = "; ".join(map(self._line, faults)) or _NO_FAULT.to(self._language)
        attributes = {"faults": [self._attributes(each) for each in faults]}
        first = attributes["faults"][0] if faults else {}
        self._states.show(self._topics.state("faults"), compact({**first, **attributes}))
        self._states.show(self._topics.state("fault"), "ON" if faults else "OFF")
        self._states.show(self._topics.state("fault_text"), text[:LONGEST_STATE])
        self._publish_new(faults)

    def _publish_new(self, faults: Sequence[Fault]) -> None:
        """Publish an event for each fault that was not active before."""
        before = self._retained.known.faults
        now = [[fault.number, fault.text.en] for fault in faults]
        for fault, key in zip(faults, now, strict=True):
            if key not in before:
                self._publish_event(fault)
        if now != before:
            self._retained.known.faults = now
            self._retained.changed()

    def _publish_event(self, fault: Fault) -> None:
        event = {"event_type": NEW_FAULT, **self._attributes(fault)}
        self._broker.publish(self._topics.state("fault_event"), compact(event), retain=False)

    def _attributes(self, fault: Fault) -> Json:
        """What is known of a fault, and what an owner can do about it."""
        advice = fault_advice(fault.text.en if fault.number else "")
        return {
            "number": fault.number,
            "text": fault.text.to(self._language),
            "advice": advice.to(self._language),
        }

    def _line(self, fault: Fault) -> str:
        text = fault.text.to(self._language)
        return text if fault.number is None else f"{fault.number}: {text}"
