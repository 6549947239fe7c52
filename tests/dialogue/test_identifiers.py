"""What channels and parameters are called in topics."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.identifiers import object_id, object_ids, parameter_object


class ObjectIdTests(SynchronousTestCase):
    """A name becomes an identifier."""

    def test_words_are_lower_case_and_joined(self) -> None:
        """Blanks, dots and slashes all join words by one underscore."""
        self.assertEqual("tk", object_id("TK"))
        self.assertEqual("exthk_solltmp", object_id("ExtHK Solltmp."))
        self.assertEqual("rlp_puffp", object_id("RLP/PuffP"))
        self.assertEqual("einschubschn_bsz", object_id("Einschubschn. BSZ"))

    def test_umlauts_are_written_out(self) -> None:
        """Each German letter becomes its two, in capitals too."""
        self.assertEqual("puff_fuellgrad", object_id("Puff Füllgrad"))
        self.assertEqual("stoerungs_nr", object_id("Störungs Nr"))
        self.assertEqual("aeoeuess", object_id("ÄÖÜß"))

    def test_an_umlaut_in_two_characters_is_the_same(self) -> None:
        """A letter with a combining diaeresis is an umlaut."""
        self.assertEqual("fuellgrad", object_id("Fu\u0308llgrad"))

    def test_other_accents_are_dropped(self) -> None:
        """The letter stays."""
        self.assertEqual("reduire_ca", object_id("Réduire ça"))

    def test_damaged_umlauts_survive(self) -> None:
        """Whatever an umlaut was made into joins the parts of the word."""
        self.assertEqual("st_rungs_nr", object_id("St°rungs Nr"))
        self.assertEqual("f_llgrad", object_id("F\N{REPLACEMENT CHARACTER}llgrad"))
        self.assertEqual("st_rung", object_id("Stˆrung"))
        self.assertEqual("f_llgrad", object_id("F¸llgrad"))

    def test_a_name_without_letters_gives_nothing(self) -> None:
        """Such channels exist."""
        self.assertEqual("", object_id(" "))
        self.assertEqual("", object_id("?"))

    @given(st.text())
    def test_any_text_gives_an_identifier(self, name: str) -> None:
        """Only lower-case ASCII letters, digits and single underscores inside are left."""
        self.assertRegex(object_id(name), re.compile(r"\A(?:[a-z0-9]+(?:_[a-z0-9]+)*)?\Z"))


class ObjectIdsTests(SynchronousTestCase):
    """The names of one descriptor become identifiers, no two alike."""

    def test_repeats_are_numbered_in_order(self) -> None:
        """The first keeps the plain identifier."""
        self.assertEqual(["tk", "o2", "tk_2", "tk_3"], object_ids(["TK", "O2", "TK", "tk"]))

    def test_a_number_that_is_another_ones_name_is_passed_over(self) -> None:
        """A channel really named so keeps its identifier, wherever it stands."""
        self.assertEqual(["x", "x_3", "x_2"], object_ids(["x", "x", "x 2"]))
        self.assertEqual(["x_2", "x", "x_3"], object_ids(["x 2", "x", "x"]))

    def test_names_without_letters_are_channels(self) -> None:
        """They are numbered like any others."""
        self.assertEqual(["channel", "channel_2", "channel_3"], object_ids([" ", "?", "Channel"]))

    @given(st.lists(st.text(alphabet="xy 23_", max_size=4)))
    def test_no_two_are_alike(self, names: list[str]) -> None:
        """There is one for each name, and each first bearer has its plain identifier."""
        identifiers = object_ids(names)
        self.assertEqual(len(identifiers), len(names))
        self.assertEqual(len(set(identifiers)), len(names))
        plain = [object_id(name) or "channel" for name in names]
        for identifier in set(plain):
            self.assertEqual(identifiers[plain.index(identifier)], identifier)


class ParameterObjectTests(SynchronousTestCase):
    """A parameter's identifier comes from its id."""

    def test_the_id_is_lower_case_behind_par(self) -> None:
        """So it cannot begin with a digit."""
        self.assertEqual("par_pr001", parameter_object("PR001"))
        self.assertEqual("par_4", parameter_object("4"))
        self.assertEqual("par_a6d", parameter_object("A6d"))
