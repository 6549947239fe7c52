"""Bytes as lines, in any segmentation."""

from itertools import pairwise
from time import process_time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.lines import BEGINNING, LONGEST_LINE, LineSplitter, TooLong


def feed_all(splitter: LineSplitter, pieces: list[bytes]) -> list[bytes | TooLong]:
    """Everything that a splitter gives for these segments."""
    return [line for piece in pieces for line in splitter.feed(piece)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in segments."""
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


class LineSplitterTests(SynchronousTestCase):
    """LineSplitter gives whole lines."""

    def test_gives_the_lines_of_one_segment(self) -> None:
        """Several lines can come in one segment, an empty one among them."""
        self.assertEqual([b"$a", b"", b"zb"], LineSplitter().feed(b"$a\r\n\r\nzb\r\n"))

    def test_waits_for_the_line_end(self) -> None:
        """A line is given when its end has come."""
        splitter = LineSplitter()
        self.assertEqual([], splitter.feed(b"$3313C1"))
        self.assertEqual([b"$3313C1F2"], splitter.feed(b"F2\r\n"))

    def test_a_line_end_can_be_cut(self) -> None:
        """CR and LF can come in different segments."""
        splitter = LineSplitter()
        self.assertEqual([b"$ack", b"z"], feed_all(splitter, [b"$ack\r", b"\nz", b"\r", b"\n"]))

    def test_cr_or_lf_alone_ends_no_line(self) -> None:
        """A CR or a LF by itself is a part of the line."""
        pieces = [b"za\nb\r", b"c\n\r", b"\r\n"]
        self.assertEqual([b"za\nb\rc\n\r"], feed_all(LineSplitter(), pieces))

    def test_says_whether_a_line_is_half_through(self) -> None:
        """Midline is true from a line's first byte to its last."""
        splitter = LineSplitter()
        seen = []
        for piece in (b"", b"$", b"ack", b"\r", b"\n", b"\r", b"\n"):
            splitter.feed(piece)
            seen.append(splitter.midline)
        self.assertEqual([False, True, True, True, False, True, False], seen)

    def test_the_longest_line_is_given(self) -> None:
        """A line of exactly the limit is read, in whatever pieces its end comes."""
        line = b"x" * LONGEST_LINE
        for pieces in ([line + b"\r\n"], [line, b"\r", b"\n"], [line + b"\r", b"\n"]):
            splitter = LineSplitter()
            self.assertEqual(feed_all(splitter, pieces), [line])

    def test_a_longer_line_is_dropped_up_to_its_end(self) -> None:
        """It is told once, and the next line is read again."""
        line = b"$<<" + b"x" * LONGEST_LINE
        too_long = TooLong(line[:BEGINNING])
        for pieces in ([line + b"\r\n$ack\r\n"], [line, line, b"y\r", b"\n$ack\r\n"]):
            splitter = LineSplitter()
            self.assertEqual(feed_all(splitter, pieces), [too_long, b"$ack"])

    def test_a_line_is_told_as_too_long_before_it_ends(self) -> None:
        """One that never ends is told all the same, and is half through for ever."""
        splitter = LineSplitter(longest=4)
        self.assertEqual([TooLong(b"abcd")], splitter.feed(b"abcde"))
        self.assertEqual([], splitter.feed(b"fgh" * 9))
        self.assertTrue(splitter.midline)

    @given(
        st.lists(st.sampled_from([b"a", b"bcd", b"\r", b"\n", b"\r\n", b"efghijkl"]), max_size=40),
        st.lists(st.integers(0, 400)),
    )
    def test_any_segmentation_gives_the_same_lines(
        self, parts: list[bytes], places: list[int]
    ) -> None:
        """What is given depends on the bytes alone."""
        data = b"".join(parts)
        whole, pieces, bytewise = (LineSplitter(longest=9) for _ in range(3))
        lines = whole.feed(data)
        self.assertEqual(feed_all(pieces, cut(data, places)), lines)
        self.assertEqual(feed_all(bytewise, [bytes([each]) for each in data]), lines)
        self.assertEqual(pieces.midline, whole.midline)
        read = [line for line in data.split(b"\r\n")[:-1] if len(line) <= 9]
        self.assertEqual([line for line in lines if isinstance(line, bytes)], read)

    def test_a_long_line_in_small_pieces_takes_linear_time(self) -> None:
        """A byte costs no more at the end of a long line than at its beginning."""
        splitter = LineSplitter(longest=1 << 20)
        pieces = [b"x"] * 50_000

        def cost() -> float:
            start = process_time()
            feed_all(splitter, pieces)
            return process_time() - start

        costs = [cost() for _ in range(16)]
        # Looking at the whole line for each byte would make the last ones ten times as dear.
        self.assertLess(min(costs[-3:]), 4 * min(costs[:3]))
