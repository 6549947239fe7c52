"""The small files that ``[mqtt]`` names, read whenever they are needed.

A renewed certificate or a corrected password is so taken without a restart.
"""

import stat
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hargassner.config import MqttConfig

_LARGEST_FILE = 1_048_576
_LARGEST_SECRET = 65_535
"""Bytes of a password: what MQTT has room for."""

T = TypeVar("T")


class UnusableFileError(Exception):
    """A file that the configuration names cannot be used; the message says which and why."""


def _read(key: str, name: str) -> bytes:
    """The content of a small file that the configuration names."""
    path = Path(name).expanduser()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # Reading it might wait for ever.
            raise UnusableFileError(f"mqtt.{key}: {path} is not a regular file")
        if found.st_size > _LARGEST_FILE:
            raise UnusableFileError(f"mqtt.{key}: {path} is too large")
        return path.read_bytes()
    except OSError as wrong:
        raise UnusableFileError(f"mqtt.{key}: {path} cannot be read: {wrong.strerror}") from None


def parsed(key: str, name: str, what: str, parse: Callable[[bytes], T]) -> T:
    """What a file has, as ``parse`` reads it.

    Raises:
        UnusableFileError: it cannot be read, or ``parse`` raises ValueError or TypeError; the
            message names the key, the file and ``what`` it should hold.
    """
    content = _read(key, name)
    try:
        return parse(content)
    except (ValueError, TypeError):
        # The parser's words may quote the file, which may hold a key.
        raise UnusableFileError(f"mqtt.{key}: {name} holds no {what}") from None


def password(config: MqttConfig) -> str:
    """The password, from the configuration or the file that it names.

    Raises:
        UnusableFileError: the file cannot be read, or holds no password.
    """
    if not config.password_file:
        return config.password

    def parse(content: bytes) -> str:
        # Some editors put a byte order mark before UTF-8.
        secret = content.removeprefix(BOM_UTF8).decode().rstrip("\r\n")
        if not secret or "\n" in secret or len(secret) > _LARGEST_SECRET:
            raise ValueError
        return secret

    return parsed("password_file", config.password_file, "password in one line of UTF-8", parse)
