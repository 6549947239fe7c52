"""The thermostats and water heaters of a boiler, and how they are announced."""

from collections.abc import Iterator, Mapping, Set

from hargassner.boiler.model import Boiler
from hargassner.boiler.settable import Settable
from hargassner.homeassistant.compound import Compound, Recipe
from hargassner.homeassistant.entities import WITH_SESSION, Called, Entity
from hargassner.homeassistant.thermostats import thermostats
from hargassner.homeassistant.topics import Topics
from hargassner.homeassistant.water import water_heaters


class Compounds:
    """Those that a boiler has.

    ``recipes`` has what is needed for each that it could have, by the identifiers.

    Args:
        boiler: the model.
        settable: decides what may be set.
    """

    def __init__(self, boiler: Boiler, settable: Settable) -> None:
        self._boiler = boiler
        self._settable = settable
        recipes = (*thermostats(boiler.catalogue), *water_heaters(boiler.catalogue))
        self.recipes: Mapping[str, Recipe] = {each.object: each for each in recipes}

    @property
    def objects(self) -> frozenset[str]:
        """The identifiers of those that there are, or may be when parameters are told."""
        return frozenset(
            each.object
            for each in self.recipes.values()
            if each.may_come(self._boiler, self._settable)
        )

    @property
    def replaced(self) -> frozenset[str]:
        """The ids of the parameters whose own entities are not needed."""
        return frozenset().union(*(recipe.replaced for recipe, _ in self._known()))

    def awaited(self, told: Set[str]) -> frozenset[str]:
        """The identifiers of those whose parameters are not known yet.

        Args:
            told: the ids of the parameters that are.
        """
        return frozenset(each for each in self.objects if not self.recipes[each].needed <= told)

    def made(self, object_: str) -> Iterator[Compound]:
        """The one with this identifier, if there is one, and everything is known that it needs."""
        recipe = self.recipes.get(object_)
        return recipe.made(self._boiler, self._settable) if recipe else iter(())

    def entities(self, topics: Topics) -> Iterator[Entity]:
        """An entity for each of which everything is known."""
        for recipe, compound in self._known():
            own = {name: topics.part(recipe.object, at) for name, at in compound.topics.items()}
            yield Entity(
                platform=recipe.platform,
                object=recipe.object,
                # The device of a circuit or a tank is called as its entity.
                called=Called(recipe.group, "", recipe.group, recipe.group),
                available_with=WITH_SESSION,
                properties={**own, **compound.properties},
            )

    def _known(self) -> Iterator[tuple[Recipe, Compound]]:
        """Those of which everything is known, each with what it is made by."""
        for recipe in self.recipes.values():
            for compound in recipe.made(self._boiler, self._settable):
                yield recipe, compound
