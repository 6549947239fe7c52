"""A transparent bridge between a Hargassner boiler and the maker's Internet gateway."""

__version__ = "0.2.0"
