"""What an observer of the model is called with."""

from collections.abc import Callable, Sequence

from hargassner.boiler.counters import Counters
from hargassner.boiler.equipment import Proven
from hargassner.boiler.faults import Fault
from hargassner.boiler.sessions import Availability, Identity
from hargassner.boiler.settings import Setting
from hargassner.boiler.understanding import Understanding
from hargassner.boiler.values import Channel
from hargassner.observers import Listeners, Observers


class BoilerObserver:
    """Observes the model; override what concerns you.

    The calls come in the order of the changes, each after the model has taken it in. One that
    raises is logged, and neither the model nor any other observer notices.
    """

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """The boiler has other channels than before: all of them, and those that are no more."""

    def channels_changed(self, channels: Sequence[Channel]) -> None:
        """Channels show something else, as one line told, or an input was disconnected."""

    def setting_changed(self, setting: Setting) -> None:
        """A parameter is new, has another value, or other limits or options."""

    def equipment_changed(self, proven: Proven) -> None:
        """A circuit, a tank, a sensor or the like turned out to exist; all that do."""

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """The boiler complains of something else than before; of nothing, if empty."""

    def counters_changed(self, counters: Counters) -> None:
        """Consumption, energy or stock have changed."""

    def availability_changed(self, availability: Availability) -> None:
        """A session logged in or ended, telemetry came or stopped, lines fit or don't."""

    def understanding_changed(self, understanding: Understanding) -> None:
        """What the telemetry means is known otherwise than before, or how its lines fit."""

    def identity_changed(self, identity: Identity) -> None:
        """More is known of who the boiler and the gateway are."""


class BoilerObservers(Observers[BoilerObserver]):
    """The observers of a model.

    ``of_channels`` are those that do anything with changed channels, of which there are some every
    second.
    """

    def __init__(self) -> None:
        super().__init__("a change of the boiler")
        self.of_channels: Listeners[Sequence[Channel]] = Listeners("a change of the boiler")

    def add(self, observer: BoilerObserver) -> Callable[[], None]:
        """Notify an observer from now on, until the returned function is called."""
        stops = [super().add(observer)]
        if type(observer).channels_changed is not BoilerObserver.channels_changed:
            stops.append(self.of_channels.add(observer.channels_changed))

        def stop() -> None:
            for each in stops:
                each()

        return stop
