"""What the configuration names on this machine: found unusable before anything starts.

What may mend itself while the bridge waits, an interface or a broker that is away, is not looked
at here.
"""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hargassner.config import Config, ConfigError, GatewayConfig, MqttConfig
from hargassner.dialogue.channels import Descriptor
from hargassner.mqtt.files import UnusableFileError, password
from hargassner.network.interface import CannotOpenError, NetworkInterface
from hargassner.network.port_users import user_name
from hargassner.network.sockets import listening_socket
from hargassner.recording.description import DescriptionError, read_description
from hargassner.storage.directory import state_directory
from hargassner.terminal import printable


def check_machine(config: Config, environ: Mapping[str, str]) -> None:
    """Refuse a configuration that cannot work here, whatever else happens.

    Args:
        config: the configuration, sound in itself.
        environ: the environment, which may name the state directory.

    Raises:
        ConfigError: a file or a directory that it names cannot be used; the message names the key
            and the path, and what it must be.
    """
    _check_gateway(config)
    if config.mqtt.url:
        _check_broker_files(config.mqtt)
    described(config)
    if config.recording.directory:
        _check_directory("recording.directory", Path(config.recording.directory).expanduser())
    # Where nobody configured one, the bridge does without.
    if config.state.directory or environ.get("STATE_DIRECTORY"):
        _check_directory("state.directory", state_directory(config.state.directory, environ))


def _check_broker_files(mqtt: MqttConfig) -> None:
    parts = urlsplit(mqtt.url)
    try:
        password(mqtt)
        if parts.scheme == "mqtts":
            from hargassner.mqtt.tls import tls_options

            tls_options(mqtt, parts.hostname or "")
    except UnusableFileError as wrong:
        raise ConfigError(str(wrong)) from None


def _check_gateway(config: Config) -> None:
    """Refuse to wait for a gateway of which nothing is said, where it could not even connect.

    Whoever names the boiler and nothing else wants to read it.
    """
    if not config.boiler.host or config.gateway != GatewayConfig():
        return
    try:
        listening_socket(NetworkInterface(), config.gateway.telnet_port).close()
    except CannotOpenError as wrong:
        if _is_forbidden(wrong):
            raise ConfigError(
                f'boiler.host = "{config.boiler.host}": to read the boiler without a gateway, add '
                f"[gateway] and below it enabled = false; with a gateway: {wrong}"
            ) from None


def _is_forbidden(wrong: CannotOpenError) -> bool:
    cause = wrong.__cause__
    return isinstance(cause, OSError) and cause.errno == errno.EACCES


def described(config: Config) -> Descriptor | None:
    """What the file describes that the configuration names; None if it names none.

    Raises:
        ConfigError: it cannot be read, or describes no telemetry.
    """
    if not config.boiler.descriptor:
        return None
    try:
        return read_description(Path(config.boiler.descriptor).expanduser())
    except DescriptionError as wrong:
        raise ConfigError(
            f'boiler.descriptor = "{printable(config.boiler.descriptor)}": must be a DAQPRJ '
            f"document or a DAQnnnnn.DAQ file from the boiler's SD card; {printable(str(wrong))}"
        ) from None


def read_only(config: Config, environ: Mapping[str, str]) -> str:
    """What cannot be written now and may be later, in a sentence; "" where everything can.

    A card that Linux mounted read-only after an error keeps no boiler from its gateway.
    """
    directories = {"state.directory": state_directory(config.state.directory, environ)}
    if config.recording.directory:
        directories["recording.directory"] = Path(config.recording.directory).expanduser()
    for key, path in directories.items():
        if _is_read_only(path):
            return f"{key}: {path} is on a file system that is mounted read-only"
    return ""


def _check_directory(key: str, path: Path) -> None:
    """Refuse what is no directory that can be written, or cannot be made one."""
    wanted = f'{key} = "{path}": must be a directory that user {user_name(os.geteuid())} may write'
    try:
        there = _existing(path)
        if not stat.S_ISDIR(there.stat().st_mode):
            raise ConfigError(f"{wanted}; {there} is a file")
    except OSError as wrong:
        raise ConfigError(f"{wanted}: {wrong.strerror}") from None
    if not os.access(there, os.W_OK | os.X_OK) and not _is_read_only(there):
        raise ConfigError(f"{wanted}; {there} belongs to {user_name(there.stat().st_uid)}")


def _existing(path: Path) -> Path:
    """The path, or the nearest of its parents that is there.

    Raises:
        OSError: it cannot be found out.
    """
    for each in (path.absolute(), *path.absolute().parents):
        try:
            each.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        return each
    return Path("/")


def _is_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(_existing(path)).f_flag & os.ST_RDONLY)
    except OSError:
        return False
