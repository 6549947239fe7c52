"""What ``/metrics`` tells Prometheus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from operator import attrgetter

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

import hargassner
from hargassner.control.queue import ControlCounters
from hargassner.mqtt.interfaces import LinkState
from hargassner.parts import Parts
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.forwarding import ForwardFactory
from hargassner.web.connections import Fault
from hargassner.web.stream import Live
from hargassner.web.timing import Histogram, Timing
from hargassner.web.understood import fit_of


class BridgeCollector(Collector):
    """Reads the figures off the bridge when they are asked for.

    Args:
        parts: what they are of.
        live: open pages.
        refusals: how often the page refused what.
    """

    def __init__(self, parts: Parts, live: Live, refusals: Mapping[Fault, int]) -> None:
        self._parts = parts
        self._boiler = parts.boiler
        self._live = live
        self._refusals = refusals

    def collect(self) -> Iterable[Metric]:
        """Every figure now."""
        parts, gateway = self._parts, self._parts.gateway
        if gateway is not None:
            yield from self._passing(gateway.proxy)
            yield _outcomes(gateway.control.counters)
            yield from forwarded(gateway.forwards)
        yield CounterMetricFamily(
            "hargassner_unreadable", "Lines that could not be read.", parts.interpreter.unreadable
        )
        yield from self._links()
        yield from _timings(parts.timing)
        yield InfoMetricFamily(
            "hargassner_build", "What runs.", {"version": hargassner.__version__}
        )
        yield _refused(self._refusals)
        yield self._faults()
        yield self._channels()

    def _passing(self, proxy: ProxyFactory) -> Iterable[Metric]:
        counters = proxy.counters
        sessions = tuple(proxy.sessions.values())
        yield CounterMetricFamily(
            "hargassner_sessions", "Sessions begun; a gateway's reconnects too.", counters.sessions
        )
        yield GaugeMetricFamily("hargassner_sessions_open", "Sessions open now.", len(sessions))
        size = CounterMetricFamily("hargassner_bytes", "Bytes passed.", labels=["from"])
        from_gateway = sum(map(attrgetter("bytes_from_gateway"), sessions))
        from_boiler = sum(map(attrgetter("bytes_from_boiler"), sessions))
        size.add_metric(["gateway"], counters.bytes_from_gateway + from_gateway)
        size.add_metric(["boiler"], counters.bytes_from_boiler + from_boiler)
        yield size
        lines = CounterMetricFamily("hargassner_lines", "Lines passed.", labels=["from"])
        lines.add_metric(["gateway"], self._parts.timing.lines_from_gateway)
        lines.add_metric(["boiler"], self._parts.timing.lines_from_boiler)
        yield lines
        yield CounterMetricFamily(
            "hargassner_refused_connections", "Clients that may not connect.", counters.refused
        )
        yield CounterMetricFamily(
            "hargassner_boiler_unreachable",
            "Sessions that found no boiler.",
            counters.unreachable,
        )
        yield GaugeMetricFamily(
            "hargassner_session_logged_in",
            "1 while a gateway is logged in.",
            self._boiler.availability.session is not None,
        )

    def _links(self) -> Iterable[Metric]:
        availability = self._boiler.availability
        yield CounterMetricFamily(
            "hargassner_direct_connections",
            "Telemetry connections of the bridge's own, reconnects too.",
            self._parts.direct.connections,
        )
        yield GaugeMetricFamily(
            "hargassner_telemetry_online", "1 while telemetry arrives.", availability.telemetry
        )
        yield from self._understanding()
        yield GaugeMetricFamily("hargassner_pages_open", "Pages open.", self._live.readers)
        status = self._parts.broker_status
        if status is not None:
            yield GaugeMetricFamily(
                "hargassner_broker_online",
                "1 while the broker is connected.",
                status.state is LinkState.ONLINE,
            )
            yield CounterMetricFamily(
                "hargassner_broker_connections",
                "Connections to the broker, reconnects too.",
                status.connections,
            )

    def _understanding(self) -> Iterable[Metric]:
        known = self._boiler.understanding
        understood = GaugeMetricFamily(
            "hargassner_telemetry_understood",
            "1 if it is known what the values mean; the source is boiler, remembered, file,"
            " recognised or unknown.",
            labels=["source", "layout"],
        )
        understood.add_metric([str(known.origin.source), known.origin.layout], known.understood)
        yield understood
        yield GaugeMetricFamily(
            "hargassner_unknown_channels",
            "Analog channels that cannot be told, since lines have hidden values.",
            fit_of(known).unknown,
        )

    def _faults(self) -> Metric:
        faults = GaugeMetricFamily(
            "hargassner_fault",
            "1 for each fault that the boiler reports now.",
            labels=["number", "text"],
        )
        for fault in self._boiler.faults:
            faults.add_metric([str(fault.number or ""), fault.text.en], 1)
        return faults

    def _channels(self) -> Metric:
        values = GaugeMetricFamily(
            "hargassner_channel",
            "What the boiler's connected channels show.",
            labels=["object", "name", "unit", "role"],
        )
        if self._boiler.availability.telemetry:
            for channel in self._boiler.channels.values():
                if channel.value is not None and channel.connected:
                    labels = [channel.object, channel.name, channel.unit, channel.role]
                    values.add_metric(labels, float(channel.value))
        return values


def _timings(timing: Timing) -> Iterable[Metric]:
    yield _histogram(
        "hargassner_turn_seconds",
        "How long the reactor is busy at a time with what has passed in a session (sampled).",
        timing.turn,
    )
    yield _histogram(
        "hargassner_reactor_lateness_seconds",
        "How late a timer of the reactor's was served.",
        timing.lateness,
    )


def _outcomes(counters: ControlCounters) -> Metric:
    outcomes = CounterMetricFamily(
        "hargassner_commands", "Commands by outcome.", labels=["outcome"]
    )
    for each in fields(counters):
        outcomes.add_metric([each.name], getattr(counters, each.name))
    return outcomes


def _histogram(name: str, documentation: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(
        name, documentation, buckets=histogram.buckets, sum_value=histogram.sum
    )


def _refused(refusals: Mapping[Fault, int]) -> Metric:
    metric = CounterMetricFamily(
        "hargassner_web_refused",
        "Requests and connections to the page that were refused, by what was wrong.",
        labels=["reason"],
    )
    for fault, times in refusals.items():
        metric.add_metric([fault.value], times)
    return metric


def forwarded(forwards: Sequence[ForwardFactory]) -> Iterable[Metric]:
    """What passed the ports that are forwarded; nothing where none are."""
    connections = CounterMetricFamily(
        "hargassner_forwarded_connections",
        "Connections to ports that are forwarded, by what became of them.",
        labels=["port", "outcome"],
    )
    size = CounterMetricFamily(
        "hargassner_forwarded_bytes",
        "Bytes that passed forwarded ports.",
        labels=["port", "from"],
    )
    for each in forwards:
        port, counters = str(each.port), each.counters
        connections.add_metric([port, "accepted"], counters.connections)
        connections.add_metric([port, "refused"], counters.refused)
        connections.add_metric([port, "unreachable"], counters.unreachable)
        size.add_metric([port, "client"], counters.bytes_from_client)
        size.add_metric([port, "boiler"], counters.bytes_from_boiler)
    return (connections, size) if forwards else ()


def exposition(collector: Collector) -> Callable[[], bytes]:
    """What tells the figures of a collector and of this process, as Prometheus reads them."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(collector)
    return partial(generate_latest, registry)
