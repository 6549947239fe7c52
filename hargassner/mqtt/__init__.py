"""MQTT: the broker link, the topics, and what Home Assistant is told."""
