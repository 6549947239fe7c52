"""The gateway's telnet connection, passed to the boiler byte for byte."""
