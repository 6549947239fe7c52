"""Dialogues on disk: written, read, and cleaned of secrets."""
