"""A boiler and a gateway to talk to, for the demo, the tests and the benchmarks."""
