"""What passes, understood and kept for whoever looks."""
