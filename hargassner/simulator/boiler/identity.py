"""Who the simulated boiler says it is, and its datagrams (docs/protocol.md, sections 1 and 3)."""

from dataclasses import dataclass

SERVICES_REQUEST = b"get services\0"
"""What a gateway broadcasts to find boilers."""

DIAGNOSTICS_REQUEST = b"hargassner.diagnostics.request"
"""What a gateway broadcasts to hear how its devices are."""

_SERVICES = (
    "par.cgi",
    "daqdesc.cgi",
    "daqdata.cgi",
    "token.cgi",
    "events/quit.cgi",
    "events/clear.cgi",
    "events/list.cgi",
    "trykey.cgi",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Names, versions and serial numbers; all of them are invented."""

    model: str = "Nano-SIM 20"
    program: str = "SIM/CL 9-60KW"
    family: str = "HSV1"
    firmware: str = "V14.0HAR.s"
    io_firmware: str = "V1.2.8"
    boot_version: str = "V2.18"
    api_version: str = "1.0.1"
    io_serial: str = "3100002"
    controller_serial: str = "3100003"
    session_number: str = "3100001"
    system_code: str = "51AB0125"

    def info(self) -> list[str]:
        """The lines of an ``$info`` reply, without ``$``."""
        return [
            f"KT: '{self.model}'",
            f"SWV: '{self.firmware}'",
            f"FWV I/O: '{self.io_firmware}'",
            f"SN I/O: '{self.io_serial}'",
            f"SN BCE: '{self.controller_serial}'",
        ]

    def service_list(self) -> bytes:
        """The 318 bytes that answer ``get services``."""
        # What the 23 stands for is not known; the telnet port, perhaps.
        parts = [
            b"\0\2" + _padded(f"{self.program} {self.firmware}", 30),
            _padded(self.family, 18) + b"\0\x17" + b"\0\x50",
            _padded(_SERVICES[0], 30),
            *(_padded(service, 32) for service in _SERVICES[1:]),
            _padded(self.system_code, 10),
        ]
        return b"".join(parts)

    def diagnostics(self) -> bytes:
        """The answer to a request for diagnostics, in the words that a gateway uses."""
        lines = [
            "hargassner.diagnostics",
            f"serialnr:{self.controller_serial}",
            f"software:{self.firmware}",
            f"bootloader:{self.boot_version.removeprefix('V')}",
            "type:info",
            "message:running",
        ]
        return "\n".join(lines).encode("latin-1")


def _padded(text: str, size: int) -> bytes:
    return text.encode("latin-1").ljust(size, b"\0")
