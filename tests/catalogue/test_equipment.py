"""What a boiler may have, as tables: groups, and what belongs to each."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.catalogue import BOILER, Catalogue, Proof
from hargassner.dialogue.identifiers import object_id

CATALOGUE = Catalogue.load()
EQUIPMENT = CATALOGUE.equipment


class EquipmentTests(SynchronousTestCase):
    """The tables agree with each other."""

    def test_every_channel_that_is_placed_is_known(self) -> None:
        known = {*CATALOGUE.analog_entries, *CATALOGUE.digital_entries}
        # Not every firmware has every number: of each pattern some are known.
        patterns: dict[tuple[str, str], bool] = {}
        for name, place in EQUIPMENT.channels.items():
            if name:
                key = place.group.rsplit("_", 1)[0], place.part
                patterns[key] = patterns.get(key, False) or name in known
        self.assertEqual([], [key for key, is_known in patterns.items() if not is_known])

    def test_every_group_can_prove_itself(self) -> None:
        """By a channel, or by that of a part of it."""
        proving = {
            place.group for place in EQUIPMENT.channels.values() if place.proof is not Proof.NONE
        }
        self.assertEqual(set(EQUIPMENT.groups), proving)

    def test_what_has_a_device_of_its_own_has_a_name_there(self) -> None:
        for place in EQUIPMENT.channels.values():
            if EQUIPMENT.device(place.group) != BOILER:
                self.assertEqual(object_id(place.part), place.part)
                for words in (place.text.en, place.text.de, place.text.fr):
                    self.assertTrue(words, place)

    def test_every_device_is_a_group_of_its_own_or_the_boiler(self) -> None:
        for group in EQUIPMENT.groups.values():
            self.assertIn(group.device, {*EQUIPMENT.groups, BOILER})

    def test_parameters_belong_to_groups_that_there_are(self) -> None:
        groups = {each.place.group for each in CATALOGUE.parameters.values()} - {""}
        self.assertLessEqual(groups, set(EQUIPMENT.groups))

    def test_what_is_safe_to_set_is_no_installers_setting(self) -> None:
        """Modes, charging, room and hot water temperatures, and nothing else."""
        safe = {each.id: each.place.part for each in CATALOGUE.parameters.values() if each.is_safe}
        self.assertEqual("", safe.pop("PR001"))
        self.assertEqual(
            {"mode", "charge", "day_temperature", "setback_temperature", "hot_water_temperature"},
            set(safe.values()),
        )

    def test_options_have_words(self) -> None:
        for entry in CATALOGUE.parameters.values():
            if entry.options:
                self.assertTrue(CATALOGUE.options(entry.id), entry.id)
