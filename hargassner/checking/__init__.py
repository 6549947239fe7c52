"""What ``hargassner check`` looks at: the chain from the gateway to the home, link by link."""
