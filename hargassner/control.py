"""Settings that can be changed: what the views ask for."""

from twisted.internet.defer import Deferred
from zope.interface import Interface


class CommandError(Exception):
    """A command came to nothing; the message says why, in one sentence for the owner."""


class IControl(Interface):
    """Changes the boiler's settings over the gateway's logged-in session."""

    def set_parameter(id: str, wanted: str) -> "Deferred[str]":  # noqa: A002
        """Set the parameter with this id to an option (its text or index) or a number.

        The result is the boiler's own text of the value that it confirmed, and the model has it
        by then. Exactly one outcome comes of each call.

        Errors: ``CommandError``.
        """
