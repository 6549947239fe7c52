"""What the operating system says of an error; without Twisted, for tools that do without, too."""


def system_reason(wrong: OSError) -> str:
    """What the system says of an error, without its number."""
    return wrong.strerror or str(wrong)
