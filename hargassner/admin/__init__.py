"""For the owner and the system: the manhole, notices to systemd, signals."""
