"""When the simulated gateway does what, in seconds."""

from dataclasses import dataclass

# As recorded once.
BEFORE_DIAGNOSTICS = 3.88
BEFORE_DIAGNOSTICS_REQUEST = 0.02
BEFORE_SERVICES = 9.82
BETWEEN_SERVICES = 3.7
BEFORE_CONNECTING = 2.0
BEFORE_CLEAR = 3.7
AFTER_RENEW = 0.3

CONNECT_TIMEOUT = 10.0
REPLY_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Timing:
    """What can be chosen of it; the arguments are those of ``SimulatedGateway``."""

    keepalive: float
    session_length: float
    restart_delay: float
    pace: float

    def paced(self, seconds: float) -> float:
        """How long a pause takes."""
        return seconds * self.pace
