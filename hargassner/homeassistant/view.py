"""The boiler in the home: its states at the broker, its entities in Home Assistant, commands."""

from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from hargassner.boiler.equipment import Proven
from hargassner.boiler.model import (
    Availability,
    Boiler,
    BoilerObserver,
    Channel,
    Counters,
    Fault,
    Identity,
    Setting,
    Understanding,
)
from hargassner.boiler.settable import Settable
from hargassner.clock import IClock
from hargassner.config import Config
from hargassner.control.queue import IControl
from hargassner.delayed import Delayed
from hargassner.homeassistant.announcements import Surroundings
from hargassner.homeassistant.announcer import Announcer
from hargassner.homeassistant.availability import AvailabilityTopics
from hargassner.homeassistant.bridge_status import BridgeStatus
from hargassner.homeassistant.channel_states import ChannelStates
from hargassner.homeassistant.commands import Commands
from hargassner.homeassistant.compound_states import CompoundStates
from hargassner.homeassistant.compounds import Compounds
from hargassner.homeassistant.discovery import Discovery
from hargassner.homeassistant.entities import compact
from hargassner.homeassistant.faults import FaultStates
from hargassner.homeassistant.info import OF_GATEWAY, boiler_info, has_told
from hargassner.homeassistant.last_command import show_last_command
from hargassner.homeassistant.page_address import status_page
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.homeassistant.states import States
from hargassner.homeassistant.texts import TextStates
from hargassner.homeassistant.topics import Topics, channel_object, own_objects
from hargassner.mqtt.interfaces import IBroker
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory

BIRTH_DELAY = 1.0
"""Seconds from Home Assistant's birth message to the answer, so that many are answered once."""

DATES_EVERY = 60.0
"""Seconds between two looks whether a date that was published is still right."""


class HomeView(Service, BoilerObserver):
    """Shows the boiler over MQTT, and takes commands from there.

    To be a child of the same service as the link to the broker, and added after it: services stop
    in reverse order, and what it publishes last is for the link to send.

    Args:
        boiler: the model.
        config: the configuration.
        broker: the link to the broker.
        control: changes settings; None where there is no gateway over whose session that is done.
        clock: time.
        directory: the state directory; what is retained at the broker is stored there.
        in_thread: runs what blocks off the reactor's thread.
        host: this machine's address in the home network, empty where it has none.
        restart: has the bridge stop, to be started again; None where nobody would start it.
    """

    name = "home"

    def __init__(
        self,
        boiler: Boiler,
        config: Config,
        broker: IBroker,
        control: IControl | None,
        clock: IClock,
        directory: StateDirectory,
        in_thread: Callable[..., "Deferred[Any]"],
        host: str,
        restart: Callable[[], object] | None = None,
    ) -> None:
        self._boiler = boiler
        self._broker = broker
        self._clock = clock
        self._home_assistant = config.homeassistant
        self._topics = topics = Topics.of(config.mqtt)
        self._config = config
        self._retained = RetainedSnapshot(directory, clock, in_thread)
        self._states = states = States(broker, clock, self._note_retained)
        self._publish_by(boiler, config, with_gateway=control is not None)
        settable = Settable(config.control.parameters, boiler.catalogue, boiler.equipment)
        compounds = Compounds(boiler, settable)
        interval = config.telemetry.interval
        self._compounds = CompoundStates(compounds, topics, states, interval)
        # The command to restart comes as those for the boiler do.
        can_restart = bool(control and restart)
        self._absent = OF_GATEWAY if control is None else ()
        page = status_page(config.web, host)
        self._announcer = self._announcer_of(Discovery(boiler, config, settable, page, can_restart))
        self._commands = None if control is None else self._commands_to(control, settable, restart)
        self._telemetry_came = False
        self._answer_birth = Delayed(clock, BIRTH_DELAY, self._publish_again)
        self._stop_observing: Callable[[], None] = lambda: None
        self._dating = LoopingCall(self._show_dates)
        self._dating.clock = clock

    def _publish_by(self, boiler: Boiler, config: Config, *, with_gateway: bool) -> None:
        """Make what publishes each kind of state."""
        topics, states, language = self._topics, self._states, config.homeassistant.language
        self._availability = AvailabilityTopics(topics, states, with_session=with_gateway)
        self._bridge = BridgeStatus(topics, states, self._clock, boiler)
        self._faults = FaultStates(topics, self._broker, states, self._retained, language)
        self._texts = TextStates(boiler, topics, states, language, with_settings=with_gateway)
        self._channels = ChannelStates(topics, states, self._texts, config)

    def _announcer_of(self, discovery: Discovery) -> Announcer:
        """What announces this."""
        surroundings = Surroundings(
            hide=self._availability.hide,
            reveal=self._reveal,
            repeat=self._states.repeat,
            forget=self._forget_gone,
        )
        return Announcer(discovery, self._broker, self._clock, self._retained, surroundings)

    def _commands_to(
        self, control: IControl, settable: Settable, restart: Callable[[], object] | None
    ) -> Commands:
        """What takes commands for this control."""
        return Commands(
            self._topics,
            self._broker,
            control,
            settable,
            self._texts.meant,
            self._compounds,
            self._states.repeat,
            partial(show_last_command, self._topics, self._states, self._clock),
            restart,
        )

    def startService(self) -> None:
        """Read what is retained, which blocks for a moment, and show what is known."""
        super().startService()
        self._retained.load()
        self._take_back_other_base()
        if self._home_assistant.discovery != "off":
            self._texts.announced(self._retained.known.components)
            self._broker.subscribe(f"{self._home_assistant.prefix}/status", self._born)
        self._stop_observing = self._boiler.observe(self)
        self._bridge.start()
        self._show_all()
        self._dating.start(DATES_EVERY, now=False)
        self._announcer.start()
        if self._commands is not None:
            self._commands.listen()

    def stopService(self) -> "Deferred[Any]":
        """Publish what waits, and that nothing is available any more; store what is retained."""
        super().stopService()
        self._stop_observing()
        if self._dating.running:
            self._dating.stop()
        self._answer_birth.cancel()
        self._announcer.stop()
        if self._commands is not None:
            self._commands.stop()
        self._bridge.stop()
        self._states.stop()
        self._availability.hide()
        return self._retained.close()

    def _show_all(self) -> None:
        """Publish what is known of the boiler."""
        self.availability_changed(self._boiler.availability)
        channels = tuple(self._boiler.channels.values())
        self.described(channels, ())
        self.channels_changed([*filter(has_told, channels)])
        for setting in self._boiler.settings.values():
            self.setting_changed(setting)
        self._compounds.show_all()
        self.counters_changed(self._boiler.counters)

    # What the model calls its observers with.

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """Announce them; what is there no more is forgotten when nothing reads it."""
        self._channels.forget(gone)
        if self._home_assistant.discovery == "off":
            self._forget_gone()
        self._announcer.soon()

    def equipment_changed(self, proven: Proven) -> None:
        """Announce what turned out to exist."""
        self._compounds.show_all()
        self._announcer.soon()

    def channels_changed(self, channels: Sequence[Channel]) -> None:
        """Publish what channels show: a state at once, a measurement in its turn."""
        self._channels.changed(channels)
        self._compounds.channels_changed(channels)
        self._announcer.heard()

    def setting_changed(self, setting: Setting) -> None:
        """Publish how a parameter is set, where it can be set."""
        self._texts.show_setting(setting)
        self._compounds.setting_changed(setting)
        self._announcer.soon()

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """Publish the active faults; a new one is an event, too."""
        # Before telemetry came, that nothing is known of a fault means nothing.
        if self._telemetry_came:
            self._faults.show(faults)

    def counters_changed(self, counters: Counters) -> None:
        """Publish the energy; consumption and stock are channels."""
        for object_, kwh in counters.energies.items():
            topic = self._topics.state(object_)
            self._states.show(topic, f"{kwh:.2f}", self._config.telemetry.interval)

    def availability_changed(self, availability: Availability) -> None:
        """Publish what can be reached."""
        self._availability.show(availability)
        self._show_info()
        if availability.telemetry and not self._telemetry_came:
            self._telemetry_came = True
            self.faults_changed(self._boiler.faults)

    def understanding_changed(self, understanding: Understanding) -> None:
        """Publish how it is known what the boiler's lines mean."""
        self._show_dates()

    def identity_changed(self, identity: Identity) -> None:
        """Publish who the boiler and the gateway are; what its codes mean depends on it."""
        self._show_info()
        self._texts.show_all()
        self._announcer.soon()

    # What comes from the broker.

    def _born(self, _topic: str, payload: str) -> None:
        if payload == "online":
            self._answer_birth.start()

    def _publish_again(self) -> None:
        self._announcer.again()
        self._states.repeat_all()

    # The rest.

    def _reveal(self) -> None:
        """Home Assistant knows what is announced: show everything to it."""
        self._texts.announced(self._retained.known.components)
        self._availability.reveal()

    def _show_dates(self) -> None:
        self._show_info()
        self._bridge.show()

    def _show_info(self) -> None:
        """Publish who the boiler is, unless entities still read more of it than there is now."""
        objects = map(self._topics.object_of, self._retained.known.states)
        if not any(each.startswith(self._absent) for each in objects):
            info = boiler_info(self._boiler, self._clock, self._absent)
            self._states.show(self._topics.info, compact(info))

    def _note_retained(self, topic: str) -> None:
        known = self._retained.known
        if topic not in known.states:
            known.states.append(topic)
            self._retained.changed()

    def _forget_gone(self) -> None:
        """Forget the states of channels that are there no more, of this life and earlier ones."""
        channels = self._boiler.channels.values()
        if not channels:
            return
        own = own_objects(with_energies=self._config.energy.enabled)
        objects = own.union(self._compounds.objects, map(channel_object, channels))
        for topic in tuple(self._retained.known.states):
            if self._is_gone(self._topics.object_of(topic), objects):
                self._forget(topic)
        self._show_info()

    def _is_gone(self, object_: str, objects: Container[str]) -> bool:
        """Whether nothing has this identifier any more."""
        # A parameter comes in a session only: that it is not known now means nothing.
        may_be_there = object_ in objects or object_.startswith("par_")
        return object_.startswith(self._absent) or not may_be_there

    def _forget(self, topic: str) -> None:
        self._states.forget(topic)
        self._retained.known.states.remove(topic)
        self._retained.changed()

    def _take_back_other_base(self) -> None:
        """Clear what an earlier life left under another prefix or node."""
        known = self._retained.known
        if known.base == self._topics.base:
            return
        # First what reads the states, or it would complain that they are gone.
        self._announcer.withdraw()
        for topic in tuple(known.states):
            self._forget(topic)
        if known.base:
            self._broker.clear(Topics(known.base).status)
        known.base = self._topics.base
        self._retained.changed()
