"""Tells ``twist`` and ``twistd`` of the bridge."""

from twisted.application.service import ServiceMaker

hargassner = ServiceMaker(
    "hargassner",
    "hargassner.tap",
    "A transparent bridge between a Hargassner boiler and the maker's Internet gateway.",
    "hargassner",
)
