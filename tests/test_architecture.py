"""Who may import whom: one way through the rooms, and no test from another."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

import hargassner

PACKAGE = Path(hargassner.__file__).parent
TESTS = Path(__file__).parent

FOUNDATION = (
    *(
        "tables",
        "terminal",
        "once",
        "observers",
        "services",
        "delayed",
        "later",
        "clock",
        "config",
        "catalogue",
    ),
)
"""What every room may use; each imports nothing but those before it."""

ROOMS = (
    *FOUNDATION,
    *("network", "discovery", "dialogue", "proxy", "recording", "boiler", "monitor", "control"),
    *("storage", "mqtt", "homeassistant", "simulator", "web", "admin", "cli"),
)
"""In the order of the imports: a room imports from those before it."""

WIRING = (
    *("allocation", "lazy_parts", "parts", "reactor", "service", "session_observers", "threads"),
    *("startup", "tap", "without_tls"),
)
"""Where everything is joined."""

SHOW_THE_PARTS = ("web", "admin", "cli")
"""The rooms that take the wiring's values, to show or to start them."""

LONGEST_FILE = 350
LONGEST_FUNCTION = 40
"""Lines."""


@cache
def imports(folder: Path) -> dict[str, set[str]]:
    """What each module below a folder imports of this project: modules, and names as ``a.b``."""
    return {_name(path, folder): set(_imported(path)) for path in folder.rglob("*.py")}


def _name(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node; looking at expressions too would take five times as long."""
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        for each in getattr(node, field, ()):
            yield each
            yield from _statements(each)


def _imported(path: Path) -> Iterator[str]:
    for node in _statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def room_imports() -> Iterator[tuple[str, str, str]]:
    """Each import from one room or module at the top to another: by whom, from where, to where."""
    for module, names in imports(PACKAGE).items():
        for name in names:
            importer, imported = module.split(".")[1:2], name.split(".")[1:2]
            if name.startswith("hargassner.") and importer and importer != imported:
                yield module, importer[0], imported[0]


def module_imports() -> dict[str, set[str]]:
    """The modules that each module imports."""
    modules = imports(PACKAGE)
    return {
        module: {
            name if name in modules else name.rpartition(".")[0]
            for name in names
            if name.startswith("hargassner.")
        }
        for module, names in modules.items()
    }


class ArchitectureTests(SynchronousTestCase):
    """The drawing in docs/architecture.md, held to."""

    def test_every_room_has_its_place_in_the_order(self) -> None:
        found = {module.split(".")[1] for module in imports(PACKAGE) if "." in module}
        self.assertEqual({*ROOMS, *WIRING}, found)

    def test_no_room_imports_from_a_later_one(self) -> None:
        place = {room: number for number, room in enumerate(ROOMS)}
        wrong = [
            f"{module} imports {imported}"
            for module, importer, imported in room_imports()
            if importer in place and imported in place and place[imported] > place[importer]
        ]
        self.assertEqual([], wrong)

    def test_only_who_shows_the_parts_knows_of_the_wiring(self) -> None:
        wrong = [
            f"{module} imports {imported}"
            for module, importer, imported in room_imports()
            if imported in WIRING and importer not in (*WIRING, *SHOW_THE_PARTS)
        ]
        self.assertEqual([], wrong)

    def test_no_modules_import_each_other_in_a_circle(self) -> None:
        try:
            TopologicalSorter(module_imports()).prepare()
        except CycleError as circle:
            self.fail(" imports ".join(reversed(circle.args[1])))

    def test_no_module_imports_anothers_private_name(self) -> None:
        wrong = [
            f"{module} imports {name}"
            for folder in (PACKAGE, TESTS)
            for module, names in imports(folder).items()
            for name in names
            if name.startswith(("hargassner.", "tests."))
            and any(each.startswith("_") for each in name.replace("__version__", "").split("."))
        ]
        self.assertEqual([], wrong)

    def test_no_test_module_imports_another(self) -> None:
        wrong = [
            f"{module} imports {name}"
            for module, names in imports(TESTS).items()
            for name in names
            if name.startswith("tests.")
            and any(each.startswith("test_") for each in name.split("."))
        ]
        self.assertEqual([], wrong)

    def test_no_file_and_no_function_is_too_long_to_be_read_at_once(self) -> None:
        wrong = [
            f"{name}: {length} lines"
            for path in PACKAGE.rglob("*.py")
            for name, length, most in _lengths(path)
            if length > most
        ]
        self.assertEqual([], wrong)


def _lengths(path: Path) -> Iterator[tuple[str, int, int]]:
    """Each thing in a file: its name, its lines, and how many it may have."""
    text, name = path.read_text("utf-8"), _name(path, PACKAGE)
    yield name, text.count("\n"), LONGEST_FILE
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = cast("int", node.end_lineno) - node.lineno + 1
            yield f"{name}.{node.name}", lines, LONGEST_FUNCTION
