"""The boiler in Home Assistant: discovery, states and commands over MQTT."""
