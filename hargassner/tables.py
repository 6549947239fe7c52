"""The reader of the tables that come with the package: names, texts, codes."""

from collections.abc import Iterator
from importlib.resources import files


def rows(package: str, file: str) -> Iterator[dict[str, str]]:
    """The rows of a table beside a package's modules, each by its columns' names.

    Columns are separated by tabs; the first line has their names; lines that begin with ``#`` are
    comments.

    Args:
        package: the package's full name.
        file: the table's name, such as ``texts.tsv``.

    Raises:
        ValueError: a row has more or fewer columns than there are names.
    """
    content = files(package).joinpath(file).read_text("utf-8")
    lines = (line.split("\t") for line in content.splitlines() if not line.startswith("#"))
    names = next(lines)
    # Most cells have what others have, too, such as a unit: it is kept once.
    kept: dict[str, str] = {}
    return (
        {name: kept.setdefault(cell, cell) for name, cell in zip(names, line, strict=True)}
        for line in lines
    )
