"""Ways inside for the owner and the system: the manhole, and what systemd is told."""
