"""The reader of the package's tables."""

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.tables import rows


class TableTests(SynchronousTestCase):
    """A table beside a package's modules."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        self.package = folder / "package_of_tables"
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").write_text("")
        self.patch(sys, "path", [str(folder.absolute()), *sys.path])
        self.addCleanup(sys.modules.pop, "package_of_tables", None)

    def read(self, table: str) -> list[dict[str, str]]:
        (self.package / "table.tsv").write_text(table, encoding="utf-8")
        return list(rows("package_of_tables", "table.tsv"))

    def test_a_row_has_its_columns_by_their_names(self) -> None:
        table = "# A comment.\nkey\tde\n# Another one.\na\tFüllgrad\nb\t\n"
        self.assertEqual([{"key": "a", "de": "Füllgrad"}, {"key": "b", "de": ""}], self.read(table))

    def test_quotes_are_signs_like_others(self) -> None:
        self.assertEqual([{"key": "a", "de": '"b" "'}], self.read('key\tde\na\t"b" "\n'))

    def test_a_row_that_is_too_short_or_too_long_is_refused(self) -> None:
        for row in ("a", "a\tb\tc"):
            with self.assertRaises(ValueError):
                self.read(f"key\tde\n{row}\n")
