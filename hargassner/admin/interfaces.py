"""What the services for the owner and the system need of a reactor."""

from twisted.internet.interfaces import IReactorCore, IReactorTime


class IAdminReactor(IReactorCore, IReactorTime):
    """What the manhole and the notices to systemd need of a reactor."""
