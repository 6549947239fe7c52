"""Observers that are notified, and what is logged once."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.observers import Observers, Once


class ObserversTests(SynchronousTestCase):
    """Observers are notified, each by itself."""

    def setUp(self) -> None:
        self.notified: list[str] = []
        self.observers: Observers[str] = Observers("a test")

    def test_each_is_told_in_order(self) -> None:
        for each in "ab":
            self.observers.add(each)
        self.observers.notify(self.notified.append)
        self.assertEqual(["a", "b"], self.notified)
        self.assertEqual(2, len(self.observers))

    def test_one_that_was_removed_is_not_told(self) -> None:
        remove = self.observers.add("a")
        self.observers.add("b")
        remove()
        remove()
        self.observers.notify(self.notified.append)
        self.assertEqual(["b"], self.notified)

    def test_one_may_leave_while_it_is_told(self) -> None:
        removes = [self.observers.add(each) for each in "ab"]
        self.observers.notify(lambda each: (removes[0](), self.notified.append(each)))
        self.assertEqual(["a", "b"], self.notified)

    def test_one_that_fails_keeps_it_from_nobody(self) -> None:
        for each in "ab":
            self.observers.add(each)

        def tell(each: str) -> None:
            self.notified.append(each)
            if each == "a":
                raise ZeroDivisionError

        self.observers.notify(tell)
        self.assertEqual(["a", "b"], self.notified)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class OnceTests(SynchronousTestCase):
    """What was said."""

    def test_a_thing_is_said_once(self) -> None:
        once = Once()
        self.assertEqual([True, False, True], [once.first(each) for each in "aab"])

    def test_after_a_change_it_is_said_again(self) -> None:
        once = Once()
        once.first("a")
        once.forget("a")
        self.assertTrue(once.first("a"))

    def test_no_more_than_so_many_things_are_said(self) -> None:
        once = Once(at_most=2)
        self.assertEqual([True, True, False], [once.first(each) for each in "abc"])
