"""How the simulated gateway proves itself to the simulated boiler.

The real algorithm is the maker's secret and is not known.  This stand-in has the same shape
(docs/protocol.md, section 3): the boiler gives a token of eight hexadecimal digits, and the
gateway derives a key of thirty-four from it, so that a wrong or outdated key can be refused.
"""

from hashlib import sha256


def key_for(token: str) -> str:
    """The key that a simulated boiler accepts for a token of its own.

    Real keys begin with ``13``; here the rest is half a SHA-256 digest of the token.
    """
    return "13" + sha256(f"simulated login {token}".encode()).hexdigest()[:32].upper()
