"""Configurations that are sound in themselves and cannot work on this machine."""

import errno
import os
import pwd
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from hargassner import startup
from hargassner.config import Config, RecordingConfig, StateConfig
from hargassner.dialogue.events import TelemetryLine
from hargassner.dialogue.origin import Source
from hargassner.network.interface import CannotOpenError
from hargassner.startup import read_only
from hargassner.tap import Options, makeService
from tests.mqtt.certificates import Authority

USER = pwd.getpwuid(os.geteuid()).pw_name


class StartCase(SynchronousTestCase):
    """Starts with a configuration file and what it names."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "hargassner.toml"

    def start(self, text: str) -> Any:
        self.path.write_text(text)
        options = Options()
        options.parseOptions(["--config", str(self.path)])
        reactor: Any = MemoryReactorClock()
        return makeService(options, reactor)

    def assert_refused(self, text: str, line: str) -> None:
        """The start ends with the one line, which begins with the file."""
        ended = self.assertRaises(SystemExit, self.start, text)
        self.assertEqual(f"hargassner: {self.path}: {line}", ended.code)


class DescriptionTests(StartCase):
    """The file that says what the telemetry means."""

    def test_a_file_that_describes_nothing(self) -> None:
        """One line at the start says what it must be."""
        (self.folder / "x.xml").write_text("<html/>")
        wanted = "must be a DAQPRJ document or a DAQnnnnn.DAQ file from the boiler's SD card"
        for name, why in (
            ("x.xml", "the document is a 'html', not a 'DAQPRJ'"),
            ("absent", "cannot be read: No such file or directory"),
        ):
            path = self.folder / name
            self.assert_refused(
                f'[boiler]\ndescriptor = "{path}"\n',
                f'boiler.descriptor = "{path}": {wanted}; {why}',
            )

    def test_a_file_that_describes_values(self) -> None:
        """It holds until the boiler says something itself."""
        (self.folder / "x.xml").write_text(
            "<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/></ANALOG></DAQPRJ>"
        )
        bridge = self.start(f'[boiler]\ndescriptor = "{self.folder}/x.xml"\n')
        bridge.parts.interpreter.take([TelemetryLine(b"pm 7 ")])
        self.assertEqual("7", bridge.parts.boiler.channels["zk"].text)
        self.assertEqual(Source.FILE, bridge.parts.boiler.understanding.origin.source)


class BrokerFileTests(StartCase):
    """Files of the section mqtt."""

    def test_a_password_file_that_is_missing(self) -> None:
        absent = self.folder / "absent"
        self.assert_refused(
            f'[mqtt]\nurl = "mqtt://broker"\npassword_file = "{absent}"\n',
            f"mqtt.password_file: {absent} cannot be read: No such file or directory",
        )

    def test_a_password_file_without_a_password(self) -> None:
        (self.folder / "empty").touch()
        self.assert_refused(
            f'[mqtt]\nurl = "mqtt://broker"\npassword_file = "{self.folder}/empty"\n',
            f"mqtt.password_file: {self.folder}/empty holds no password in one line of UTF-8",
        )

    def test_files_of_tls_that_are_missing(self) -> None:
        absent = self.folder / "absent"
        for keys in (("ca_file",), ("client_certificate", "client_key")):
            lines = "".join(f'{key} = "{absent}"\n' for key in keys)
            self.assert_refused(
                f'[mqtt]\nurl = "mqtts://broker"\n{lines}',
                f"mqtt.{keys[0]}: {absent} cannot be read: No such file or directory",
            )

    def test_a_key_of_another_certificate(self) -> None:
        authority = Authority(self.folder)
        one, other = authority.certify("one"), authority.certify("other")
        self.assert_refused(
            f'[mqtt]\nurl = "mqtts://broker"\nclient_certificate = "{one[0]}"\n'
            f'client_key = "{other[1]}"\n',
            f"mqtt.client_key: {other[1]} is not the key of mqtt.client_certificate",
        )

    def test_what_is_not_used_is_not_looked_at(self) -> None:
        """Without a broker, and certificates without TLS."""
        self.start('[mqtt]\npassword_file = "/absent"\nca_file = "/absent"\n')
        self.start('[mqtt]\nurl = "mqtt://broker"\nca_file = "/absent"\n')


class DirectoryTests(StartCase):
    """Where the bridge writes."""

    KEYS = ("state", "recording")

    def wanted(self, key: str, path: Path) -> str:
        return f'{key}.directory = "{path}": must be a directory that user {USER} may write'

    def test_a_file_is_no_directory(self) -> None:
        (self.folder / "file").touch()
        for key in self.KEYS:
            for path in (self.folder / "file", self.folder / "file" / "below"):
                self.assert_refused(
                    f'[{key}]\ndirectory = "{path}"\n',
                    f"{self.wanted(key, path)}; {self.folder}/file is a file",
                )

    def test_one_that_another_user_owns_is_refused(self) -> None:
        """Also where it is still to be made."""
        self.patch(startup.os, "access", lambda _path, _mode: False)
        for key in self.KEYS:
            for path in (self.folder, self.folder / "new" / "below"):
                line = f"{self.wanted(key, path)}; {self.folder} belongs to {USER}"
                self.assert_refused(f'[{key}]\ndirectory = "{path}"\n', line)

    def test_one_that_systemd_names_is_looked_at_too(self) -> None:
        (self.folder / "file").touch()
        self.patch(os, "environ", {**os.environ, "STATE_DIRECTORY": f"{self.folder}/file"})
        path = self.folder / "file"
        self.assert_refused("", f"{self.wanted('state', path)}; {path} is a file")

    def test_one_that_is_still_to_be_made_is_fine(self) -> None:
        """It is not made before it is needed."""
        for key in self.KEYS:
            self.start(f'[{key}]\ndirectory = "{self.folder}/new/below"\n')
        self.assertFalse((self.folder / "new").exists())

    def test_a_read_only_file_system_does_not_keep_the_bridge_from_its_work(self) -> None:
        """A worn card is mounted so; the check tells it."""
        self.patch(startup.os, "access", lambda _path, _mode: False)
        mounted = os.statvfs_result((0,) * 8 + (os.ST_RDONLY, 255))
        self.patch(startup.os, "statvfs", lambda _path: mounted)
        for key in self.KEYS:
            self.start(f'[{key}]\ndirectory = "{self.folder}"\n')
        config = Config(state=StateConfig(directory=str(self.folder)))
        self.assertEqual(
            f"state.directory: {self.folder} is on a file system that is mounted read-only",
            read_only(config, {}),
        )

    def test_a_file_system_that_can_be_written_is_nothing_to_tell(self) -> None:
        config = Config(
            state=StateConfig(directory=str(self.folder)),
            recording=RecordingConfig(directory=str(self.folder)),
        )
        self.assertEqual("", read_only(config, {}))


class WithoutGatewayTests(StartCase):
    """A file that names the boiler and says nothing of a gateway."""

    HOST = '[boiler]\nhost = "192.0.2.30"\n'

    def setUp(self) -> None:
        super().setUp()
        forbidden = CannotOpenError("TCP port 23: CAP_ is missing")
        forbidden.__cause__ = PermissionError(errno.EACCES, "Permission denied")

        def refuse(*_arguments: object) -> None:
            raise forbidden

        self.patch(startup, "listening_socket", refuse)

    def test_it_is_told_how_to_do_without(self) -> None:
        self.assert_refused(
            self.HOST,
            'boiler.host = "192.0.2.30": to read the boiler without a gateway, add [gateway] and '
            "below it enabled = false; with a gateway: TCP port 23: CAP_ is missing",
        )

    def test_with_that_it_starts(self) -> None:
        self.start(f"[gateway]\nenabled = false\n{self.HOST}")

    def test_a_gateway_of_which_something_is_said_is_waited_for(self) -> None:
        self.start(f'[gateway]\ninterface = "eth0"\n{self.HOST}')
