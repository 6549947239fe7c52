"""An MQTT broker, amqtt, in a process of its own; asyncio stays in there.

    python -m hargassner.simulator.broker DESCRIPTOR

serves the listening socket that it inherited under that file descriptor until its standard input
ends, as it does when whoever started it is gone.
"""

import argparse
import asyncio
import logging
import signal
import socket
import ssl
import sys
from functools import partial
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType


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
        listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)}, plugins=plugin
    )
    broker = Broker(config)
    await broker.start()
    connected = partial(broker.stream_connected, listener_name="default")
    await asyncio.start_server(connected, sock=listening, ssl=tls)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    """Serve the inherited socket."""
    parser = argparse.ArgumentParser(prog="python -m hargassner.simulator.broker")
    parser.add_argument("descriptor", type=int, help="the listening socket")
    parser.add_argument("--certificate", type=Path, help="serve TLS with this certificate")
    parser.add_argument("--key", type=Path, help="and this key")
    parser.add_argument("--users", type=Path, help="admit the users of this amqtt file only")
    options = parser.parse_args()
    # Ctrl-C reaches the whole group; whoever started us says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.CRITICAL)
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.key)
    with socket.socket(fileno=options.descriptor) as listening:
        asyncio.run(serve(listening, tls, options.users))


if __name__ == "__main__":
    main()
