"""MQTT: the link to the broker, as the views see it and as it is made."""
