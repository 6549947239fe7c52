"""The boiler in the home: its states at the broker, its entities in Home Assistant, commands."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from hargassner.boiler.model import (
    Availability,
    Boiler,
    BoilerObserver,
    Channel,
    Counters,
    Fault,
    Identity,
    Setting,
)
from hargassner.catalogue import AnalogEntry
from hargassner.clock import IClock
from hargassner.config import Config
from hargassner.control.queue import IControl
from hargassner.delayed import Delayed
from hargassner.homeassistant.announcer import Announcer
from hargassner.homeassistant.commands import Commands
from hargassner.homeassistant.entities import compact
from hargassner.homeassistant.faults import FaultStates
from hargassner.homeassistant.page_address import status_page
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.homeassistant.states import LONGEST_STATE, UNKNOWN, States
from hargassner.homeassistant.topics import OWN_OBJECTS, Topics, channel_object
from hargassner.mqtt.interfaces import IBroker
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory

BIRTH_DELAY = 1.0
"""Seconds from Home Assistant's birth message to the answer, so that many are answered once."""

DATES_EVERY = 60.0
"""Seconds between two looks whether a date that was published is still right."""


_OF_GATEWAY = ("gateway", "session", "par_")
"""How the names begin of what there is only with a gateway."""


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
        hostname: this machine's name in the home network.
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
        hostname: str,
    ) -> None:
        self._boiler = boiler
        self._broker = broker
        self._clock = clock
        self._home_assistant = config.homeassistant
        self._language = config.homeassistant.language
        self._topics = Topics.of(config.mqtt)
        self._retained = RetainedSnapshot(directory, clock, in_thread)
        self._states = States(broker, clock, config.telemetry.interval, self._note_retained)
        self._faults = FaultStates(
            self._topics, broker, self._states, self._retained, self._language
        )
        self._announcer = Announcer(
            boiler,
            config,
            broker,
            clock,
            self._retained,
            status_page(config.web.listen, hostname),
            self._states.repeat,
        )
        self._commands = (
            None
            if control is None
            else Commands(
                self._topics, broker, control, config.control.parameters, self._states.repeat
            )
        )
        self._telemetry_came = False
        self._answer_birth = Delayed(clock, BIRTH_DELAY, self._publish_again)
        self._stop_observing: Callable[[], None] = lambda: None
        self._dating = LoopingCall(self._show_info)
        self._dating.clock = clock

    def startService(self) -> None:
        """Read what is retained, which blocks for a moment, and show what is known."""
        super().startService()
        self._retained.load()
        self._take_back_other_base()
        if self._commands is None:
            self._take_back_gateway()
        self._stop_observing = self._boiler.observe(self)
        self._show_all()
        self._dating.start(DATES_EVERY, now=False)
        self._announcer.start()
        if self._commands is not None:
            self._commands.listen()
        if self._home_assistant.discovery != "off":
            self._broker.subscribe(f"{self._home_assistant.prefix}/status", self._born)

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
        self._states.stop()
        for topic in self._availability(self._boiler.availability):
            self._states.show(topic, "offline", at_once=True)
        return self._retained.close()

    def _show_all(self) -> None:
        """Publish what is known of the boiler."""
        self.availability_changed(self._boiler.availability)
        channels = tuple(self._boiler.channels.values())
        if channels:
            self.described(channels, ())
        for channel in channels:
            if channel.text is not None:
                self.channel_changed(channel)
        for setting in self._boiler.settings.values():
            self.setting_changed(setting)
        self.counters_changed(self._boiler.counters)

    # What the model calls its observers with.

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """Forget what is there no more, of this life and of earlier ones."""
        objects = {channel_object(channel) for channel in channels} | OWN_OBJECTS
        for topic in tuple(self._retained.known.states):
            object_ = self._topics.object_of(topic)
            # A parameter comes in a session only: that it is not known now means nothing.
            if object_ not in objects and not object_.startswith("par_"):
                self._forget(topic)
        self._announcer.soon()

    def channel_changed(self, channel: Channel) -> None:
        """Publish what a channel shows: a state at once, a measurement in its turn."""
        self._states.show(
            self._topics.channel(channel),
            _shown(channel),
            at_once=channel.kind == "digital" or _is_state(channel.entry),
        )
        self._announcer.heard(channel)

    def setting_changed(self, setting: Setting) -> None:
        """Publish how a parameter is set, where it can be set."""
        if self._commands is None:
            return
        topic = self._topics.state(setting.object)
        self._states.show(topic, setting.text[:LONGEST_STATE] or UNKNOWN, at_once=True)
        self._announcer.soon()

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """Publish the active faults; a new one is an event, too."""
        # Before telemetry came, that nothing is known of a fault means nothing.
        if self._telemetry_came:
            self._faults.show(faults)

    def counters_changed(self, counters: Counters) -> None:
        """Publish the heat made; consumption and stock are channels."""
        if counters.energy is not None:
            self._states.show(self._topics.state("heat"), f"{counters.energy:.2f}", at_once=False)

    def availability_changed(self, availability: Availability) -> None:
        """Publish what can be reached."""
        for topic, is_online in self._availability(availability).items():
            self._states.show(topic, "online" if is_online else "offline", at_once=True)
        self._show_info()
        if availability.telemetry and not self._telemetry_came:
            self._telemetry_came = True
            self.faults_changed(self._boiler.faults)

    def _availability(self, availability: Availability) -> dict[str, bool]:
        """The topics that tell what can be reached, and whether it can be."""
        online = {self._topics.telemetry: availability.telemetry}
        if self._commands is not None:
            online[self._topics.session] = availability.session is not None
        return online

    def identity_changed(self, identity: Identity) -> None:
        """Publish who the boiler and the gateway are."""
        self._show_info()
        self._announcer.soon()

    # What comes from the broker.

    def _born(self, _topic: str, payload: str) -> None:
        if payload == "online":
            self._answer_birth.start()

    def _publish_again(self) -> None:
        self._announcer.again()
        self._states.repeat_all()

    # The rest.

    def _show_info(self) -> None:
        who = self._boiler.identity
        session = self._boiler.availability.session
        start = session and datetime.fromtimestamp(self._clock.date(session.opened), UTC).isoformat(
            timespec="seconds"
        )
        info = {key: value or None for key, value in asdict(who).items()} | {"session_start": start}
        if self._commands is None:
            info = {key: each for key, each in info.items() if not key.startswith(_OF_GATEWAY)}
        self._states.show(self._topics.info, compact(info), at_once=True)

    def _note_retained(self, topic: str) -> None:
        known = self._retained.known
        if topic not in known.states:
            known.states.append(topic)
            self._retained.changed()

    def _forget(self, topic: str) -> None:
        self._states.forget(topic)
        self._retained.known.states.remove(topic)
        self._retained.changed()

    def _take_back_gateway(self) -> None:
        """Clear what an earlier life with a gateway left."""
        for topic in tuple(self._retained.known.states):
            if self._topics.object_of(topic).startswith(_OF_GATEWAY):
                self._forget(topic)

    def _take_back_other_base(self) -> None:
        """Clear what an earlier life left under another prefix or node."""
        known = self._retained.known
        if known.base == self._topics.base:
            return
        for topic in tuple(known.states):
            self._forget(topic)
        if known.base:
            self._broker.clear(Topics(known.base).status)
        known.base = self._topics.base
        # They name topics that are no more.
        known.components = {}
        self._retained.changed()


def _shown(channel: Channel) -> str:
    """What a channel shows, if that is known."""
    known = channel.connected and channel.value is not None
    return UNKNOWN if not known or channel.text is None else channel.text


def _is_state(entry: object) -> bool:
    """Whether what a channel shows is one of several states, or a fault's number."""
    return isinstance(entry, AnalogEntry) and (bool(entry.states) or entry.role == "fault_number")
