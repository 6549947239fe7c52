"""What of a dialogue's text can be shown: everything but the login token and the login key."""

import re

LONGEST_SHOWN = 120
"""Characters."""

_LONGEST_LOOKED_AT = 4096
_SHORTEST_TELLING = 6
_REMEMBERED = 4

# Wherever in a line it stands: a line can be damaged and still have the key in it.
_LOGIN = re.compile(rb"(?is)(?P<words>login(?:\s+(?:token|key)\b)?)(?P<rest>.*)")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{8,}")


class Masking:
    """Knows the secrets of one session and keeps them out of what is shown.

    They are masked in place: a text stays as long as it was.
    """

    __slots__ = ("_longest_first", "_secrets")

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._longest_first: list[str] = []

    def remember(self, secret: bytes) -> None:
        """A token or a key passed; whoever repeats it is not quoted."""
        text = secret.strip().decode("latin-1")
        # A shorter one is no secret, and would mask half of what the boiler says.
        if len(text) >= _SHORTEST_TELLING and text not in self._secrets:
            self._secrets = [*self._secrets, text][-_REMEMBERED:]
            # The longest first, so that nothing is left of one that has another in it.
            self._longest_first = sorted(self._secrets, key=len, reverse=True)

    def request(self, line: bytes) -> str:
        """A request, or how a longer one begins; whatever follows ``login`` is left out."""
        login = _LOGIN.search(line)
        if login:
            self.remember(login["rest"])
            shown = line[: login.end("words")]
            return self.excerpt(shown) + (" …" if login["rest"].strip() else "")
        return self.excerpt(line)

    def excerpt(self, line: bytes) -> str:
        """How a line begins that nobody has understood, without what looks like a token or key."""
        text = self.text(line[:_LONGEST_LOOKED_AT])
        text = _HEXADECIMAL.sub(lambda found: "*" * len(found[0]), text)
        return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"

    def text(self, line: bytes | str) -> str:
        """A whole line that was understood, without the secrets of this session."""
        text = line.decode("latin-1") if isinstance(line, bytes) else line
        for secret in self._longest_first:
            text = text.replace(secret, "*" * len(secret))
        return text
