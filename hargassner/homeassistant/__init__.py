"""What Home Assistant is told, and what it may ask for."""
