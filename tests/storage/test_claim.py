"""A state directory is one bridge's."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.reopening import CannotStartError
from hargassner.storage.claim import StateClaim


class StateClaimTests(SynchronousTestCase):
    def claim(self, path: Path) -> StateClaim:
        claim = StateClaim(path)
        self.addCleanup(claim.stopService)
        return claim

    def test_a_second_bridge_is_told_before_it_writes_there(self) -> None:
        path = Path(self.mktemp())
        self.claim(path).startService()
        wrong = self.assertRaises(CannotStartError, self.claim(path).startService)
        self.assertEqual(
            f"hargassner: state.directory: {path} is in use by another bridge; give each one of "
            "its own",
            wrong.code,
        )

    def test_after_the_first_has_stopped_the_next_may_start(self) -> None:
        path = Path(self.mktemp())
        first = self.claim(path)
        first.startService()
        first.stopService()
        self.claim(path).startService()

    def test_each_may_have_one_of_its_own(self) -> None:
        for _ in range(2):
            self.claim(Path(self.mktemp())).startService()

    def test_one_that_cannot_be_written_keeps_no_bridge_from_its_work(self) -> None:
        path = Path(self.mktemp())
        path.touch()
        self.claim(path / "below").startService()
