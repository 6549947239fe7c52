"""The Debian package, as built: what is in it, and that the program in it runs.

It takes a minute and the package index to build, so these tests look at the package that
``make deb`` has built of this version, and are skipped where there is none.
"""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import ClassVar
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner import __version__
from hargassner.config import Config, config_from

ROOT = Path(__file__).parent.parent
PYTHON = "/usr/bin/python3"


def built_package() -> Path:
    """The package of this version.

    Raises:
        SkipTest: it was not built, or this is no Debian.
    """
    if shutil.which("dpkg-deb") is None:
        raise SkipTest("there is no dpkg here")
    packages = sorted((ROOT / "dist").glob(f"hargassner-bridge_{__version__}_*.deb"))
    if not packages:
        raise SkipTest("the Debian package is not built (make deb)")
    return packages[0]


class PackageCase(SynchronousTestCase):
    """The package, unpacked once."""

    root: ClassVar[Path | None] = None

    def setUp(self) -> None:
        package = built_package()
        if PackageCase.root is None:
            root = Path(self.mktemp()).absolute()
            subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True)
            PackageCase.root = root
        self.unpacked = PackageCase.root


class ContentTests(PackageCase):
    """What is in it."""

    def test_it_has_all_that_an_owner_needs(self) -> None:
        for place in (
            "opt/hargassner/bin/twist",
            "usr/lib/systemd/system/hargassner-bridge.service",
            "usr/lib/systemd/system/hargassner-bridge@.service",
            "usr/lib/sysusers.d/hargassner.conf",
            "usr/share/man/man1/hargassner.1.gz",
            "usr/share/bash-completion/completions/hargassner",
            "etc/hargassner/hargassner.toml",
        ):
            self.assertTrue((self.unpacked / place).is_file(), place)
        self.assertEqual(
            "/opt/hargassner/bin/hargassner", str((self.unpacked / "usr/bin/hargassner").readlink())
        )

    def test_the_configuration_is_the_owners_and_says_nothing_yet(self) -> None:
        path = self.unpacked / "etc/hargassner/hargassner.toml"
        self.assertEqual(Config(), config_from(tomllib.loads(path.read_text())))
        conffiles = (self.unpacked / "DEBIAN/conffiles").read_text().split()
        self.assertEqual(["/etc/hargassner/hargassner.toml"], conffiles)

    def test_compiled_libraries_are_there_for_each_python(self) -> None:
        lib = self.unpacked / "opt/hargassner/lib"
        for library in ("zope/interface", "."):
            found = {
                match[1]
                for each in (lib / library).glob("*.so")
                if (match := re.search(r"\.cpython-(3\d+)-", each.name))
            }
            self.assertEqual({"311", "312", "313", "314"}, found, library)

    def test_nothing_of_the_builder_is_in_it(self) -> None:
        texts = [
            each
            for each in self.unpacked.rglob("*")
            if each.is_file() and each.suffix in ("", ".txt", ".cfg", ".toml", ".service")
        ]
        self.assertEqual([], [each for each in texts if str(ROOT).encode() in each.read_bytes()])

    def test_systemd_understands_the_units(self) -> None:
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            raise SkipTest("there is no systemd here")
        units = self.unpacked / "usr/lib/systemd/system"
        for name in ("hargassner-bridge.service", "hargassner-bridge@house.service"):
            unit = Path(self.mktemp()) / name
            unit.parent.mkdir()
            source = units / name.replace("@house", "@")
            unit.write_text(source.read_text().replace("/opt/hargassner/bin/twist", "/bin/true"))
            verified = subprocess.run(
                [analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False
            )
            self.assertEqual([], [line for line in verified.stderr.splitlines() if name in line])

    def test_the_scripts_are_shell_that_can_be_read(self) -> None:
        for script in ("postinst", "prerm", "postrm"):
            subprocess.run(["sh", "-n", self.unpacked / "DEBIAN" / script], check=True)

    def test_the_manual_has_every_command(self) -> None:
        page = subprocess.run(
            ["gzip", "-dc", self.unpacked / "usr/share/man/man1/hargassner.1.gz"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for command in ("check", "decode", "replay", "simulate"):
            self.assertIn(f"hargassner {command}", page)


class RunningTests(PackageCase):
    """The system's own Python runs it, with its own libraries only."""

    def run_program(self, code: str) -> str:
        if not Path(PYTHON).exists():
            raise SkipTest(f"there is no {PYTHON}")
        lib = self.unpacked / "opt/hargassner/lib"
        begin = f"import sys; sys.path.insert(1, {str(lib)!r}); "
        ran = subprocess.run(
            [PYTHON, "-IBS", "-c", begin + code], capture_output=True, text=True, check=False
        )
        self.assertEqual("", ran.stderr)
        return ran.stdout

    def test_the_tools_run(self) -> None:
        said = self.run_program("from hargassner.cli import main; main(['decode', '--help'])")
        self.assertIn("usage: hargassner decode", said)

    def test_every_module_of_the_program_can_be_imported(self) -> None:
        names = [
            ".".join(each.relative_to(ROOT).with_suffix("").parts)
            for each in (ROOT / "hargassner").rglob("*.py")
            if each.name != "__init__.py" and "simulator/broker" not in str(each)
        ]
        skipped = "('amqtt',)"
        code = (
            "import importlib\n"
            f"for name in {sorted(names)!r}:\n"
            "    try: importlib.import_module(name)\n"
            f"    except ModuleNotFoundError as wrong: assert wrong.name in {skipped}, name\n"
        )
        self.assertEqual("", self.run_program(code))

    def test_twisted_finds_the_plugin_without_writing(self) -> None:
        said = self.run_program(
            "from twisted.plugin import getPlugins\n"
            "from twisted.application.service import IServiceMaker\n"
            "print([each.tapname for each in getPlugins(IServiceMaker) if 'harg' in each.tapname])"
        )
        self.assertEqual("['hargassner']\n", said)
