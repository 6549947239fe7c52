"""What the operating system says of an error; without Twisted, for tools that do without, too."""


def system_reason(wrong: BaseException | None) -> str:
    """What the system says of an error, without its number; what another error says itself."""
    reason: str = getattr(wrong, "strerror", None) or str(wrong)
    return reason
