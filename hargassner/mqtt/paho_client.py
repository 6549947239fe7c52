"""Paho-mqtt without a network: its socket is two bytearrays."""

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


class MemorySocket:
    """What paho takes for a socket."""

    def __init__(self) -> None:
        self.incoming = bytearray()
        self.outgoing = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        if not self.incoming:
            raise BlockingIOError
        data = bytes(self.incoming[:buffer_size])
        del self.incoming[:buffer_size]
        return data

    def send(self, buffer: bytes | bytearray) -> int:
        self.outgoing += buffer
        return len(buffer)

    def close(self) -> None:
        """There is nothing to give back."""

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""


class PahoClient(Client):
    """A paho client whose socket is in memory."""

    def __init__(self, client_id: str, memory: MemorySocket, version: MQTTProtocolVersion) -> None:
        # Paho would answer some refusals by connecting again from inside loop_read().
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=version,
            reconnect_on_failure=False,
        )
        self._memory = memory

    def _create_socket(self) -> MemorySocket:
        return self._memory
