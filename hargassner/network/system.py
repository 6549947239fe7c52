"""The operating system's errors and files; without Twisted, for tools that do without, too."""

import os


def system_reason(wrong: OSError) -> str:
    """What the system says of an error, without its number."""
    return wrong.strerror or str(wrong)


def for_the_owner_only(path: str, flags: int) -> int:
    """An opener of files that nobody but their owner may read or write."""
    return os.open(path, flags, mode=0o600)
