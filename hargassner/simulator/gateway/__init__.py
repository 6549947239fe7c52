"""A simulated gateway."""
