"""Twisted without TLS: a quarter of the memory, and a fifth of the start.

Twisted does without pyOpenSSL where that is not installed (it is an extra, ``twisted[tls]``), but
its reactor imports what is there, used or not. So pyOpenSSL is made to look absent in this process
before the reactor is imported, the way the language reference has it: None in ``sys.modules``.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

_PLAIN = ("tcp:", "tcp6:", "unix:")
"""How endpoints begin that speak no TLS."""


def wants_tls(path: Path) -> bool:
    """Whether a configuration has anything that may speak TLS.

    Raises:
        OSError, ValueError: it cannot be read, which is said elsewhere.
    """
    config = tomllib.loads(path.read_text("utf-8-sig"))
    broker = _text(config, "mqtt", "url").lower()
    listening = _text(config, "web", "listen"), _text(config, "manhole", "listen")
    return broker.startswith("mqtts") or not all(
        not each or each.startswith(_PLAIN) for each in listening
    )


def _text(config: dict[str, Any], section: str, key: str) -> str:
    """A text of the configuration, "" where there is none.

    Raises:
        ValueError: it is something else.
    """
    given = config.get(section, {})
    text = given.get(key, "") if isinstance(given, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"{section}.{key} is no text")
    return text


def leave_tls_out() -> None:
    """Have Twisted do without TLS, if it is not there already."""
    sys.modules.setdefault("OpenSSL", None)  # type: ignore[arg-type]
