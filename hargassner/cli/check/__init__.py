"""The walk through the chain that ``hargassner check`` takes."""
