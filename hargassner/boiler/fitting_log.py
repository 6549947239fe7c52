"""What the log says of what is understood of the telemetry: each state once."""

from twisted.logger import Logger

from hargassner.dialogue.channels import Descriptor, Fit
from hargassner.dialogue.origin import Origin, Source
from hargassner.observers import Once
from hargassner.terminal import printable

log = Logger()

_MOST_SAID = 16
"""States that are logged of the lines of one descriptor. Lines may alternate for years."""

_MOST_NAMED = 5
"""Channels that are named."""


_ORIGINS = {
    Source.BOILER: "the boiler describes {analog} values and {digital} bits",
    Source.REMEMBERED: "the boiler described {analog} values and {digital} bits, as remembered",
    Source.FILE: "boiler.descriptor describes {analog} values and {digital} bits",
    Source.RECOGNISED: (
        "the telemetry is recognised as {layout} (as published by {published}), with {analog}"
        " values and {digital} bits: please compare with the display"
    ),
}


def say_origin(origin: Origin, descriptor: Descriptor) -> None:
    """Log what the telemetry means from now on."""
    log.info(
        _ORIGINS[origin.source],
        layout=origin.layout,
        published=origin.published,
        analog=len(descriptor.analog),
        digital=len(descriptor.digital),
    )


def say_not_recognised(values: int) -> None:
    """Log that nobody knows what lines mean."""
    log.warn(
        "the telemetry is not recognised: {values} values a line. Give the descriptor from the"
        " boiler's SD card (boiler.descriptor in the configuration), or send a recording",
        values=values,
    )


class FitLog:
    """Says how lines fit, each state of one descriptor once."""

    def __init__(self) -> None:
        self._once = Once(_MOST_SAID)
        self._said = False

    def say(self, fit: Fit) -> None:
        """Log how lines fit now."""
        if fit.plain:
            self._say_well()
        elif self._once.first(fit):
            self._said = True
            for say in (_contradiction, _hidden, _unknown, _unused, _beyond):
                say(fit)

    def _say_well(self) -> None:
        if self._said:
            log.info("telemetry lines fit their descriptor again")
        self._said = False


def _contradiction(fit: Fit) -> None:
    if fit.contradicted:
        log.warn(
            "telemetry lines do not go with their descriptor: {names} cannot show what they show,"
            " so that no value is taken",
            names=printable(", ".join(fit.contradicted[:_MOST_NAMED])),
        )


def _hidden(fit: Fit) -> None:
    if fit.hidden or fit.assumed:
        log.info(
            "telemetry lines have {got} values, their descriptor has {expected}: hidden are places"
            " {hidden}; assumed to be hidden, please compare with the display: {assumed}",
            got=fit.got,
            expected=fit.expected,
            hidden=_listed(fit.hidden),
            assumed=_listed(fit.assumed),
        )


def _unknown(fit: Fit) -> None:
    if fit.unknown and not fit.contradicted:
        log.warn(
            "telemetry lines have {got} values, their descriptor has {expected}: {unknown} channels"
            " cannot be told, see telemetry.hidden in the configuration",
            got=fit.got,
            expected=fit.expected,
            unknown=fit.unknown,
        )


def _unused(fit: Fit) -> None:
    if fit.unused:
        why = "the lines fit without" if fit.got == fit.expected else "the lines contradict them"
        log.warn(
            "telemetry.hidden: places {places} are not used: {why}",
            places=_listed(fit.unused),
            why=why,
        )


def _beyond(fit: Fit) -> None:
    if fit.beyond:
        log.warn(
            "telemetry.hidden: places {places} are not used: they are behind the analog values",
            places=_listed(fit.beyond),
        )


def _listed(places: tuple[int, ...]) -> str:
    return ", ".join(map(str, places)) or "none"
