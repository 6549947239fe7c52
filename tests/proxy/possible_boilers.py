"""What a boiler may do, as a model of its own: nothing here is taken from the code under test.

A boiler answers in the order in which it is asked. Each request comes to one of its ends: it is
answered, refused, or nothing comes of it; and each line of that comes when it likes, also long
after the time that the bridge gives it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

ACK, REFUSAL = b"$ack\r\n", b"$permission denied\r\n"
RECORD = b"$PR001;6;1;2;1;0;0;0;Mode;Manu;Arr;Auto;"
ONE, CHANGED = RECORD + b"0;\r\n", RECORD + b"\r\n"
NOTHING_CHANGED = b"$--\r\n"
OTHER = b"$done\r\n"
REFUSAL_NOTICE = b"zERR nicht vorhanden\r\n"

OURS = {"set": b'$par set "PR001;6;1"\r\n', "get": b"$par get PR001\r\n"}
OUR_TEXT = {"set": "Arr", "get": ""}
GATEWAYS = {
    "fixed": b"$setkomm\r\n",
    "refusable": b'$par set "7;3;20"\r\n',
    "parameter": b"$par get PR001\r\n",
    "list": b'$par get changed "2023-11-12 18:21:37"\r\n',
    "silent": b"$dhcp renew\r\n",
    "unknown": b"$frobnicate\r\n",
}

_OUR_NOTICE = b"zPa N: PR001 (Mode) = Arr\r\n"
_GATEWAY_NOTICE = b"zPa N: 7 (Temp.) = 20.0\r\n"


def ends_of_set(notice: bytes) -> tuple[tuple[bytes, ...], ...]:
    """What may come of a request that sets what this notice names."""
    return (
        (ACK,),
        (notice, ACK),
        (notice,),
        (REFUSAL,),
        (REFUSAL_NOTICE,),
        (REFUSAL_NOTICE, REFUSAL),
    )


Ends = Mapping[tuple[bool, str], tuple[tuple[bytes, ...], ...]]

ENDS: Ends = {
    (True, "set"): ends_of_set(_OUR_NOTICE),
    (True, "get"): ((ONE,), (REFUSAL,)),
    (False, "fixed"): ((b"$7 ack\r\n",), (REFUSAL,)),
    (False, "refusable"): ends_of_set(_GATEWAY_NOTICE),
    (False, "parameter"): ((ONE,), (REFUSAL,)),
    (False, "list"): ((NOTHING_CHANGED,), (CHANGED, NOTHING_CHANGED), (REFUSAL,)),
    (False, "silent"): ((REFUSAL,),),
    (False, "unknown"): tuple(
        (each,) for each in (ACK, REFUSAL, b"$7 ack\r\n", ONE, CHANGED, NOTHING_CHANGED, OTHER)
    ),
}
"""What may come of each request of the bridge's (True) and the gateway's, beside nothing."""


@dataclass(frozen=True, slots=True)
class Open:
    """A request that the boiler has; ``left`` is what it has still to say of a reply begun.

    ``number`` tells one from others of its kind, where that matters.
    """

    ours: bool
    kind: str
    left: tuple[bytes, ...] | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A line that the boiler says next, to which request, and what it has to do then.

    ``lost`` says that with it a reply is lost for which somebody waits.
    """

    line: bytes
    speaker: Open
    queue: tuple[Open, ...]
    lost: bool = False


@cache
def sayings(queue: tuple[Open, ...]) -> tuple[Said, ...]:
    """All that a boiler may say next; of a request before that nothing more comes."""
    return tuple(sayings_of(queue, ENDS))


def sayings_of(queue: tuple[Open, ...], ends_of: Ends) -> Iterator[Said]:
    """The same where other things may come of the requests."""
    lost = False
    for place, each in enumerate(queue):
        ends = ends_of[each.ours, each.kind] if each.left is None else (each.left,)
        for first, *left in ends:
            rest = queue[place + 1 :]
            if each.kind == "unknown":
                # Nobody knows how many lines it has.
                rest = queue[place:]
            elif left:
                rest = (replace(each, left=tuple(left)), *rest)
            yield Said(first, each, rest, lost or (first.startswith(b"zPa") and not left))
        if each.left == (NOTHING_CHANGED,):
            # Nobody knows how long a list is.
            yield Said(CHANGED, each, queue[place:], lost)
        if each.left:
            # What has begun comes to its end.
            return
        lost = lost or each.kind not in ("silent", "unknown")
