"""Relays that the wire benchmarks compare with the bridge, each importing what it needs itself.

python benchmarks/relays.py relay|portforward|bridge BOILER:PORT ADDRESS:PORT
"""

import select
import socket
import sys

Address = tuple[str, int]


def relay(boiler: Address, listen: Address) -> None:
    """The barest relay: epoll, recv, send."""
    listener = socket.create_server(listen, backlog=600)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    sockets: dict[int, socket.socket] = {}
    peers: dict[int, socket.socket] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                client, _ = listener.accept()
                server = socket.create_connection(boiler)
                for one, other in ((client, server), (server, client)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    sockets[one.fileno()], peers[one.fileno()] = one, other
                    poll.register(one, select.EPOLLIN)
                continue
            if descriptor not in sockets:
                continue
            data = sockets[descriptor].recv(65_536)
            if data:
                peers[descriptor].sendall(data)
                continue
            for each in (sockets[descriptor], peers[descriptor]):
                poll.unregister(each)
                del sockets[each.fileno()], peers[each.fileno()]
                each.close()


def portforward(boiler: Address, listen: Address) -> None:
    """Twisted's own example of a proxy, with TCP_NODELAY as any proxy should have it."""
    from twisted.internet import reactor
    from twisted.protocols import portforward as example

    class Server(example.ProxyServer):
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)
            super().connectionMade()

    class Client(example.ProxyClient):
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)
            super().connectionMade()

    factory = example.ProxyFactory(*boiler)
    factory.noisy = False
    factory.protocol = Server
    Server.clientProtocolFactory = example.ProxyClientFactory
    example.ProxyClientFactory.protocol = Client
    example.ProxyClientFactory.noisy = False
    reactor.listenTCP(listen[1], factory, backlog=600, interface=listen[0])
    reactor.run()


def bridge(boiler: Address, listen: Address) -> None:
    """The bridge's proxy, without any observer."""
    from twisted.internet import reactor
    from twisted.internet.endpoints import TCP4ClientEndpoint

    from hargassner.discovery import Devices
    from hargassner.proxy.access import Access
    from hargassner.proxy.factory import ProxyFactory

    access = Access(["any"], Devices(reactor, boiler[0]))
    factory = ProxyFactory(reactor, TCP4ClientEndpoint(reactor, *boiler).connect, access)
    reactor.listenTCP(listen[1], factory, backlog=600, interface=listen[0])
    reactor.run()


def main() -> None:
    """Serve until killed."""
    kinds = {"relay": relay, "portforward": portforward, "bridge": bridge}
    addresses = [each.split(":") for each in sys.argv[2:]]
    kinds[sys.argv[1]](*((host, int(port)) for host, port in addresses))


if __name__ == "__main__":
    main()
