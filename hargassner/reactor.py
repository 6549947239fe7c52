"""The reactor, as the whole bridge needs it."""

from twisted.internet.interfaces import IReactorThreads

from hargassner.admin.signals import ISignalReactor
from hargassner.mqtt.endpoint import IBrokerReactor
from hargassner.network.resolver import INamesReactor
from hargassner.proxy.endpoint import IBoilerReactor


class IBridgeReactor(
    ISignalReactor, IBoilerReactor, IBrokerReactor, INamesReactor, IReactorThreads
):
    """What the bridge needs of a reactor."""
