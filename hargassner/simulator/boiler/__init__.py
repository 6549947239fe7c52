"""A simulated boiler."""
