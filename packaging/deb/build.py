"""Builds the Debian package: ``python packaging/deb/build.py [--arch ARCH] [--output DIRECTORY]``.

The program and its libraries go to /opt/hargassner/lib. Compiled ones are there once for each
Python that Debian or Ubuntu may bring, side by side: their files' names tell which Python they are
for. So one package for each architecture serves all releases, the system's Python runs it, and it
goes on when the release is upgraded. Nothing is compiled here: wheels come from PyPI, for another
architecture as well.

Needs the extra ``deb`` (argparse-manpage, shtab, build), ``dpkg-deb`` and ``gzip``.
"""

import argparse
import gzip
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from configparser import ConfigParser
from pathlib import Path

import shtab
from build_manpages.manpage import Manpage

from hargassner import __version__
from hargassner.cli import parser

HERE = Path(__file__).parent
PACKAGING = HERE.parent
SOURCE = PACKAGING.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {
    "amd64": ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
    "arm64": ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
}
"""What wheels of an architecture may be called; Debian 12's libc is newer than all of them."""
DEFAULT_EPOCH = 1_767_225_600
"""What files are dated by where SOURCE_DATE_EPOCH does not say it, so that builds are alike."""
UNUSED = (
    *("twisted/trial", "twisted/words", "twisted/mail", "twisted/names"),
    *(f"twisted/plugins/twisted_{each}.py" for each in ("trial", "words", "mail", "names")),
)
"""Parts of libraries that the bridge never imports, beside their tests."""
PROGRAMS = {"twist", "twistd", "hargassner"}
PROGRAM = """\
#!/usr/bin/python3 -IBS
import sys

sys.path.insert(1, "/opt/hargassner/lib")
sys.argv[0] = "{name}"

from {module} import {function}

sys.exit({call}())
"""


def run(*command: str) -> None:
    """Run a command.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def fetch_wheels(arch: str, wheels: Path) -> None:
    """Get the wheels of the program and of all that it needs, for each Python."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(SOURCE))
    [own] = wheels.glob("hargassner_bridge-*.whl")
    platforms = [f"--platform={each}" for each in (*PLATFORMS[arch], "any")]
    for python in PYTHONS:
        run(
            *pip,
            "download",
            "--only-binary=:all:",
            f"--python-version={python}",
            *platforms,
            f"--dest={wheels}",
            str(own),
        )


def unpack(wheels: Iterable[Path], lib: Path) -> None:
    """Lay wheels one over the other."""
    for each in sorted(wheels):
        with zipfile.ZipFile(each) as wheel:
            wheel.extractall(lib)
    for each in [*(lib / part for part in UNUSED), *lib.rglob("test"), *lib.rglob("tests")]:
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)


def write_programs(lib: Path, bin_folder: Path) -> None:
    """Write the commands that the wheels name."""
    bin_folder.mkdir(parents=True)
    for entry_points in lib.glob("*.dist-info/entry_points.txt"):
        found = ConfigParser(delimiters=("=",))
        found.optionxform = str  # type: ignore[assignment,method-assign]
        found.read(entry_points)
        scripts = found["console_scripts"] if found.has_section("console_scripts") else {}
        for name in PROGRAMS & set(scripts):
            module, _, call = scripts[name].partition(":")
            function = call.partition(".")[0]
            program = bin_folder / name
            program.write_text(
                PROGRAM.format(name=name, module=module, function=function, call=call)
            )
            program.chmod(0o755)


def note_plugins(lib: Path) -> None:
    """Have Twisted note its plugins down, which the service may not do itself."""
    for cache in lib.glob("twisted/plugins/dropin.cache"):
        cache.unlink()
    code = (
        f"import sys; sys.path.insert(1, {str(lib)!r}); from twisted.plugin import getPlugins; "
        "from twisted.application.service import IServiceMaker; list(getPlugins(IServiceMaker))"
    )
    run(sys.executable, "-IBS", "-c", code)


def commented(example: str) -> str:
    """The example with every key as a comment."""
    lines = [
        f"#{line}" if line and not line.startswith(("#", "[")) else line
        for line in example.splitlines()
    ]
    tomllib.loads("\n".join(lines))
    return "\n".join(lines) + "\n"


def write_files(root: Path) -> None:
    """Write what belongs beside the program."""
    places = {
        "hargassner-bridge.service": "usr/lib/systemd/system/hargassner-bridge.service",
        "hargassner-bridge@.service": "usr/lib/systemd/system/hargassner-bridge@.service",
        "hargassner.sysusers": "usr/lib/sysusers.d/hargassner.conf",
        "dnsmasq-boiler.conf": "usr/share/doc/hargassner-bridge/examples/dnsmasq-boiler.conf",
        "boiler.network": "usr/share/doc/hargassner-bridge/examples/boiler.network",
        "hargassner.toml": "usr/share/doc/hargassner-bridge/examples/hargassner.toml",
        "deb/healthy": "opt/hargassner/bin/healthy",
        "deb/rtupdate": "usr/share/python3/runtime.d/hargassner-bridge.rtupdate",
        "../LICENSE": "usr/share/doc/hargassner-bridge/copyright",
    }
    for source, place in places.items():
        put(root / place, (PACKAGING / source).read_bytes())
    for place in (places["deb/healthy"], places["deb/rtupdate"]):
        (root / place).chmod(0o755)
    put(root / "etc/hargassner/hargassner.toml", commented(example()).encode())
    put(root / "usr/share/man/man1/hargassner.1.gz", gzipped(manual()))
    changes = (SOURCE / "CHANGELOG.md").read_text()
    put(root / "usr/share/doc/hargassner-bridge/changelog.gz", gzipped(changes))
    completion = shtab.complete(parser(), shell="bash")
    put(root / "usr/share/bash-completion/completions/hargassner", completion.encode())
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/hargassner").symlink_to("/opt/hargassner/bin/hargassner")


def example() -> str:
    """The configuration with all its keys."""
    return (PACKAGING / "hargassner.toml").read_text()


def manual() -> str:
    """The manual page, made of what ``--help`` says."""
    whole = parser()
    whole.man_short_description = "tools for the bridge of a Hargassner boiler"  # type: ignore[attr-defined]
    page = str(Manpage(whole, format="single-commands-section"))
    return page + (HERE / "manual-end.roff").read_text()


def gzipped(text: str) -> bytes:
    """Compressed, without a date."""
    return gzip.compress(text.encode(), mtime=0)


def put(path: Path, data: bytes) -> None:
    """Write a file that everybody may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o644)


def write_control(root: Path, arch: str) -> None:
    """Write what dpkg wants to know."""
    size = sum(each.stat().st_size for each in root.rglob("*") if each.is_file()) // 1024
    control = (HERE / "control").read_text()
    control = control.format(version=__version__, arch=arch, size=size)
    put(root / "DEBIAN/control", control.encode())
    put(root / "DEBIAN/conffiles", b"/etc/hargassner/hargassner.toml\n")
    for script in ("postinst", "prerm", "postrm"):
        put(root / "DEBIAN" / script, (HERE / script).read_bytes())
        (root / "DEBIAN" / script).chmod(0o755)


def settle(root: Path, epoch: int) -> None:
    """Give everything the same date, and rights that do not depend on who builds.

    It is before that of the package's newest file, Twisted's notes of its plugins: Twisted believes
    them only where they are younger than the plugins.
    """
    for each in [root, *root.rglob("*")]:
        if not each.is_symlink():
            executable = each.is_dir() or each.stat().st_mode & stat.S_IXUSR
            each.chmod(0o755 if executable else 0o644)
        os.utime(each, (epoch - 60, epoch - 60), follow_symlinks=False)


def build(arch: str, output: Path) -> Path:
    """Build the package; the result is its path."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", DEFAULT_EPOCH))
    with tempfile.TemporaryDirectory() as name:
        wheels, root = Path(name) / "wheels", Path(name) / "root"
        lib = root / "opt/hargassner/lib"
        lib.mkdir(parents=True)
        fetch_wheels(arch, wheels)
        unpack(wheels.glob("*.whl"), lib)
        write_programs(lib, root / "opt/hargassner/bin")
        write_files(root)
        settle(root, epoch)
        note_plugins(lib)
        write_control(root, arch)
        output.mkdir(parents=True, exist_ok=True)
        package = output / f"hargassner-bridge_{__version__}_{arch}.deb"
        os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(package))
    return package


def this_architecture() -> str:
    """What Debian calls this machine's architecture."""
    asked = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    )
    return asked.stdout.strip()


def main() -> None:
    """Build, and say what was built."""
    options = argparse.ArgumentParser(description="Builds the Debian package.")
    options.add_argument("--arch", choices=tuple(PLATFORMS), default=None)
    options.add_argument("--output", type=Path, default=SOURCE / "dist")
    chosen = options.parse_args()
    arch = chosen.arch or this_architecture()
    if arch not in PLATFORMS:
        sys.exit(f"there are no wheels for {arch}; use pip (packaging/README.md)")
    package = build(arch, chosen.output)
    print(f"{package}: {package.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
