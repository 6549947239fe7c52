"""The model: what is known of the boiler now."""
