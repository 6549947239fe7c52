"""Settings that can be changed: commands, one after the other."""
