"""Twisted's services, with types.

Twisted wrote ``Service`` and ``MultiService`` without annotations, so that a type checker has to be
told to overlook each call of theirs. Here it is told once.
"""

from collections.abc import Iterable
from typing import Any

from twisted.application import service
from twisted.application.service import IService
from twisted.internet.defer import Deferred


class Service(service.Service):
    """Something that runs from ``startService`` to ``stopService``, as ``running`` tells."""

    def startService(self) -> None:
        """Start."""
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> "Deferred[Any] | None":
        """Stop. Where there is a result, it comes when everything has been given back."""
        super().stopService()  # type: ignore[no-untyped-call]
        return None


class MultiService(service.MultiService):
    """Services that run together: started in their order, and stopped in the other one.

    Args:
        children: the services.
    """

    def __init__(self, children: Iterable[IService] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.add(children)

    def add(self, children: Iterable[IService]) -> None:
        """Have further services run with this one, each after those that are there already."""
        for each in children:
            each.setServiceParent(self)

    def named(self, name: str) -> Any:
        """The service of that name.

        Raises:
            KeyError: there is none.
        """
        return self.getServiceNamed(name)  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """Start every service."""
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> "Deferred[Any]":
        """Stop every service; the result comes when all have given back what they held."""
        stopping: Deferred[Any] = super().stopService()  # type: ignore[no-untyped-call]
        return stopping
