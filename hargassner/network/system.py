"""The operating system's errors and files; without Twisted, for tools that do without, too."""

import os


def system_reason(wrong: BaseException | None) -> str:
    """What the system says of an error, without its number; what another error says itself."""
    reason: str = getattr(wrong, "strerror", None) or str(wrong)
    return reason


def for_the_owner_only(path: str, flags: int) -> int:
    """An opener of files that nobody but their owner may read or write."""
    return os.open(path, flags, mode=0o600)
