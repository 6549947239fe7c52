"""What is known of channel names, whatever boiler they come from."""
