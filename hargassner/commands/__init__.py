"""The command ``hargassner``."""
