"""Which parameters may be set: those that the owner names, and those that are safe."""

from collections.abc import Iterable

from hargassner.boiler.equipment import Installation
from hargassner.catalogue import Catalogue, ParameterEntry
from hargassner.dialogue.identifiers import parameter_object

AUTO = "auto"
"""Among the ids: whatever is safe to set and belongs to something that exists."""


class Settable:
    """Decides whether a parameter may be set.

    ``named`` are the ids that the owner has named.

    Args:
        parameters: what the configuration names: ids, and ``AUTO``.
        catalogue: knows which parameters are safe.
        installation: knows what exists.
    """

    def __init__(
        self, parameters: Iterable[str], catalogue: Catalogue, installation: Installation
    ) -> None:
        configured = tuple(parameters)
        self.named = tuple(each for each in configured if each != AUTO)
        self._safe = _safe(catalogue) if AUTO in configured else {}
        self._installation = installation
        ids = (*self._safe, *self.named)
        self._by_folded = dict(zip(map(str.casefold, ids), ids, strict=True))
        self._by_object = dict(zip(map(parameter_object, ids), ids, strict=True))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all that may be set now."""
        return tuple(filter(self.allows, self._by_folded.values()))

    def allows(self, id_: str) -> bool:
        """Whether the parameter with this id may be set now."""
        return id_ in self.named or (id_ in self._safe and self._exists(self._safe[id_]))

    def spelled(self, id_: str) -> str:
        """An id as the boiler writes it, whatever the case of its letters."""
        return self._by_folded.get(id_.casefold(), id_)

    def of_object(self, object_: str) -> str:
        """The id of the parameter with this identifier, empty if it may not be set."""
        id_ = self._by_object.get(object_, "")
        return id_ if self.allows(id_) else ""

    def _exists(self, entry: ParameterEntry) -> bool:
        return self._installation.has(entry.place.group)


def _safe(catalogue: Catalogue) -> dict[str, ParameterEntry]:
    """The parameters that can be set without harm, by their ids."""
    return {id_: entry for id_, entry in catalogue.parameters.items() if entry.is_safe}
