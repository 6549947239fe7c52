"""The known layouts, as descriptors and what they promise."""

from functools import cache

from hargassner.catalogue.layouts import LayoutEntry, layout_entries
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import descriptor_of
from hargassner.monitor.hidden import Terms


class Layout:
    """One known layout.

    ``name`` is such as "V14.0n", ``published`` says who published it. ``bits`` has for each
    digital word the bits that are described.
    """

    def __init__(self, entry: LayoutEntry) -> None:
        self.name = entry.name
        self.published = entry.source
        self.descriptor: Descriptor = descriptor_of(entry.analog, entry.digital)
        self.terms = Terms(self.descriptor)
        self.bits = [0] * self.descriptor.words
        for bit in self.descriptor.digital:
            self.bits[bit.word] |= 1 << bit.bit


@cache
def known_layouts() -> tuple[Layout, ...]:
    """Every known layout, made once, when it is needed."""
    return tuple(map(Layout, layout_entries()))
