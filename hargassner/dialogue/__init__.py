"""What the gateway and the boiler say to each other: bytes in, events out.

Nothing in this package opens a socket, reads a clock or imports a reactor.
"""
