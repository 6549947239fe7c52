"""Sockets of one side of the bridge: tied to its interface, and kept open as it comes and goes."""
