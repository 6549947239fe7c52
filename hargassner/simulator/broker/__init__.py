"""A broker for the demo and the tests, where no other is at hand."""
