"""An MQTT broker, amqtt, in a process of its own; asyncio stays in there.

    python -m hargassner.simulator.broker.embedded DESCRIPTOR

serves the listening socket that it inherited under that file descriptor until its standard input
ends, as it does when its parent process is gone.
"""

import argparse
import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from pathlib import Path

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.session import Session

LISTENER = "default"
QUIET = 0.1
"""Seconds without a packet after which all that clients had sent has been passed on."""
GRACE = 1.0
"""Seconds that the broker takes at most to pass on what clients had sent before it ends."""


class Reader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types.
    """Hands amqtt the next bytes of a client once it has passed on what came before.

    amqtt drops all that waits to be passed on as soon as it reads DISCONNECT or the connection's
    end, and a client may well send DISCONNECT together with its last messages.

    Args:
        stream: the connection.
        broker: whose client this is.
    """

    def __init__(self, stream: asyncio.StreamReader, broker: Broker) -> None:
        super().__init__(stream)
        self.reads = 0
        """How often amqtt has asked for bytes."""
        self._broker = broker
        self._session: Session | None = None

    async def read(self, n: int = -1) -> bytes:
        """So many bytes; see amqtt for the errors."""
        self.reads += 1
        # Let amqtt's tasks for the packets that it has read queue their messages.
        await asyncio.sleep(0)
        session = self._session = self._session or self._find_session()
        while session is not None and not session.delivered_message_queue.empty():
            await asyncio.sleep(0)
        data: bytes = await super().read(n)
        return data

    def _find_session(self) -> Session | None:
        for session, handler in self._broker.sessions.values():
            if handler.reader is self:
                return session
        return None


class Clients:
    """The clients of a broker, which can be waited for.

    Args:
        broker: serves them.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._readers: set[Reader] = set()

    async def connected(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client until it is gone."""
        reader = Reader(stream, self._broker)
        self._readers.add(reader)
        try:
            await self._broker.external_connected(reader, StreamWriterAdapter(writer), LISTENER)
        finally:
            self._readers.discard(reader)

    async def quiet(self) -> None:
        """Wait until no client has sent anything for a while."""
        before = None
        while (now := {reader: reader.reads for reader in self._readers}) != before:
            before = now
            await asyncio.sleep(QUIET)


async def serve(listening: socket.socket, tls: ssl.SSLContext | None, users: Path | None) -> None:
    """Serve until standard input ends.

    Args:
        listening: takes the connections.
        tls: with what certificate; None for none.
        users: amqtt's file of users and hashes of their passwords; None admits everybody.
    """
    plugin: dict[str, dict[str, str]] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}}
    if users is not None:
        plugin = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(users)}}
    config = BrokerConfig(
        listeners={LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)}, plugins=plugin
    )
    broker = Broker(config)
    await broker.start()
    clients = Clients(broker)
    server = await asyncio.start_server(clients.connected, sock=listening, ssl=tls)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    server.close()
    # Somebody may send without end, or read nothing.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await clients.quiet()
            await broker.shutdown()


def main() -> None:
    """Serve the inherited socket."""
    parser = argparse.ArgumentParser(prog="python -m hargassner.simulator.broker.embedded")
    parser.add_argument("descriptor", type=int, help="the listening socket")
    parser.add_argument("--certificate", type=Path, help="serve TLS with this certificate")
    parser.add_argument("--key", type=Path, help="and this key")
    parser.add_argument("--users", type=Path, help="admit the users of this amqtt file only")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.key)
    with socket.socket(fileno=options.descriptor) as listening:
        asyncio.run(serve(listening, tls, options.users))


if __name__ == "__main__":
    main()
