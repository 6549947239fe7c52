"""The reader of the tables beside it, which say what the simulated boiler has."""

from collections.abc import Iterator
from importlib.resources import files


def rows(table: str) -> Iterator[dict[str, str]]:
    """The rows of a table of this package, each by its columns' names; ``#`` begins a remark."""
    text = files(__package__).joinpath(table).read_text("utf-8")
    columns: list[str] | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if columns is None:
            columns = fields
        else:
            yield dict(zip(columns, fields, strict=True))
