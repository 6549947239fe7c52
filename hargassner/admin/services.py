"""The services for the owner and the system, as far as they are configured or asked for."""

import os

from hargassner.admin.systemd import Notices, status_line, supervision
from hargassner.parts import Parts
from hargassner.reactor import IBridgeReactor
from hargassner.services import Service


def admin_services(parts: Parts, reactor: IBridgeReactor) -> list[Service]:
    """The manhole, if one is configured, and the notices to systemd, if it asks for them."""
    services: list[Service] = []
    if parts.config.manhole.listen:
        from hargassner.admin.console import namespace
        from hargassner.admin.manhole import Manhole

        services.append(Manhole(parts.config.manhole, reactor, namespace(parts)))
    requested = supervision(os.environ, os.getpid())
    if requested is not None:
        services.append(
            Notices(
                requested,
                reactor,
                reactor.callWhenRunning,
                lambda: status_line(parts.boiler, with_gateway=parts.gateway is not None),
            )
        )
    return services
