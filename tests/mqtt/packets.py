"""MQTT packets as a broker reads and writes them, for tests that have no broker."""

from dataclasses import dataclass

CONNACK = b"\x20\x02\x00\x00"
PONG = b"\xd0\x00"
UNSUBSCRIBED = b"\xb0\x02\x00\x01"
"""An UNSUBACK."""


def refusal(code: int) -> bytes:
    """A CONNACK that refuses."""
    return bytes([0x20, 2, 0, code])


def published(topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> bytes:
    """A PUBLISH."""
    name = topic.encode()
    body = len(name).to_bytes(2) + name + (b"\x00\x07" if qos else b"") + payload
    return bytes([0x30 | qos << 1 | retain]) + length(len(body)) + body


def subscribed(number: int, code: int = 0) -> bytes:
    """A SUBACK for one filter."""
    return b"\x90\x03" + number.to_bytes(2) + bytes([code])


def length(size: int) -> bytes:
    """The length of a packet, as its header has it."""
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | 128 if size else digit)
        if not size:
            return bytes(digits)


@dataclass(frozen=True)
class Packet:
    """One packet that a client sent."""

    kind: str
    flags: int
    body: bytes

    @property
    def topic(self) -> str:
        """The topic of a PUBLISH."""
        return _text(self.body)

    @property
    def payload(self) -> str:
        """The payload of a PUBLISH in QoS 0."""
        return self.body[2 + len(self.topic.encode()) :].decode()

    @property
    def retain(self) -> bool:
        """Whether the broker is asked to retain a PUBLISH."""
        return bool(self.flags & 1)

    @property
    def number(self) -> int:
        """What the answer to a SUBSCRIBE has to name."""
        return int.from_bytes(self.body[:2])

    @property
    def topic_filter(self) -> str:
        """The filter of a SUBSCRIBE."""
        return _text(self.body[2:])


_KINDS = {
    1: "CONNECT",
    3: "PUBLISH",
    4: "PUBACK",
    8: "SUBSCRIBE",
    10: "UNSUBSCRIBE",
    12: "PINGREQ",
    14: "DISCONNECT",
}


def _text(body: bytes) -> str:
    return body[2 : 2 + int.from_bytes(body[:2])].decode()


def packets(data: bytes) -> list[Packet]:
    """The packets in what a client sent, which must all be whole."""
    found = []
    while data:
        size = place = 0
        while True:
            place += 1
            size += (data[place] & 127) << 7 * (place - 1)
            if data[place] < 128:
                break
        body = data[place + 1 : place + 1 + size]
        assert len(body) == size, "a packet is cut off"
        found.append(Packet(_KINDS[data[0] >> 4], data[0] & 15, body))
        data = data[place + 1 + size :]
    return found
