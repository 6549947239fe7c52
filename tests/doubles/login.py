"""A gateway's login, as it passes: the token is the boiler's, the key the gateway's."""

TOKEN = b"$0A1B2C3D\r\n"
KEY = b"$login key 1300112233445566778899AABBCCDDEEFF\r\n"
