"""Sockets of one side of the bridge: bound to its interface, and kept open as it comes and goes."""
