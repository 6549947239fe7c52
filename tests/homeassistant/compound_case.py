"""A home with a thermostat or a water heater: what its parts show, and what commands come to."""

import json
from typing import ClassVar

from tests.mqtt.cases import BASE, HomeCase


class CompoundCase(HomeCase):
    """A home with one of them, of which everything is known.

    ``compound`` is its identifier, ``parts`` what it has, and ``lines`` what the boiler tells
    besides its usual parameters.
    """

    compound: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]
    lines: ClassVar[tuple[str, ...]]

    def setUp(self) -> None:
        super().setUp()
        self.on = {"HKP1"}
        self.everything()
        self.tell_parameters(*self.lines)
        self.settle()

    def shown(self, *parts: str) -> tuple[str, ...]:
        """What is published of these parts, or of all."""
        states = self.states()
        return tuple(states[f"{self.compound}/{part}"] for part in parts or self.parts)

    def ask(self, part: str, payload: str) -> list[tuple[str, str]]:
        """What a command for a part comes to: parameters, and what they are to be set to."""
        self.control.asked.clear()
        self.broker.deliver(f"{BASE}/{self.compound}/{part}/set", payload)
        return self.control.asked

    def result(self, part: str) -> dict[str, object]:
        """The answer to the last command for a part."""
        return self.result_of(f"{self.compound}/{part}")

    def result_of(self, what: str) -> dict[str, object]:
        """The answer to the last command for this."""
        topic = f"{BASE}/{what}/result"
        return json.loads([each for each in self.broker.published if each[0] == topic][-1][1])

    def errors(self, *commands: tuple[str, str]) -> list[object]:
        """What is said of commands that are refused, each a topic below the base and a payload."""
        for what, payload in commands:
            self.broker.deliver(f"{BASE}/{what}/set", payload)
        return [self.result_of(what)["error"] for what, _ in commands]
