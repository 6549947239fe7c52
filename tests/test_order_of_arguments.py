"""What a test expects stands before what it got, so that failures read alike everywhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

TESTS = Path(__file__).parent


def comparisons(source: str) -> Iterator[ast.Call]:
    """The calls of ``assertEqual`` in a source."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="assertEqual"), args=[_, _, *_]):
                yield node


def is_constant(node: ast.expr) -> bool:
    """Whether an expression can only be what a test expects."""
    return not any(isinstance(each, ast.Name | ast.Call) for each in ast.walk(node))


def reversed_comparisons(source: str) -> list[int]:
    """The lines where a constant stands behind what it is compared with."""
    return [
        call.lineno
        for call in comparisons(source)
        if is_constant(call.args[1]) and not is_constant(call.args[0])
    ]


class OrderTests(SynchronousTestCase):
    """The order of the arguments of ``assertEqual``."""

    def test_what_is_expected_comes_first(self) -> None:
        found = {
            path.name: lines
            for path in TESTS.rglob("*.py")
            if (lines := reversed_comparisons(path.read_text()))
        }
        self.assertEqual({}, found)

    def test_a_constant_behind_is_found(self) -> None:
        self.assertEqual([1], reversed_comparisons("self.assertEqual(len(found), 3)"))
