"""The machine of a session: every input in every state, and the timers that each state has."""

from collections.abc import Callable

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.python.failure import Failure

from hargassner.proxy.protocols import BoilerProtocol
from hargassner.proxy.session import Session
from hargassner.proxy.session_states import FLUSH_TIMEOUT, SessionInputs
from tests.proxy.case import GATEWAY, Connection, ProxyCase

TIMERS = {"new": 0, "connecting": 0, "relaying": 0, "half-closed": 1, "ending": 1, "over": 0}
"""Timers of each state: that of silence, and that of the RST."""

TABLE = {
    # input: what each state in the order of TIMERS goes to.
    "client_connected": ["connecting", "connecting", "relaying", "half-closed", "ending", "over"],
    "boiler_connected": ["new", "relaying", "relaying", "half-closed", "ending", "over"],
    "not_connected": ["new", "ending", "ending", "ending", "ending", "over"],
    "client_finished": ["new", "ending", "half-closed", "ending", "ending", "over"],
    "boiler_finished": ["new", "connecting", "half-closed", "ending", "ending", "over"],
    "client_lost": ["new", "over", "ending", "ending", "ending", "over"],
    "boiler_lost": ["new", "connecting", "ending", "ending", "ending", "over"],
    "stranger_lost": ["new", "connecting", "relaying", "half-closed", "ending", "over"],
    "announced": ["new", "connecting", "relaying", "half-closed", "ending", "over"],
    "end": ["over", "ending", "ending", "ending", "ending", "over"],
}
NO_BOILER = ("new", "connecting")


class Life:
    """One session, led into a state."""

    def __init__(self, case: "TableTests", state: str) -> None:
        self.case = case
        self.protocol = case.factory.buildProtocol(IPv4Address("TCP", GATEWAY, 51975))
        self.session: Session = case.factory.sessions[case.factory.counters.sessions]
        self.client = Connection()
        self.boiler = Connection()
        self.client.protocol = self.protocol
        if state != "new":
            self.protocol.makeConnection(self.client)
        if state not in NO_BOILER:
            self.boiler = case.boiler()
        if state == "half-closed":
            self.client.sends_fin()
        if state in ("ending", "over"):
            self.session.end("the test wants it", FLUSH_TIMEOUT)
        if state == "over":
            self.client.gone(ConnectionDone())
            self.boiler.gone(ConnectionDone())

    @property
    def inputs(self) -> SessionInputs:
        return self.session._inputs

    @property
    def state(self) -> str:
        return str(self.inputs.__automat_transitioner__._state.name)

    def client_connects(self) -> None:
        """The client connects, or is said to do so once more."""
        if self.protocol.transport is None:
            self.protocol.makeConnection(self.client)
        else:
            self.inputs.client_connected(self.protocol)

    def late_boiler(self) -> Connection:
        """A boiler connects."""
        late = Connection()
        late.protocol = BoilerProtocol(self.inputs)
        late.protocol.makeConnection(late)
        if not late.aborted:
            self.boiler = late
        return late

    def put_in(self, name: str) -> None:
        """Have something happen."""
        doings: dict[str, Callable[[], object]] = {
            "client_connected": self.client_connects,
            "boiler_connected": self.late_boiler,
            "not_connected": lambda: self.inputs.not_connected(Failure(ConnectError())),
            "client_finished": lambda: self.client.sends_fin(),
            "boiler_finished": lambda: self.boiler.sends_fin(),
            "client_lost": lambda: self.client.gone(ConnectionDone()),
            "boiler_lost": lambda: self.boiler.gone(ConnectionDone()),
            "stranger_lost": lambda: BoilerProtocol(self.inputs).connectionLost(
                Failure(ConnectionDone())
            ),
            "announced": self.session.announced,
            "end": lambda: self.session.end("enough"),
        }
        doings[name]()


class TableTests(ProxyCase):
    """Every input in every state."""

    def test_every_state_is_reached_and_has_its_own_timers_and_no_other(self) -> None:
        for state, timers in TIMERS.items():
            before = len(self.clock.getDelayedCalls())
            life = Life(self, state)
            self.assertEqual(life.state, state)
            self.assertEqual(len(self.clock.getDelayedCalls()) - before, timers, state)
            self.leave(life)

    def test_every_input_in_every_state(self) -> None:
        for name, row in TABLE.items():
            for state, expected in zip(TIMERS, row, strict=True):
                if self.is_possible(name, state):
                    life = Life(self, state)
                    life.put_in(name)
                    self.assertEqual(expected, life.state, f"{name} while {state}")
                    self.leave(life)

    def test_whatever_came_before_the_end_leaves_no_timer(self) -> None:
        """Any two inputs in any state, then the end of both connections."""
        for state in TIMERS:
            for first in TABLE:
                for second in TABLE:
                    if self.is_possible(first, state) and self.is_possible(second, state):
                        life = Life(self, state)
                        life.put_in(first)
                        life.put_in(second)
                        self.leave(life)
                        self.assertEqual("over", life.state, f"{first}, {second} while {state}")

    def test_a_boiler_that_is_not_waited_for_is_dropped(self) -> None:
        for state in TIMERS:
            if state != "connecting":
                life = Life(self, state)
                self.assertTrue(life.late_boiler().aborted, state)
                self.leave(life)

    def test_the_table_has_every_input_that_comes_from_outside(self) -> None:
        """``half_close`` and ``all_gone`` only follow from others."""
        inputs = {each for each in vars(SessionInputs) if not each.startswith("_")}
        named = {each.replace("client_f", "leg_f").replace("client_l", "leg_l") for each in TABLE}
        self.assertEqual({"half_close", "all_gone"}, inputs - named)

    def is_possible(self, name: str, state: str) -> bool:
        """Whether a session in this state has the connection that the input is about."""
        if name in ("client_finished", "client_lost"):
            return state != "new"
        return name not in ("boiler_finished", "boiler_lost") or state not in NO_BOILER

    def leave(self, life: Life) -> None:
        """End a session and both of its connections at once; nothing of it may be left."""
        life.session.end("the test goes on")
        for connection in (life.client, life.boiler):
            leg = connection.protocol
            if leg is not None and leg.transport is not None and not leg.lost:
                connection.gone(ConnectionDone())
        self.assertEqual({}, self.factory.sessions)
        self.assertEqual([], self.clock.getDelayedCalls())
