"""How a boiler answers a gateway that opens its dialogue."""

from hargassner.simulator.login import key_for

SERIAL = "0012345"
DESCRIPTOR = (
    b"$<<<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/><CHANNEL id='2' name='TK'/></ANALOG>>>\r\n"
    b"$<<<DIGITAL><CHANNEL id='0' bit='0' name='St\xf6rung'/></DIGITAL></DAQPRJ>\r\n>>\r\n"
)
# What a boiler answers to the requests of the opening, one after the other.
OPENING = (
    (b"$login token\r\n", b"$0A1B2C3D\r\n"),
    (f"$login key {key_for('0A1B2C3D')}\r\n".encode(), b"zclient login (7)\r\n$ack\r\n"),
    (b"$apiversion\r\n", b"$1.0.1\r\n"),
    (b"$setkomm\r\n", b"$3100001 ack\r\n"),
    (b"$asnr get\r\n", b"$\r\n"),
    (b"$igw set 0012345\r\n", b"$ack\r\n"),
    (b"$daq stop\r\n$logging disable\r\n", b"$daq stopped\r\n$logging disabled\r\n"),
    (b"$daq desc\r\n", DESCRIPTOR),
    (
        b"$daq start\r\n$logging enable\r\n",
        b"$daq started\r\npm 1 2 3 0 \r\n$logging enabled\r\n",
    ),
    (b"$bootversion\r\n", b"$V2.18\r\n"),
    (
        b"$info\r\n",
        b"$KT: 'N'\r\n$SWV: 'V1'\r\n$FWV I/O: 'V1'\r\n$SN I/O: '1'\r\n$SN BCE: '2'\r\n",
    ),
    (b"$uptime\r\n", b"$666151\r\n"),
    (b"$rtc get\r\n", b"$2024-01-15 07:00:00\r\n"),
    (
        b'$par get changed "2024-01-15 07:00:00"\r\n',
        b"$4;3;19.5;14;26;0.5;\xb0C;20;0;0;0;T;\r\n$--\r\n",
    ),
)
