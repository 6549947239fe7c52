"""What the gateway and the boiler say to each other: bytes in, events out.

Nothing in this package opens a socket, reads a clock or imports a reactor.
"""

from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import Event
from hargassner.dialogue.parameters import Parameter, parse_parameter

__all__ = ["Dialogue", "Event", "Parameter", "parse_parameter"]
