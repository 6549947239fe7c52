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
        safe = [each for each in catalogue.parameters.values() if each.is_safe]
        self._safe = {each.id: each for each in safe if AUTO in configured}
        self._installation = installation
        self._by_folded = {each.casefold(): each for each in (*self._safe, *self.named)}
        self._by_object = {parameter_object(each): each for each in self._by_folded.values()}

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all that may be set now."""
        return tuple(each for each in self._by_folded.values() if self.allows(each))

    def allows(self, id_: str) -> bool:
        """Whether the parameter with this id may be set now."""
        return id_ in self.named or self._is_safe(self._safe.get(id_))

    def spelled(self, id_: str) -> str:
        """An id as the boiler writes it, whatever the case of its letters."""
        return self._by_folded.get(id_.casefold(), id_)

    def of_object(self, object_: str) -> str:
        """The id of the parameter with this identifier, empty if it may not be set."""
        id_ = self._by_object.get(object_, "")
        return id_ if self.allows(id_) else ""

    def _is_safe(self, entry: ParameterEntry | None) -> bool:
        return entry is not None and self._installation.has(entry.place.group)
