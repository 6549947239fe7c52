"""What the page shows of the model."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.boiler.roles import by_role, charted
from hargassner.dialogue.events import ActiveErrors, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from hargassner.storage.history.consumed import Consumed
from hargassner.web.document import (
    boiler_picture,
    chain_picture,
    channel_picture,
    faults_picture,
    setting_picture,
)
from hargassner.web.pellets import Pellets
from hargassner.web.status import Facts, status_of
from tests.web.cases import show

EPOCH = 1_700_000_000.0
"""The date of moment 0."""


def date(moment: float) -> float:
    """The date of a moment."""
    return EPOCH + moment


class BoilerPictureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.boiler = Boiler()

    def picture(self, language: str = "en", consumed: Consumed | None = None) -> Any:
        return boiler_picture(self.boiler, Pellets(consumed), language, date)

    def test_nothing_is_known_of_a_boiler_that_has_said_nothing(self) -> None:
        picture = self.picture()
        self.assertIs(picture["current"], False)
        self.assertIsNone(picture["state"])
        self.assertIsNone(picture["buffer"])
        self.assertEqual(([], [], []), (picture["tiles"], picture["water"], picture["circuits"]))
        self.assertEqual(
            {"stock": None, "today": None, "since": None, "lasts": None}, picture["pellets"]
        )

    def test_the_state_is_in_words_of_the_language(self) -> None:
        show(self.boiler, {"ZK": ("7", "")}, at=1234.0)
        self.assertEqual(
            self.picture()["state"], {"text": "full combustion", "since": date(1234.0)}
        )
        self.assertEqual("Leistungsbrand", self.picture("de")["state"]["text"])

    def test_a_state_that_the_catalogue_lacks_is_shown_as_its_code(self) -> None:
        show(self.boiler, {"ZK": ("99", "")})
        self.assertEqual("99", self.picture()["state"]["text"])

    def test_tiles_are_there_for_what_the_boiler_has_in_its_own_precision(self) -> None:
        show(self.boiler, {"TRG": ("144.10", "°C"), "Leistung": ("100", "%")})
        self.assertEqual(
            [
                {"role": "output", "label": "Leistung", "value": {"text": "100", "unit": "%"}},
                {"role": "flue", "label": "Rauchgas", "value": {"text": "144.10", "unit": "°C"}},
            ],
            self.picture("de")["tiles"],
        )

    def test_an_unconnected_sensor_is_not_there(self) -> None:
        show(self.boiler, {"Taus": ("-20.0", "°C"), "TPm": ("-20.0", "°C"), "TPo": ("52", "°C")})
        picture = self.picture()
        self.assertEqual([], picture["tiles"])
        self.assertIsNone(picture["buffer"]["middle"])

    def test_the_averaged_outdoor_temperature_stands_in_for_the_other(self) -> None:
        show(self.boiler, {"Taus": ("-20.0", "°C"), "TA Gem.": ("3.5", "°C")})
        self.assertEqual("3.5", self.picture()["tiles"][0]["value"]["text"])

    def test_a_buffer_has_three_temperatures_a_fill_level_and_a_state(self) -> None:
        show(
            self.boiler,
            {
                "TPo": ("61.0", "°C"),
                "TPm": ("50.0", "°C"),
                "TPu": ("41.0", "°C"),
                "Puff Füllgrad": ("42", "%"),
                "PuffZustand": ("0", ""),
            },
        )
        buffer = self.picture()["buffer"]
        texts = [buffer[each]["text"] for each in ("top", "middle", "bottom", "fill")]
        self.assertEqual(["61.0", "50.0", "41.0", "42"], texts)
        self.assertTrue(buffer["state"]["text"].isalpha())

    def test_other_firmwares_name_the_fill_level_otherwise(self) -> None:
        for name in ("Puff Fuellgrad", "Pufferfüllgrad", "PufLad"):
            boiler = Boiler()
            show(boiler, {"TPo": ("61.0", "°C"), name: ("42", "%")})
            picture: Any = boiler_picture(boiler, Pellets(), "en", date)
            self.assertEqual({"text": "42", "unit": "%"}, picture["buffer"]["fill"], name)

    def test_circuits_and_tanks_are_there_where_they_are_connected(self) -> None:
        show(
            self.boiler,
            {
                "TVL_1": ("39.0", "°C"),
                "TVLs_1": ("40", "°C"),
                "TRA_1": ("20.1", "°C"),
                "HKZustand_1": ("0", ""),
                "TVL_2": ("-20.0", "°C"),
                "HKZustand_2": ("0", ""),
                "TB1": ("48.9", "°C"),
                "TBs_1": ("58", "°C"),
                "TB2": ("120.0", "°C"),
            },
            "HKP1",
        )
        picture = self.picture("de")
        [circuit] = picture["circuits"]
        self.assertEqual("Heizkreis 1", circuit["name"])
        self.assertEqual("39.0", circuit["value"]["text"])
        self.assertEqual("40", circuit["target"]["text"])
        self.assertEqual("20.1", circuit["room"]["text"])
        self.assertIs(circuit["pump"], True)
        [tank] = picture["water"]
        self.assertEqual(("Boiler 1", "48.9"), (tank["name"], tank["value"]["text"]))
        self.assertEqual("58", tank["target"]["text"])
        self.assertIs(tank["pump"], False)

    def test_a_circuit_without_a_flow_sensor_is_there_when_it_is_not_off(self) -> None:
        show(self.boiler, {"TVL_A": ("-20.0", "°C"), "HKZustand_A": ("1", "")})
        [circuit] = self.picture()["circuits"]
        self.assertEqual("Circuit A", circuit["name"])
        self.assertIsNone(circuit["value"])

    def test_pellets_are_in_store_and_burnt(self) -> None:
        show(self.boiler, {"Lagerstand": ("3067", "kg")})
        consumed = Consumed("2026-11-25", before=100.0, last=112.5, since=None)
        self.assertEqual(
            {"stock": 3067.0, "today": 12.5, "since": None, "lasts": None},
            self.picture(consumed=consumed)["pellets"],
        )

    def test_charts_are_there_for_what_is_connected(self) -> None:
        show(self.boiler, {"TK": ("65.9", "°C"), "TB1": ("120.0", "°C"), "TPo": ("52", "°C")})
        charts = {
            chart: [each.name for each in channels]
            for chart, channels in charted(by_role(self.boiler)).items()
        }
        self.assertEqual({"boiler": ["TK"], "buffer": ["TPo"]}, charts)


class DetailTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.boiler = Boiler()

    def test_a_channel_has_its_names_its_text_and_since_when(self) -> None:
        show(self.boiler, {"TK": ("65.90", "°C")}, at=77.0)
        channel = self.boiler.channels["tk"]
        self.assertEqual(
            channel_picture(self.boiler, channel, "fr", date),
            {
                "kind": "analog",
                "rank": 0,
                "name": "TK",
                "label": "température chaudière",
                "value": "65.90",
                "unit": "°C",
                "meaning": None,
                "since": date(77.0),
                "connected": True,
            },
        )

    def test_a_channel_that_nobody_knows_is_called_as_the_boiler_calls_it(self) -> None:
        show(self.boiler, {"<b>": ("1", "")})
        [channel] = self.boiler.channels.values()
        picture: Any = channel_picture(self.boiler, channel, "en", date)
        self.assertEqual(("<b>", "<b>"), (picture["label"], picture["name"]))

    def test_a_setting_has_the_boilers_text_and_unit(self) -> None:
        line = "4;3;19.500;14.000;26.000;0.500;°C;20.000;0;0;0;Zone 1 jour;"
        self.boiler.apply(ParameterSeen(parse_parameter(line)), 88.0)
        self.assertEqual(
            setting_picture(self.boiler.settings["4"], "en", date),
            {
                "kind": "setting",
                "name": "4",
                "label": "Zone 1 jour",
                "value": "19.500",
                "unit": "°C",
                "since": date(88.0),
            },
        )

    def test_faults_have_their_text_in_the_language(self) -> None:
        self.boiler.apply(ActiveErrors(("0006 something",)), 99.0)
        faults: Any = faults_picture(self.boiler, "de", date)
        [fault] = faults
        self.assertEqual((fault["number"], fault["since"]), (6, date(99.0)))
        self.assertEqual(fault["text"], self.boiler.catalogue.fault(6).de)

    def test_the_chain_is_in_words_with_advice_where_it_is_broken(self) -> None:
        status = status_of(Facts(now=500.0, started=0.0, gateway_interface="eth0"))
        chain: Any = chain_picture(status, "de", date)
        gateway = chain["gateway"]
        self.assertEqual(("Nicht zu hören", "broken"), (gateway["text"], gateway["level"]))
        self.assertIn("eth0", gateway["advice"])
        self.assertEqual("", chain["bridge"]["advice"])
