"""Datagrams as the devices send them, with invented numbers (docs/protocol.md, section 1)."""

ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
DIAGNOSTICS = (
    b"hargassner.diagnostics\nserialnr:0012345\nsoftware:6.4.1\n"
    b"bootloader:5.00\ntype:info\nmessage:running"
)
DIAGNOSTICS_WANTED = b"hargassner.diagnostics.request"
SERVICES_WANTED = b"get services\0"
SERVICES = (
    b"\x00\x02"
    + b"HSV/CL 9-60KW V14.0n3".ljust(30, b"\0")
    + b"HSV1".ljust(18, b"\0")
    + b"\0\x17\0\x50"
    + b"par.cgi".ljust(254, b"\0")
    + b"0BADCAFE\0\0"
)
