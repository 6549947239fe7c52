"""The boiler in the home: its states at the broker, its entities in Home Assistant, commands."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall

from hargassner.boiler.model import (
    FAULT_NUMBER,
    Availability,
    Boiler,
    BoilerObserver,
    Channel,
    Counters,
    Fault,
    Identity,
    Setting,
)
from hargassner.catalogue import AnalogEntry, Text
from hargassner.clock import IClock
from hargassner.config import Config
from hargassner.control.queue import IControl
from hargassner.homeassistant.announcer import Announcer
from hargassner.homeassistant.commands import Commands
from hargassner.homeassistant.entities import compact
from hargassner.homeassistant.own_entities import NEW_FAULT
from hargassner.homeassistant.page_address import status_page
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.homeassistant.states import UNKNOWN, States
from hargassner.homeassistant.topics import OWN_OBJECTS, Topics, channel_object
from hargassner.mqtt.interfaces import IBroker
from hargassner.storage.directory import StateDirectory

LONGEST_STATE = 255
"""Characters; Home Assistant takes no longer states."""

BIRTH_DELAY = 1.0
"""Seconds from Home Assistant's birth message to the answer, so that many are answered once."""

DATES_EVERY = 60.0
"""Seconds between two looks whether a date that was published is still right."""

_NO_FAULT = Text("no fault", "keine Störung", "aucun défaut")


class HomeView(Service, BoilerObserver):
    """Shows the boiler over MQTT, and takes commands from there.

    To be a child of the same service as the link to the broker, and added after it: services stop
    in reverse order, and its last words are for the link to say.

    Args:
        boiler: the model.
        config: the configuration.
        broker: the link to the broker.
        control: changes settings.
        clock: time.
        directory: the state directory; what is left at the broker is remembered there.
        in_thread: runs what blocks off the reactor's thread.
        hostname: this machine's name in the home network.
    """

    name = "home"

    def __init__(
        self,
        boiler: Boiler,
        config: Config,
        broker: IBroker,
        control: IControl,
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
        self._memory = RetainedSnapshot(directory, clock, in_thread)
        self._states = States(broker, clock, config.telemetry.interval, self._remember)
        self._announcer = Announcer(
            boiler,
            config,
            broker,
            clock,
            self._memory,
            status_page(config.web.listen, hostname),
            self._states.repeat,
        )
        self._commands = Commands(
            self._topics, broker, control, config.control.parameters, self._states.repeat
        )
        self._telemetry_came = False
        self._birth: IDelayedCall | None = None
        self._stop_observing: Callable[[], None] = lambda: None
        self._dating = LoopingCall(self._show_info)
        self._dating.clock = clock

    def startService(self) -> None:
        """Recall, which blocks for a moment, and show what is known."""
        super().startService()  # type: ignore[no-untyped-call]
        self._memory.recall()
        self._take_back_other_base()
        self._stop_observing = self._boiler.observe(self)
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
        self._dating.start(DATES_EVERY, now=False)
        self._announcer.start()
        self._commands.listen()
        if self._home_assistant.discovery != "off":
            self._broker.subscribe(f"{self._home_assistant.prefix}/status", self._born)

    def stopService(self) -> "Deferred[Any]":
        """Say what waits, and that nothing is to be had any more; remember what was left."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._stop_observing()
        if self._dating.running:
            self._dating.stop()
        if self._birth is not None:
            self._birth.cancel()
            self._birth = None
        self._announcer.stop()
        self._commands.stop()
        self._states.stop()
        for topic in (self._topics.session, self._topics.telemetry):
            self._states.show(topic, "offline", at_once=True)
        return self._memory.close()

    # What the model tells.

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """Forget what is there no more, of this life and of earlier ones."""
        objects = {channel_object(channel) for channel in channels} | OWN_OBJECTS
        for topic in tuple(self._memory.known.states):
            object_ = self._topics.object_of(topic)
            # A parameter is told in a session only: that it is not known now means nothing.
            if object_ not in objects and not object_.startswith("par_"):
                self._forget(topic)
        self._announcer.soon()

    def channel_changed(self, channel: Channel) -> None:
        """Publish what a channel shows: a state at once, a measurement in its turn."""
        known = channel.connected and channel.value is not None and channel.text is not None
        payload = channel.text if known else None
        self._states.show(
            self._topics.channel(channel),
            UNKNOWN if payload is None else payload,
            at_once=channel.kind == "digital" or _is_state(channel.entry),
        )
        self._announcer.heard(channel)

    def setting_changed(self, setting: Setting) -> None:
        """Publish how a parameter is set."""
        topic = self._topics.state(setting.object)
        self._states.show(topic, setting.text[:LONGEST_STATE] or UNKNOWN, at_once=True)
        self._announcer.soon()

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """Publish what the boiler complains of; a new fault is an event, too."""
        if not self._telemetry_came:
            # Until then, that nothing is known of a fault means nothing.
            return
        lines = [_line(fault, self._language) for fault in faults]
        text = "; ".join(lines) or _NO_FAULT.to(self._language)
        self._states.show(self._topics.state("fault"), "ON" if faults else "OFF", at_once=True)
        self._states.show(self._topics.state("fault_text"), text[:LONGEST_STATE], at_once=True)
        before = self._memory.known.faults
        now = [[fault.number, fault.text.en] for fault in faults]
        for fault, key in zip(faults, now, strict=True):
            if key not in before:
                event = {
                    "event_type": NEW_FAULT,
                    "number": fault.number,
                    "text": fault.text.to(self._language),
                }
                topic = self._topics.state("fault_event")
                self._broker.publish(topic, compact(event), retain=False)
        if now != before:
            self._memory.known.faults = now
            self._memory.changed()

    def counters_changed(self, counters: Counters) -> None:
        """Publish the heat made; consumption and stock are channels."""
        if counters.energy is not None:
            self._states.show(self._topics.state("heat"), f"{counters.energy:.2f}", at_once=False)

    def availability_changed(self, availability: Availability) -> None:
        """Publish what can be reached."""
        online = {
            self._topics.session: availability.session is not None,
            self._topics.telemetry: availability.telemetry,
        }
        for topic, is_online in online.items():
            self._states.show(topic, "online" if is_online else "offline", at_once=True)
        self._show_info()
        if availability.telemetry and not self._telemetry_came:
            self._telemetry_came = True
            self.faults_changed(self._boiler.faults)

    def identity_changed(self, identity: Identity) -> None:
        """Publish who the boiler and the gateway are."""
        self._show_info()
        self._announcer.soon()

    # What the broker tells.

    def _born(self, _topic: str, payload: str) -> None:
        if payload == "online" and self._birth is None:
            self._birth = self._clock.callLater(BIRTH_DELAY, self._say_again)

    def _say_again(self) -> None:
        self._birth = None
        self._announcer.again()
        self._states.repeat_all()

    # The rest.

    def _show_info(self) -> None:
        who = self._boiler.identity
        session = self._boiler.availability.session
        start = session and datetime.fromtimestamp(self._clock.date(session.opened), UTC).isoformat(
            timespec="seconds"
        )
        info = {key: value or None for key, value in asdict(who).items()}
        self._states.show(
            self._topics.info, compact({**info, "session_start": start}), at_once=True
        )

    def _remember(self, topic: str) -> None:
        known = self._memory.known
        if topic not in known.states:
            known.states.append(topic)
            self._memory.changed()

    def _forget(self, topic: str) -> None:
        self._states.forget(topic)
        self._memory.known.states.remove(topic)
        self._memory.changed()

    def _take_back_other_base(self) -> None:
        """Clear what an earlier life left under another prefix or node."""
        known = self._memory.known
        if known.base == self._topics.base:
            return
        for topic in tuple(known.states):
            self._forget(topic)
        if known.base:
            self._broker.clear(Topics(known.base).status)
        known.base = self._topics.base
        # They name topics that are no more.
        known.components = {}
        self._memory.changed()


def _is_state(entry: object) -> bool:
    """Whether what a channel shows is one of several states, or a fault's number."""
    return isinstance(entry, AnalogEntry) and (bool(entry.states) or entry.name == FAULT_NUMBER)


def _line(fault: Fault, language: str) -> str:
    text = fault.text.to(language)
    return text if fault.number is None else f"{fault.number}: {text}"
